"""Which result comes next? The places of one segment: its order, its window and its gate."""
