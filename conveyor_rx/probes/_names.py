"""What are things called in telemetry? Attributes, by OpenTelemetry's conventions for names."""

from __future__ import annotations

from typing import TypeAlias

from .._text.labels import label
from ..events import RunInfo

__all__ = [
    "ATTEMPT",
    "BATCH_SIZE",
    "CALL",
    "ERROR_TYPE",
    "INPUTS",
    "OUTCOME",
    "QUEUE_TIME",
    "REASON",
    "RETRIES",
    "RUN_ID",
    "STAGE_NAME",
    "WORKER",
    "Attributes",
    "error_type",
    "pipeline_attributes",
    "stage_attributes",
]

Attributes: TypeAlias = dict[str, str | int]

ATTEMPT = "conveyor_rx.attempt"
BATCH_SIZE = "conveyor_rx.batch.size"
CALL = "conveyor_rx.call.number"
ERROR_TYPE = "error.type"
INPUTS = "conveyor_rx.inputs"
OUTCOME = "conveyor_rx.outcome"
QUEUE_TIME = "conveyor_rx.call.queue_time"
REASON = "conveyor_rx.reason"
RETRIES = "conveyor_rx.call.retries"
RUN_ID = "conveyor_rx.run.id"
STAGE_NAME = "conveyor_rx.stage.name"
WORKER = "conveyor_rx.call.worker"

_WIDTH = 120  # of a name


def pipeline_attributes(run: RunInfo) -> Attributes:
    """Say which pipeline something is about."""
    return {"conveyor_rx.pipeline.name": label(run.name, _WIDTH)}


def stage_attributes(run: RunInfo) -> list[Attributes]:
    """Say of each stage, in the order of their ids, which it is; several may have one name."""
    return [
        {
            **pipeline_attributes(run),
            STAGE_NAME: label(stage.name, _WIDTH),
            "conveyor_rx.stage.id": stage.id,
        }
        for stage in run.stages
    ]


def error_type(error: BaseException) -> str:
    """Give the full name of an error's type, and nothing of what it says."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return label(f"{module}{kind.__qualname__}", _WIDTH)
