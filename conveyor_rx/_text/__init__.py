"""How do values become text? Short, one line, as wide as it looks."""
