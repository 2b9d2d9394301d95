"""What happens to a failed call: retry, hand to a handler, skip, split or fail?

`Policy.verdict` only decides; the engine (`_engine/calls/attempts.py`) acts on what it says.
"""

from __future__ import annotations

from typing import Literal

from ._dead_letters import DeadLetter
from ._errors.blame import blame_task
from ._record import Record
from .error_handling import ErrorAction, ErrorHandler, RetryConfig

__all__ = ["Policy", "Verdict"]

Verdict = Literal["retry", "handle", "skip", "split", "fail"]
"""What to do with a failed attempt."""


class Policy(Record):
    """The error options of one task, and the decision that follows from them."""

    task_name: str
    on_error: ErrorAction
    retry: RetryConfig
    handler: ErrorHandler | None = None
    splits: bool = False  # a batch task: skip_item looks for the failing items by halving
    dead_letter: DeadLetter | None = None
    max_failures: float | None = None

    def verdict(self, error: BaseException, attempt: int, size: int, delivered: bool) -> Verdict:
        """Decide on attempt number `attempt` (from 1) of a call with `size` items that failed.

        `delivered` says that a generator had already yielded: it is neither retried nor split,
        for its outputs would come twice. It raises what a function for `retry_on` raises.
        """
        if attempt < self.retry.max_attempts and not delivered and self.retry.accepts(error):
            return "retry"
        return self.final(size, delivered)

    def final(self, size: int, delivered: bool) -> Verdict:
        """Decide on a failed call that is not tried again."""
        if self.handler is not None:
            return "handle"
        if self.on_error == "fail":
            return "fail"
        if self.splits and self.on_error == "skip_item" and size > 1 and not delivered:
            return "split"
        return "skip"

    def blame(
        self, error: BaseException, inputs: str, attempt: int, why: str = ""
    ) -> BaseException:
        """Return the exception that the consumer gets, with a note of the task and its inputs."""
        if self.splits and inputs:
            inputs = f"batch of {inputs}"
        return blame_task(error, self.task_name, inputs, f"attempt {attempt}", why)
