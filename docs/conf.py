"""How is the site made? `sphinx-build -W --keep-going docs build/docs`, with the extra `docs`.

It needs no network: no intersphinx, no fonts or scripts from elsewhere.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "_ext")]  # this checkout, whatever is installed

import conveyor_rx  # noqa: E402

project = "conveyor_rx"
author = "conveyor_rx developers"
project_copyright = author
release = version = conveyor_rx.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "from_checkout",
    "plain_docstrings",
    "promises",
]
exclude_patterns = ["_*", "**/.ipynb_checkpoints"]

# The pages are MyST markdown; an address is not a link unless it is written as one.
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3

# The notebooks are committed with their outputs, and tests/test_notebooks.py compares those.
nb_execution_mode = "off"
# What JupyterLab draws of a pipeline; beside it stands the picture that is shown here.
suppress_warnings = ["mystnb.unknown_mime_type"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False  # those of reactivex speak of other things
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"conveyor_rx {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_exclude = ".linenos, .gp"


def _name_defaults(app, what, name, obj, options, signature, returns):
    """Write defaults that are functions or classes as names: Sphinx can't read their reprs."""
    if signature and "<" in signature:
        signature = re.sub(r"<class '([\w.]+)'>", r"\1", signature)
        signature = re.sub(r"<function <lambda>[^>]*>", "...", signature)
    return signature, returns


def setup(app):  # noqa: D103  # of Sphinx
    app.connect("autodoc-process-signature", _name_defaults)
