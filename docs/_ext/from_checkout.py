"""How do the notebooks get into the site? They are copied to `docs/notebooks/`, which git ignores.

Sphinx reads pages from below `docs/` only; markdown from elsewhere is taken in by `include`.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the copies made before any page is looked for."""
    app.connect("config-inited", _copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _copy_notebooks(app: Sphinx, _config: Config) -> None:
    docs = Path(app.srcdir)
    folder = docs / "notebooks"
    folder.mkdir(exist_ok=True)
    originals = {
        # A link to a page holds in the checkout; from the copy it is one folder less.
        path.name: path.read_bytes().replace(b"](../docs/", b"](../")
        for path in (docs.parent / "notebooks").glob("*.ipynb")
    }
    for copy in folder.glob("*.ipynb"):
        if copy.name not in originals:
            copy.unlink()
    for name, content in originals.items():
        copy = folder / name
        if not copy.exists() or copy.read_bytes() != content:  # else Sphinx reads it again
            copy.write_bytes(content)
