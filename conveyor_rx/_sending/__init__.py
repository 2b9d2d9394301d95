"""How do functions and tasks get to another process? By their names, as far as they have any."""
