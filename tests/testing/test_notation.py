"""Marble strings: read as reactivex reads them, drawn so that they can be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex.observable.marbles import parse as parse_in_reactivex

from conveyor_rx.testing._notation import Marble, draw, parse

STRINGS = ["1--2-3|", "--1-(2,3)-4--|", "a--b--c-", "12-1.5-xyz-#", "(1,2,|)", "1 -2 --|", "", "-"]


@pytest.mark.parametrize("text", STRINGS)
def test_it_reads_what_reactivex_reads(text: str) -> None:
    """The same string means the same to `reactivex.from_marbles`."""
    theirs = parse_in_reactivex(text, timespan=0.5)
    ours = parse(text, tick=0.5).marbles
    assert [(marble.at, marble.kind) for marble in ours] == [
        (at, {"N": "item", "E": "error", "C": "end"}[notification.kind])
        for at, notification in theirs
    ]
    assert [marble.value for marble in ours if marble.kind == "item"] == [
        notification.value for _, notification in theirs if notification.kind == "N"
    ]


def test_a_group_without_commas_is_one_marble_a_character() -> None:
    """`(ab|)` is short for `(a,b,|)`."""
    assert parse("-(ab|)").marbles == [(1, "item", "a"), (1, "item", "b"), (1, "end", None)]


def test_braces_take_one_tick() -> None:
    """For marbles that stand closer than their text is wide."""
    assert parse("{10}{1,2}3|").marbles == [
        (0, "item", 10),
        (1, "item", 1),
        (1, "item", 2),
        (2, "item", 3),
        (3, "end", None),
    ]


def test_values_and_instants() -> None:
    """`values` gives other items, `tick` the instants: exact, in nanoseconds."""
    text = "a--1-b|"
    found = parse(text, tick=0.1, values={"a": [1], 1: "one", "b": None})
    assert found.marbles == [
        (0.0, "item", [1]),
        (0.3, "item", "one"),
        (0.5, "item", None),
        (0.6, "end", None),
    ]
    assert found.span == 0.7
    assert not found.is_open


@pytest.mark.parametrize("text", ["1,2", "(1", "1)", "{1", "((1))", "1|2", "#-1", "||"])
def test_what_is_no_marble_string_is_refused(text: str) -> None:
    """A slip of the pen raises, and shows the string."""
    with pytest.raises(ValueError, match=r"marble string|goes on after its end"):
        parse(text)


def test_what_cannot_be_drawn_is_refused() -> None:
    """Between two ticks, or without a name; `values` names it."""
    with pytest.raises(ValueError, match="between two ticks"):
        draw([Marble(0.25, "item", 1)], tick=0.1)
    for item in ("a b", "-1", -1, None, "1", "", [1], True):
        with pytest.raises(ValueError, match="can't name"):
            draw([Marble(0, "item", item)])
        assert draw([Marble(0, "item", item)], values={"a": item}) == "a"


ITEMS = st.integers(0, 200) | st.sampled_from(["a", "bc", 1.5])
RUNS = st.lists(st.tuples(st.integers(0, 12), ITEMS), max_size=8)


@given(RUNS, st.sampled_from(["end", "error", None]), st.integers(0, 9))
def test_what_is_drawn_can_be_read(
    gaps: list[tuple[int, object]], last: str | None, rest: int
) -> None:
    """Any run on the grid has a string, and that string says the same."""
    marbles: list[Marble] = []
    tick = 0
    for gap, item in gaps:
        tick += gap
        marbles.append(Marble(round(tick * 0.1, 9), "item", item))
    if last is not None:
        error = ValueError() if last == "error" else None
        marbles.append(Marble(round((tick + rest) * 0.1, 9), last, error))
    text = draw(marbles, tick=0.1)
    error = marbles[-1].value if last == "error" else None
    assert parse(text, tick=0.1, error=error).marbles == marbles
