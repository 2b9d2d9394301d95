"""What is a pipeline, before any run? Its stages and their options as SVG, Mermaid and text.

It takes descriptions of stages and the settings of a run, and knows no `Pipeline`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from .._text.labels import xml
from ..context import PipelineContext
from ..events import StageInfo
from ._cards import title
from ._mermaid import mermaid
from ._svg import svg
from ._text import text

__all__ = ["mermaid", "mimebundle", "svg", "text"]


def mimebundle(stages: Sequence[StageInfo], context: PipelineContext) -> dict[str, str]:
    """Give a picture in each format that a notebook may show.

    JupyterLab shows neither SVG nor `<svg>` in HTML of a notebook that the reader hasn't run, but
    does show an `<img>` that holds its picture.
    """
    picture = svg(stages, context)
    data = b64encode(picture.encode()).decode()
    name = xml(f"The stages of {title(stages)}")
    style = "max-width:100%;height:auto"
    return {
        "text/plain": text(stages, context),
        "text/html": f'<img src="data:image/svg+xml;base64,{data}" alt="{name}" style="{style}">',
        "image/svg+xml": picture,
        "text/vnd.mermaid": mermaid(stages, context),
    }
