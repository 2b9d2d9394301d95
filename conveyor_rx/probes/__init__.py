"""Ready-made probes: attach one by `with observe(probe):` and each run in the block is watched.

    LoggingProbe                        a line at DEBUG for each event
    progress                            a live view in terminal or notebook; needs the extra `rich`
    opentelemetry.OpenTelemetryProbe    metrics, and spans by choice; needs the extra `otel`

None of them shows the contents of items, or keeps them alive. Each may watch several runs at once.
How they are made:

    _logging.py     event -> a line of a log
    _counting.py    events -> how far each pipeline is, in the numbers of _counts.py
    _table.py       that as a table, _one_line.py as a line, with words of _format.py
    _screens.py     where it is drawn: terminal, notebook, nowhere
    _view.py        when it is drawn
    _metrics.py     events -> counters and histograms
    _spans.py       events -> spans; _names.py has the names of attributes
"""

from typing import TYPE_CHECKING

from ._logging import LoggingProbe

if TYPE_CHECKING:  # at run time it is the module, which can be called, and imports `rich`
    from .progress import progress as progress

__all__ = ["LoggingProbe"]
