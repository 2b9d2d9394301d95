"""What can calls share? A rate, or a number of permits, over tasks, pipelines and runs.

>>> requests = RateLimit(10)  # at most 10 starts in any second
>>> tokens: RateLimit[str] = RateLimit(90_000, per=60, cost=len)
>>> connections = Limit(5)
>>> service = AdaptiveLimit(start=10, maximum=50, slow_down_on=TimeoutError)
"""

from __future__ import annotations

from ._limits.adaptive import AdaptiveLimit, SlowDownOn
from ._limits.concurrency import Limit
from ._limits.rate import RateLimit

__all__ = ["AdaptiveLimit", "Limit", "RateLimit", "SlowDownOn"]
