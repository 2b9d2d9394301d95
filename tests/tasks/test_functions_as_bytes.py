"""How does the function of a task become bytes for a worker? They give the plain function."""

from __future__ import annotations

import functools
import pickle
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx._functions.pickling import dumps
from conveyor_rx._sending import names
from tests.tasks import sent
from tests.tasks.sent import Callback, Child, Service, fetch


def there_and_back(value: Any) -> Any:
    return pickle.loads(dumps(value, "t"))


def needs_cloudpickle() -> None:
    pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")


@pytest.fixture
def no_cloudpickle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)


@pytest.fixture
def typed_main(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Give what makes something one of a `__main__` without a file."""
    main = type(sys)("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)

    def move(value: Any) -> Any:
        monkeypatch.setattr(value, "__module__", "__main__")
        setattr(main, value.__qualname__, value)
        return value

    return move


@pytest.mark.usefixtures("no_cloudpickle")
def test_functions_of_tasks_go_by_name() -> None:
    """X2: they are unwrapped on arrival, and are the very functions in one process."""
    for function in (
        fetch.func,
        sent.rank.func,
        sent.shout.func,
        sent.remember.func,
        sent.below_task.func,
        sent.double_one,
        Service.half.func,
        len,
        str.upper,
    ):
        data = dumps(function, "t")
        assert pickle.loads(data) is function
        assert len(data) < 100


@pytest.mark.usefixtures("no_cloudpickle")
def test_methods_take_their_instance_along() -> None:
    """X2: the function is that of the class in which it was found, also of a parent class."""
    for method, result in (
        (Service(3).fetch.func, 4),
        (Service.make.func, "Service 1"),
        (Child.make.func, "Child 1"),
        (Child(3).fetch.func, -1),
        (Child(3).parents().func, 4),
        (Service(3).plain, -2),
        (Service.Inner().fetch.func, -1),
    ):
        arrived = there_and_back(method)
        assert type(arrived) is type(method)
        assert arrived(1) == result


@pytest.mark.usefixtures("no_cloudpickle")
def test_functions_within_other_objects() -> None:
    """X2: wherever they are; a task that is there as such arrives as a task."""
    callback = there_and_back(Callback(functools.partial(sent.add.func, other=5), 2))
    assert callback(1) == 12
    service = Service(3)
    arrived = there_and_back({"all": [fetch.func, fetch, service, service.fetch.func]})["all"]
    assert arrived[:2] == [fetch.func, fetch]
    assert arrived[3].__self__ is arrived[2]


def test_code_without_a_name_goes_with_cloudpickle() -> None:
    """X2: lambdas, closures and local classes; what they refer to by name is had by name."""
    needs_cloudpickle()
    by = 3

    class Here:
        def times(self, item: int) -> int:
            return item * by

    assert there_and_back(lambda item: (item * by, fetch.func))(2) == (6, fetch.func)
    assert there_and_back(Here().times)(2) == 6
    assert there_and_back(functools.partial(lambda a, b: a - b, 1))(3) == -2
    assert there_and_back(lambda: [Service(1).fetch, fetch])()[1] is fetch


@pytest.mark.usefixtures("no_cloudpickle")
def test_without_cloudpickle_the_error_says_what_to_do() -> None:
    """X2: a TypeError that names the task and the function."""
    for value, what in (
        (lambda item: item, r"its function .*<lambda> has no name of its own in a module"),
        (Callback(functools.partial(lambda item: item), 1), r"its function .*<lambda> has no"),
        (single_task(lambda item: item), r"task '<lambda>.*' can't be pickled: its function"),
    ):
        with pytest.raises(TypeError, match=what) as caught:
            dumps(value, "double")
        text = str(caught.value)
        assert text.startswith("task 'double' can't be sent to a worker: ")
        assert "Give it a name of its own at the top of a module that the other process can" in text
        assert "cloudpickle" in text
        assert type(caught.value) is TypeError


class Broken:
    def __reduce__(self) -> Any:
        raise ZeroDivisionError("out of order " + "x" * 1000)


@pytest.mark.parametrize("has_cloudpickle", [True, False])
def test_other_failures_name_the_task(
    has_cloudpickle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X2: whatever a value's own pickling raises is the cause of a TypeError, and told in short."""
    if has_cloudpickle:
        needs_cloudpickle()
    else:
        monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(TypeError, match=r"^task 't' can't be sent to a worker: cannot pickle '_th"):
        dumps([threading.Lock()], "t")
    with pytest.raises(TypeError, match="worker: ZeroDivisionError: out of order x") as caught:
        dumps(Broken(), "t")
    assert len(str(caught.value)) < 400
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


# -- __main__


def in_main(item: int) -> int:
    return item + 1


def test_a_main_without_a_file_goes_by_value(typed_main: Callable[[Any], Any]) -> None:
    """X2: workers can't import it; where they have it all the same, names will do."""
    needs_cloudpickle()
    function, kind = typed_main(in_main), typed_main(Broken)
    assert not names.main_can_be_imported()
    assert dumps(function, "t", has_main=True) == pickle.dumps(function, 5)
    assert there_and_back(function) is not function
    assert there_and_back(function)(1) == 2
    assert there_and_back(kind).__name__ == "Broken"
    both = pickle.loads(dumps([function, lambda: function], "t", has_main=True))
    assert both[0] is function


@pytest.mark.usefixtures("no_cloudpickle")
def test_a_main_without_a_file_needs_cloudpickle(typed_main: Callable[[Any], Any]) -> None:
    """X2: the error says that a worker can't import it."""
    for value in (typed_main(in_main), typed_main(Broken)):
        with pytest.raises(TypeError, match=r"__main__\.\w+ is of a module that the worker can't"):
            dumps(value, "t")
        assert pickle.loads(dumps(value, "t", has_main=True)) is value


def test_a_registered_module_goes_by_value() -> None:
    """X2: as cloudpickle was told, its functions and tasks take their code along."""
    needs_cloudpickle()
    import cloudpickle

    cloudpickle.register_pickle_by_value(sent)
    try:
        arrived = there_and_back([fetch.func, fetch])
    finally:
        cloudpickle.unregister_pickle_by_value(sent)
    assert arrived[0](1) == 2
    assert arrived[0] is not fetch.func
    assert arrived[1] is not fetch


def test_which_main_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """X2: a script, or a module that was run as one; nothing that was typed."""
    main = type(sys)("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert not names.main_can_be_imported()
    main.__file__ = "<stdin>"
    assert not names.main_can_be_imported()
    main.__file__ = __file__
    assert names.main_can_be_imported()
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert not names.main_can_be_imported()
    monkeypatch.delattr(sys, "ps1")
    main.__file__ = None
    main.__spec__ = names.__spec__  # as of `python -m`
    assert names.main_can_be_imported()
