"""How do items become batches? The items that are open, and the trigger that says when to cut."""
