"""The tests on CPython 3.14 where no such Python is installed: in Node, by `pyodide` of npm.

    python -m tests.pyodide [options of pytest]

`__main__` installs what it takes into a folder and starts Node, `run.mjs` starts Python there, and
`inside` is what that Python runs.
"""
