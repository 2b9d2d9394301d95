"""What came out of OpenTelemetry's SDK, in memory; and stages to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from conveyor_rx import batch_task, single_task
from conveyor_rx.probes.opentelemetry import OpenTelemetryProbe

__all__ = ["Telemetry", "pairs", "picky", "slow"]


class Telemetry:
    """Providers of the SDK, and what came out of them."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self._exporter = InMemorySpanExporter()
        self.meters = MeterProvider([self._reader])
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.tracers.get_tracer("the user's")

    def probe(self, **options: Any) -> OpenTelemetryProbe:
        return OpenTelemetryProbe(
            meter_provider=self.meters, tracer_provider=self.tracers, **options
        )

    def points(self, name: str) -> Iterator[Any]:
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == f"conveyor_rx.{name}":
                        yield from metric.data.data_points

    def counts(self, name: str, *by: str) -> dict[Any, Any]:
        """Return a counter's values by stage, and by further attributes."""
        keys = ["conveyor_rx.stage.name", *by]
        return {
            tuple(str(point.attributes.get(key, "")) for key in keys)
            if by
            else point.attributes["conveyor_rx.stage.name"]: point.value
            for point in self.points(name)
        }

    def times(self, name: str) -> dict[Any, Any]:
        """Return a histogram's count and sum by stage."""
        key = "conveyor_rx.stage.name"
        return {p.attributes.get(key): (p.count, pytest.approx(p.sum)) for p in self.points(name)}

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def parents(self) -> dict[str, set[str | None]]:
        """Return the names of the spans, each with those of its parents."""
        names = {span.context.span_id: span.name for span in self.spans if span.context}
        parents: dict[str, set[str | None]] = {}
        for span in self.spans:
            parent = names[span.parent.span_id] if span.parent else None
            parents.setdefault(span.name, set()).add(parent)
        return parents

    def text(self) -> str:
        """Return all that was sent."""
        data = self._reader.get_metrics_data()
        return (data.to_json() if data else "") + "".join(span.to_json() for span in self.spans)


@single_task(concurrency_limit=2)
async def slow(n: int) -> int:
    await asyncio.sleep(n)
    return n


@single_task(on_error="skip_item", retry_attempts=3, retry_delay=1)
def picky(n: int) -> int | None:
    if n == 3:
        raise KeyError("hunter2")
    return None if n == 4 else n


@batch_task(2, 2)
async def pairs(batch: list[int]) -> list[int]:
    await asyncio.sleep(1)
    return batch
