"""Labels of users' values: short, one line, and nothing but text in whatever shows them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor_rx._text.labels import label, mermaid, terminal, xml

HOSTILE = [
    "</text><script>alert(1)</script>",
    "\" onload='alert(1)'",
    "]]><!--&amp;#x26;",
    "\x1b[2J\x1b]8;;https://example.org\x07click\x1b]8;;\x07\x9b31m",
    "a\r\nb\tc\x0bd\u2028e\u2029f\x85g",
    "\u202e\u2066txet\u2069\u200b\ufeff\u00ad",
    "\ud800 \udfff \x00 \ufffe \uffff \U0001ffff \ufdd0",
    '"]\nclick A callback "javascript:alert(1)"',
    "%%{init: {'securityLevel': 'loose'}}%%",
    "#quot;#35;`**markdown**` <br/> style x:#fff; https://example.org fa:fa-ban $$x^2$$",
    "\ufb02°°60¶ßimg src=x onerror=alert(1)\ufb02°°62¶ß",
    "e" + "\u0301" * 500,
    "\u0301",
    "",
]
texts = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(HOSTILE)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
hashable = st.none() | st.integers() | st.text(max_size=3)
values = st.recursive(
    plain | st.sets(hashable) | st.frozensets(hashable) | st.integers(10**20, 10**30),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(hashable, inner)
        | st.lists(inner).map(deque)
        | st.binary().map(bytearray)
    ),
    max_leaves=12,
)


@given(values, st.integers(1, 80))
def test_a_label_is_the_beginning_of_the_repr(value: object, width: int) -> None:
    """What is written bit by bit is what Python would write; a text is written as it is."""
    whole = terminal(value if isinstance(value, str) else repr(value))
    if len(whole) > width:
        whole = whole[: width - 1] + "…"
    # Whether a text is put in single or double quotes depends on all of it, not on its beginning.
    assert label(value, width).replace('"', "'") == whole.replace('"', "'")


@dataclass
class Row:
    name: str
    tags: list[int]
    secret: str = field(default="", repr=False)


@dataclass(repr=False)
class Quiet:
    name: str = ""

    def __repr__(self) -> str:
        return "quiet"


class Names(list[str]):
    """A list with the repr of a list."""


class Titled(list[str]):
    def __repr__(self) -> str:
        return "titled"


@pytest.mark.parametrize(
    "value",
    [
        Row("a", [1, 2]),
        Quiet(),
        Names(["a"]),
        Titled(["a"]),
        Counter("aab"),
        OrderedDict(a=1),
        defaultdict(int, a=1),
        True,
        int,
        len,
        range(3),
        ...,
    ],
)
def test_classes_of_ones_own_are_asked_for_their_repr(value: object) -> None:
    """Dataclasses, subclasses of containers with and without a repr, functions."""
    assert label(value, 200) == repr(value)


@given(texts, st.integers(1, 40))
def test_a_label_is_one_short_line_of_visible_characters(text: str, width: int) -> None:
    """Whatever the text; and escaping it for a terminal again changes nothing."""
    for value in (text, [text], Row(text, [])):
        shown = label(value, width)
        assert len(shown) <= width
        assert shown.isprintable()
        assert shown == terminal(shown)


class Raising:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error


class NoText:
    def __repr__(self) -> str:
        return 1  # type: ignore[return-value]  # that is the point


class Liar:
    @property
    def __class__(self) -> Any:
        return str

    __repr__ = None  # type: ignore[assignment]


class Evil(str):
    """A text that does harm wherever it is used as one."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError

    __getitem__ = __len__ = __str__ = __radd__ = __format__ = isascii = isprintable = _raise


class Giver:
    def __repr__(self) -> str:
        return Evil("given")


class Shy(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError


class Hidden(metaclass=Shy):
    def __repr__(self) -> str:
        raise RuntimeError


def cycle() -> list[Any]:
    inner: list[Any] = []
    inner.append({"a": inner})
    return inner


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda: Raising(ValueError("x")), "<Raising>"),
        (lambda: Raising(RecursionError()), "<Raising>"),
        (lambda: Raising(GeneratorExit()), "<Raising>"),
        (lambda: [1, Raising(ValueError())], "<list>"),
        (lambda: NoText(), "<NoText>"),
        (lambda: Liar(), "<Liar>"),
        (lambda: Evil("evil"), "evil"),
        (lambda: Giver(), "given"),
        (lambda: Hidden(), "<Hidden>"),
        (lambda: type("<b>\n", (Raising,), {})(ValueError()), "<<b> >"),
        (lambda: type("N" * 50, (Raising,), {})(ValueError()), "<NNNNNNNNNNNNNNNNNNNNNN…"),
        (lambda: object.__new__(Row), "<Row>"),
        (cycle, "[{'a': [{'a': [{'a': [{…"),
    ],
)
def test_a_repr_that_fails_gives_the_name_of_the_type(
    make: Callable[[], object], shown: str
) -> None:
    """It may raise anything, be no text, or be a text that misbehaves."""
    assert label(make()) == shown


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_leaving_the_program_is_not_hindered(error: type[BaseException]) -> None:
    """These two come from outside of the repr."""
    with pytest.raises(error):
        label(Raising(error()))


def test_of_huge_values_little_is_looked_at() -> None:
    """A label costs what it shows, not what the value holds."""
    seen: list[int] = []

    class Seen:
        def __repr__(self) -> str:
            seen.append(1)
            return "seen"

    for container in ([Seen()] * 10**6, (Seen(),) * 10**6, dict.fromkeys(range(10**6), Seen())):
        seen.clear()
        label(container)
        assert len(seen) < 10
    assert label(Row("x" * 10**6, [Seen()])) == "Row(name='xxxxxxxxxxxxx…"  # type: ignore[list-item]
    assert len(seen) < 10
    assert label(2**80, 4) == "120…"  # and not how long it is
    assert label(10**100_000) == "<int of 332,193 bits>"
    assert label(b"\0" * 10**7, 8) == r"b'\x00\…"


class Nodes(HTMLParser):
    """What an HTML parser finds; neighbouring texts are one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *attrs))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.found.append("comment")

    handle_decl = handle_pi = unknown_decl = handle_comment


FORBIDDEN = re.compile(
    "[^\\t\\n -~\\xa0-\\ud7ff\\ue000-\\ufdcf\\ufdf0-\\ufffd\\U00010000-\\U0010ffff]"
    + "".join(f"|[{chr(end - 1)}{chr(end)}]" for end in range(0x1FFFF, 0x110000, 0x10000))
)


@given(texts)
def test_xml_gives_one_text_and_nothing_else(text: str) -> None:
    """Between tags and in attributes, for XML and HTML parsers: the same text comes back.

    In it a dot stands for each character that only changes how others look.
    """
    escaped = xml(text)
    escaped.encode()
    expected = FORBIDDEN.sub("\ufffd", text.replace("\r", "\n"))
    expected = "".join(
        "·" if unicodedata.category(char) in ("Cf", "Zl", "Zp") else char for char in expected
    )
    element = ElementTree.fromstring(f"<a b=\"{escaped}\" c='{escaped}'>{escaped}</a>")
    assert len(element) == 0
    assert element.attrib == {"b": expected, "c": expected}
    assert (element.text or "") == expected
    nodes = Nodes(f"<a b=\"{escaped}\" c='{escaped}'>{escaped}</a>")
    assert nodes.found == [("a", ("b", expected), ("c", expected))]
    assert nodes.text == expected


@given(texts)
def test_mermaid_gets_letters_and_codes_only(text: str) -> None:
    """No quote, tag, colon, percent or back quote is left; the codes are those of the text."""
    escaped = mermaid(text)
    coded = re.sub(r"#\d+;", "", escaped)
    assert all(char.isalnum() or char in " ,()_.-=" for char in coded)
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), escaped)
    assert decoded.replace("\u200b", "") == terminal(text)
    assert not re.search("fa[bklrs]?:fa-|[$][$]|://|\ufb02°|¶ß", decoded)


@given(texts)
def test_a_terminal_gets_visible_characters_only(text: str) -> None:
    """No escape sequence, line break or change of direction; each character becomes one."""
    shown = terminal(text)
    assert shown.isprintable()
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    pairs = list(zip(text, shown, strict=True))
    assert all(
        before == after for before, after in pairs if before.isascii() and before.isprintable()
    )


def test_accents_are_kept_and_piles_of_them_are_not() -> None:
    """What people write is shown; what covers the neighbouring lines is not."""
    assert terminal("Việt e\u0302\u0301 हिन्दी ❤️") == "Việt e\u0302\u0301 हिन्दी ❤️"
    assert terminal("e" + "\u0301" * 5) == "e\u0301\u0301···"
    assert terminal("\u0301") == "·"
