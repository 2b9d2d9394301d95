"""Does it fit where frameworks want an iterator? S7 of the contract.

Flask and Django are the real ones, where they are installed. Of Beam and Spark the shape is tried:
a method that is a generator, and a function from an iterator to an iterator.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import pytest

from conveyor_rx import batch_task, iterate, single_task
from conveyor_rx.testing import exempt
from tests.synchronous.kit import Watched, in_threads, loop_threads, until

pytestmark = in_threads


@single_task(concurrency_limit=4)
async def line(number: int) -> str:
    await asyncio.sleep(0.001)
    return f"{number}\n"


async def endless() -> AsyncIterator[int]:
    number = 0
    while True:
        yield number
        number += 1


# -- Flask


def flask_app() -> Any:
    flask = pytest.importorskip("flask", reason="Flask is not installed")
    app = flask.Flask(__name__)

    @app.get("/lines")
    def lines() -> Any:
        return iterate(line(range(int(flask.request.args["count"]))))

    @single_task
    async def greet(number: int) -> str:
        return f"{flask.request.args['name']} {number}\n"

    @app.get("/greetings")
    def greetings() -> Any:
        return flask.Response(iterate(greet(range(3))), mimetype="text/plain")

    return app


def test_flask_streams_a_response() -> None:
    """S7: what `iterate` gives is a response, sent as it comes."""
    with flask_app().test_client() as client:
        response = client.get("/lines?count=50")
        assert response.text == "".join(f"{n}\n" for n in range(50))
        response.close()
    assert not loop_threads()


def test_tasks_see_the_request_of_flask() -> None:
    """S7: its context variables are those of the view that has called `iterate`."""
    with flask_app().test_client() as client:
        assert client.get("/greetings?name=ann").text == "ann 0\nann 1\nann 2\n"


def test_a_client_of_flask_goes_away() -> None:
    """S7, L2: the server closes the response, and with it the run; every call has ended."""
    flask = pytest.importorskip("flask", reason="Flask is not installed")
    watched = Watched()
    app = flask.Flask(__name__)

    @app.get("/")
    def numbers() -> Any:
        return flask.Response(iterate((watched.stage | single_task(str))(watched.source())))

    with app.test_client() as client:
        response = client.get("/", buffered=False)
        chunks = response.iter_encoded()
        assert [next(chunks), next(chunks)] == [b"0", b"1"]
        response.close()
        assert watched.is_over()
        assert not loop_threads()


# -- Django


@pytest.fixture
def django_client() -> Callable[..., Any]:
    """Give what answers a request with a view, as Django's own test client does."""
    django = pytest.importorskip("django", reason="Django is not installed")
    from django.conf import settings
    from django.test import Client
    from django.urls import path

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=(),
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        )
        django.setup()

    def get(view: Callable[[Any], Any]) -> Any:
        from django.test import override_settings

        with override_settings(ROOT_URLCONF=(path("", view),)):
            return Client().get("/")

    return get


def test_django_streams_a_response(django_client: Callable[..., Any]) -> None:
    """S7: in a plain view, a StreamingHttpResponse takes what `iterate` gives."""
    from django.http import StreamingHttpResponse

    response = django_client(lambda _: StreamingHttpResponse(iterate(line(range(50)))))
    assert response.getvalue().decode() == "".join(f"{n}\n" for n in range(50))
    response.close()
    assert not loop_threads()


def test_a_client_of_django_goes_away(django_client: Callable[..., Any]) -> None:
    """S7, L2: the server closes the response, and with it the run; every call has ended."""
    from django.http import StreamingHttpResponse

    watched = Watched()
    stage = watched.stage | single_task(lambda number: f"{number}\n")
    response = django_client(lambda _: StreamingHttpResponse(iterate(stage(watched.source()))))
    chunks = iter(response.streaming_content)
    assert [next(chunks), next(chunks)] == [b"0\n", b"1\n"]
    response.close()
    assert watched.is_over()
    assert not loop_threads()


def test_the_database_of_django_from_calls(django_client: Callable[..., Any]) -> None:
    """S7: refused on the loop, as Django does anywhere; `sync_to_async` is its way."""
    from asgiref.sync import SyncToAsync, sync_to_async
    from django.core.exceptions import SynchronousOnlyOperation
    from django.db import connection
    from django.http import StreamingHttpResponse

    def add(number: int) -> str:
        with connection.cursor() as cursor:
            cursor.execute("select %s + 1", [number])
            found = f"{cursor.fetchone()[0]}\n"
        connection.close()
        return found

    @single_task(concurrency_limit=2)
    async def in_thread(number: int) -> str:
        return await sync_to_async(add)(number)

    exempt(SyncToAsync.single_thread_executor)  # it lives as long as the process
    response = django_client(lambda _: StreamingHttpResponse(iterate(in_thread(range(3)))))
    assert response.getvalue() == b"1\n2\n3\n"
    with pytest.raises(SynchronousOnlyOperation):
        next(iterate(single_task(add)([1])))


# -- Beam and Spark


class EnrichFn:
    """As a `beam.DoFn`: `process` gets one element, and its results are iterated."""

    def setup(self) -> None:
        self.pipeline = line | batch_task(max_size=2)("".join)

    def process(self, element: Iterable[int]) -> Iterator[str]:
        yield from iterate(self.pipeline(element))


def test_the_shape_of_a_do_fn() -> None:
    """S7: a generator that a runner iterates, or leaves."""
    fn = EnrichFn()
    fn.setup()
    bundle = [[1, 2, 3], [], [4]]
    got = [result for element in bundle for result in fn.process(element)]
    assert got == ["1\n2\n", "3\n", "4\n"]
    left = fn.process(endless())  # type: ignore[arg-type]
    assert next(left) == "0\n1\n"
    left.close()
    until(lambda: not loop_threads())


def map_partitions(
    function: Callable[[Iterator[Any]], Iterator[Any]], partitions: list[list[Any]]
) -> list[Any]:
    """Do as `RDD.mapPartitions(function).collect()` does, in one process."""
    return [result for partition in partitions for result in function(iter(partition))]


def test_the_shape_of_map_partitions() -> None:
    """S7: from the iterator of a partition to one of results."""

    def enrich(rows: Iterator[int]) -> Iterator[str]:
        return iterate(line(rows))

    partitions = [list(range(n, n + 20)) for n in (0, 20, 40)]
    assert map_partitions(enrich, partitions) == [f"{n}\n" for n in range(60)]
    assert not loop_threads()
