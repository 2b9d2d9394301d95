"""Where are calls made that are not made on the event loop? In the workers of an executor."""
