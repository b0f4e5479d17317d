"""The shape of a table: columns and how a kind fills them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

Cells = list[Any]
Object = Mapping[str, Any]
NONE: Final = "<none>"
UNSET: Final = "<unset>"


class Column(msgspec.Struct, frozen=True):
    """One column; those of priority 1 are shown with `-o wide` only."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


class Table(msgspec.Struct, frozen=True):
    """How objects of one kind become rows.

    Attributes:
        columns: all of them.
        cells: the cells of an object at a time, one a column.
        conditions: what a row says of its object besides.
    """

    columns: tuple[Column, ...]
    cells: Callable[[Object, float], Cells]
    conditions: Callable[[Object], Sequence[Object]] | None = None


NAME: Final = Column("Name", format="name")
AGE: Final = Column("Age")


def texts(*names: str) -> tuple[Column, ...]:
    """Make columns of text."""
    return tuple(Column(name) for name in names)


def integers(*names: str) -> tuple[Column, ...]:
    """Make columns of whole numbers."""
    return tuple(Column(name, "integer") for name in names)


def wide(*names: str) -> tuple[Column, ...]:
    """Make columns of text that `-o wide` shows."""
    return tuple(Column(name, priority=1) for name in names)
