"""How does a value of the user's become a short text, and how is that shown without harm?

Labels come from users' data. `label` makes a short text of any value; `xml`, `mermaid` and
`terminal` write a text so that in that format it is a text and nothing else.
"""

from __future__ import annotations

import unicodedata

from .short_repr import start_of_repr

__all__ = ["label", "mermaid", "terminal", "xml"]

UNSEEN = "·"
"""Stands for a character that can't be seen, or that would change how its neighbours look."""
CUT = "…"
BREAK = 0x200B
"""A blank of no width."""
BROKEN_AFTER = ":$¶\N{LATIN SMALL LIGATURE FL}"
"""With what follows them, Mermaid takes these for icons, links, formulas and its own codes."""
MAX_DIGITS = 16
SMALL = 10 ** (MAX_DIGITS - 1)
"""Numbers below it are the labels that are made most, and they fit."""
MAX_MARKS = 2
"""Accents on one letter; some scripts need two, piles of them cover the neighbouring lines."""


def label(value: object, width: int = 24) -> str:
    r"""Write `value` in one line of at most `width` characters: texts as they are, else their repr.

    Never raises, and does little work for huge values: of containers and dataclasses no more is
    looked at than is shown. Still to be escaped for the format in which it is shown.

    >>> label("two\nlines"), label([1, "a", None]), label(range(1_000_000), 12)
    ('two lines', "[1, 'a', None]", 'range(0, 10…')
    """
    if type(value) is int and -SMALL < value < SMALL and width >= MAX_DIGITS:
        return repr(value)
    room = max(width, 1)
    try:
        text = value if isinstance(value, str) else start_of_repr(value, room + 1)
        text = str.__getitem__(text, slice(room + 1))  # a text may be of a class of its own
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a repr is users' code, and may raise anything
        text = f"<{_name_of_type(value)[:room]}>"
    text = terminal(text)
    return text if len(text) <= room else text[: room - 1] + CUT


def terminal(text: str) -> str:
    r"""Replace what is no visible character: a terminal, or a line of text, can show the rest.

    No control character and so no escape sequence is left, no line break, no change of the
    direction of writing, no half of a surrogate pair, no pile of accents.

    >>> terminal("a\x1b[31mb")
    'a·[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = MAX_MARKS  # none before the first letter
    for char in text:
        if unicodedata.category(char) in ("Mn", "Me"):
            marks += 1
            shown.append(char if marks <= MAX_MARKS else UNSEEN)
            continue
        marks = 0
        if char.isprintable():
            shown.append(char)
        else:
            shown.append(" " if char.isspace() else UNSEEN)
    return "".join(shown)


def xml(text: str) -> str:
    """Escape `text` for XML and HTML, between tags or in a quoted attribute.

    Characters that XML 1.0 forbids, and those that HTML takes for errors, become U+FFFD; what is
    unseen and changes how its neighbours look, as the controls of the direction of writing, a dot.

    >>> xml('<a href="x">&')
    '&lt;a href=&quot;x&quot;&gt;&amp;'
    """
    return text.translate(_XML)


def mermaid(text: str) -> str:
    """Escape `text` for a quoted label of a Mermaid flowchart.

    All but letters, digits and a few marks become Mermaid's codes of characters, so that there is
    no quote, tag, directive, comment or Markdown in it. What Mermaid finds after decoding, such as
    names of icons and formulas, is broken up by blanks of no width.

    >>> mermaid('a_b "c"')
    'a_b #34;c#34;'
    """
    coded: list[str] = []
    for index, char in enumerate(text := terminal(text)):
        is_inside = 0 < index < len(text) - 1 and text[index + 1].isalnum()
        if char in BROKEN_AFTER:
            coded.append(f"#{ord(char)};#{BREAK};")
        elif char in " ,()" or char.isalnum() or (char in "_.-=" and is_inside):
            coded.append(char)
        else:
            coded.append(f"#{ord(char)};")
    return "".join(coded)


_CHANGING = ("Cf", "Zl", "Zp")  # format characters, and the ends of lines and of paragraphs


class _ForXml(dict[int, str]):
    """What becomes of each character; filled in as they come."""

    def __missing__(self, code: int) -> str:
        is_control = code < 0x20 or 0x7F <= code < 0xA0
        is_none = 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE
        shown = "\ufffd" if is_control or is_none else chr(code)
        if unicodedata.category(shown) in _CHANGING:
            shown = UNSEEN
        if code < 0x250:  # else the table would grow with what passes through
            self[code] = shown
        return shown


_XML = _ForXml(
    {ord(char): f"&{name};" for char, name in zip("&<>", ("amp", "lt", "gt"), strict=True)}
    | {ord('"'): "&quot;", ord("'"): "&#39;", ord("\t"): "&#9;", ord("\n"): "&#10;"}
    | {ord("\r"): "&#10;"}
)


def _name_of_type(value: object) -> str:
    return type.__dict__["__name__"].__get__(type(value))  # a metaclass may hide it
