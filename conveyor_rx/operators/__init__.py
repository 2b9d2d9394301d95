"""Operators of our own, `Observable -> Observable`: places, calls, batches. They know no task.

_trampoline.py     whose turn is it
_run.py            what one run shares: turns, tasks, the cap on parallel calls
_subscriber.py     how operators are chained: subscribed in a loop, cut from below
_line.py           places in a line: order, window, gate
_as_completed.py   the line without the order
_admission.py      which call may begin: slots, and who waits for one
_task_calls.py     which task makes which call
_late_calls.py     the same on Python 3.11, where no task begins at once
_flat_map.py       calls at once
_stepwise_calls.py the tasks of calls that take several steps
_attempts.py       the steps: retries, handlers, halving, generators
_caller.py         the operator whose calls these are, as the steps see it
_notices.py        what the log says of a stage, once in a run
_trigger.py        when a batch is cut, and why
_batches.py        batches: the items that are open
_pull.py           an async iterable, pulled at the pace of a gate
_process.py        a stage written as `process(items)`
_arrivals.py       what foreign code emits, brought into the turns
_chain.py          all of them, linked up segment by segment
_sketch.py         what the stages of a chain are, without a run
observing/         what happens here, told to probes
_taps.py           what passes between two operators, told to probes
_watcher.py        whom a chain asks for taps and reporters
_observed_run.py   those of a run that is observed
"""
