"""Where does a stream have its fluent methods from? From Observable; _fluent.pyi has their types.

Each of them goes through `pipe`, and that of a stream gives a stream.
"""

from reactivex import Observable as Fluent

__all__ = ["Fluent"]
