"""How does a run tell its probes what happens? It is the same run, with an event at each step.

An operator that has something to tell holds a reporter, which is None in a run without a probe. A
reporter tells, and decides nothing: an observed run goes the way that it goes without a probe.

trace.py       which value is it, and where does it come from
tracer.py      the numbers of one run's values, and its probes
reporter.py    what happens to the calls and batches of one stage
segment.py     when the stages of a segment have given their last results
deliveries.py  which results the consumer has got

None of them knows an operator. What passes between two operators is told by `taps.py`, and
`observed_run.py` puts all in their places.
"""
