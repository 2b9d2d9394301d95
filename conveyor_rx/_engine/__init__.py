"""How does a run work? From the source's items to its outlet, as operators of Rx that share turns.

`docs/engine.md` follows an item through the files, and says what each of them is about. Nothing
here knows a task or a pipeline.
"""
