"""How are the promises of the contract found? Each has its number in bold, and as its address."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["setup"]

NUMBER = re.compile(r"[A-Z]\d+\b")


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the contract changed as soon as it is read."""
    app.connect("doctree-read", _mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mark(app: Sphinx, doctree: nodes.document) -> None:
    if app.env.docname != "contract":
        return
    for item in doctree.findall(nodes.list_item):
        first = next(iter(item.findall(nodes.Text)))
        number = NUMBER.match(first)
        if number:
            item["ids"].append(number[0].lower())
            parts = [nodes.strong(text=number[0]), nodes.Text(first[number.end() :])]
            first.parent.replace(first, parts)
