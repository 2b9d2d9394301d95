"""How does a recording look in a terminal? As marbles of text."""

from ._render import render

__all__ = ["render"]
