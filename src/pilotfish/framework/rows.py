"""Growing columns over rows that can be removed in one step.

Theory of operation: every column has one entry a row, the row being the last axis. `Rows` owns the
number of rows and all columns, so that adding a row grows them together and removing one moves the
last row into the gap, in each.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

INITIAL_CAPACITY = 16


class Column:
    """One array over the rows, kept inside a larger buffer.

    Attributes:
        buffer: the array with spare room at the end of its last axis: [capacity] for a flat
            column, [height, capacity] for one with several entries a row.
        fill: what an entry is before it is set.
    """

    __slots__ = ("__weakref__", "_rows", "buffer", "fill")

    def __init__(self, rows: Rows, dtype: Any, fill: int, height: int | None) -> None:
        shape = (rows.capacity,) if height is None else (height, rows.capacity)
        self.buffer: NDArray[Any] = np.full(shape, fill, dtype=dtype)
        self.fill = fill
        self._rows = rows

    @property
    def view(self) -> NDArray[Any]:
        """The entries of the rows that exist, [N] or [height, N], to be read only."""
        view = self.buffer[..., : self._rows.count]
        view.setflags(write=False)
        return view

    def raise_height(self, height: int) -> None:
        """Make room for more entries a row; new ones hold the fill value."""
        old = self.buffer
        if height > len(old):
            self.buffer = np.full((height, old.shape[1]), self.fill, dtype=old.dtype)
            self.buffer[: len(old)] = old

    def widen(self, capacity: int) -> None:
        """Make room for more rows."""
        old = self.buffer
        self.buffer = np.full((*old.shape[:-1], capacity), self.fill, dtype=old.dtype)
        self.buffer[..., : old.shape[-1]] = old

    def minus(self, amounts: NDArray[Any]) -> Column:
        """Return a column over the same rows with less in it: int, [N] or [height, N]."""
        copy = self._rows.column(
            self.buffer.dtype, height=None if self.buffer.ndim == 1 else len(self.buffer)
        )
        copy.buffer[...] = self.buffer
        copy.buffer[..., : self._rows.count] -= amounts
        return copy

    def subset(self, rows: Rows, chosen: Sequence[int]) -> Column:
        """Copy the entries of some rows into a column over `rows`."""
        height = None if self.buffer.ndim == 1 else len(self.buffer)
        copy = rows.column(self.buffer.dtype, fill=self.fill, height=height)
        copy.buffer[..., : len(chosen)] = self.buffer[..., chosen]
        return copy


class Rows:
    """How many rows there are, and the columns over them."""

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.capacity = max(INITIAL_CAPACITY, count)
        self._columns: weakref.WeakSet[Column] = weakref.WeakSet()

    def column(self, dtype: Any, *, fill: int = 0, height: int | None = None) -> Column:
        """Add a column; it lives as long as somebody else holds it.

        Args:
            dtype: NumPy type of an entry.
            fill: what new entries hold.
            height: entries a row; None makes a flat column.
        """
        made = Column(self, dtype, fill, height)
        self._columns.add(made)
        return made

    def append(self) -> int:
        """Add a row, filled with each column's fill value, and return its number."""
        if self.count == self.capacity:
            self.capacity *= 2
            for column in self._columns:
                column.widen(self.capacity)
        self.count += 1
        return self.count - 1

    def remove(self, row: int) -> int:
        """Remove a row in one step and return the number of the row that moved into the gap.

        That is the last row; when the last row itself is removed, nothing moves.
        """
        last = self.count - 1
        for column in self._columns:
            column.buffer[..., row] = column.buffer[..., last]
            column.buffer[..., last] = column.fill
        self.count = last
        return last
