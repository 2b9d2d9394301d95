"""Whose turn is it? Workers, tasks and runs, and the time that they share on one event loop."""
