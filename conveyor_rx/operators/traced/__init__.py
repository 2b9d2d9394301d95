"""How do the operators of a run tell what happens? As the plain ones, with an event at each step.

A run without a probe has none of these in its chain, and pays nothing for them.

_taps.py       between operators: what is pulled, waits, forms a batch, is emitted
_line.py       places that know which value stands there
_flat_map.py   calls with a number
_process.py    what a stage of one's own gets and gives
_chain.py      the chain that is built of them
"""
