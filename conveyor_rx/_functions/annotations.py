"""What do a function's annotations say, though some of their names exist for type checkers only?

From Python 3.14 on they are evaluated when somebody asks for them, which then raises a NameError.
Here, and nowhere else, somebody asks.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

__all__ = ["annotation_texts", "result_annotation", "signature_of", "signature_text"]

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

    def signature_of(function: Any) -> inspect.Signature:
        """Return the signature of `function`; its annotations are text, as written."""
        return inspect.signature(function, annotation_format=Format.STRING)

    def signature_text(signature: inspect.Signature) -> str:
        """Return `signature` as a message shows it."""
        return signature.format(quote_annotation_strings=False)

    def annotation_texts(function: Any) -> list[str]:
        """Return the annotations of `function`: what they stand for, or as written."""
        if getattr(function, "__annotate__", None) is None:  # set by hand, or there are none
            return list(map(str, getattr(function, "__annotations__", {}).values()))
        return list(map(str, get_annotations(function, format=Format.FORWARDREF).values()))

    def result_annotation(function: Any) -> Any:
        """Return the annotation of what `function` returns; None if there is none."""
        return get_annotations(function, format=Format.FORWARDREF).get("return")

else:

    def signature_of(function: Any) -> inspect.Signature:
        """Return the signature of `function`."""
        return inspect.signature(function)

    def signature_text(signature: inspect.Signature) -> str:
        """Return `signature` as a message shows it."""
        return str(signature)

    def annotation_texts(function: Any) -> list[str]:
        """Return the annotations of `function` as text."""
        return list(map(str, getattr(function, "__annotations__", {}).values()))

    def result_annotation(function: Any) -> Any:
        """Return the annotation of what `function` returns; None if there is none."""
        return getattr(function, "__annotations__", {}).get("return")
