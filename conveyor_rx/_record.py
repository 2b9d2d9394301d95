"""What is a record? Values by name, each of which may have a default; nothing about it changes.

Type checkers take it for a frozen dataclass. One of these takes a millisecond to make, when its
module is imported, as it writes its methods and compiles them.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform

__all__ = ["Record"]


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False)
class Record:
    """A record has the values that its class annotates, and those of the bases of that."""

    _types: ClassVar[dict[str, str]] = {}  # what is annotated, as it is written
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = cls.__annotations__
        given = {name: value for name, value in vars(cls).items() if name in own}
        cls._types, cls._defaults = {**cls._types, **own}, {**cls._defaults, **given}

    def __init__(self, **values: Any) -> None:
        vars(self).update(self._defaults, **values)
        self._check()

    @classmethod
    def fields(cls) -> dict[str, tuple[str, Any]]:
        """Return the names of the values, with their annotations and their defaults."""
        return {name: (kind, cls._defaults.get(name)) for name, kind in cls._types.items()}

    def _check(self) -> None:
        """Raise if a value is not what it should be."""

    def replace(self, **values: Any) -> Self:
        """Return a record with these values in place of others."""
        return type(self)(**{**vars(self), **values})
