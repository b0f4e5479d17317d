"""The labels of the nodes, and a column of values for each label that a plugin asks about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilotfish.framework.id_column import IdColumn
from pilotfish.framework.invariants import require
from pilotfish.framework.rows import Rows


class LabelColumns:
    """Labels by row, and columns of single labels, made at first use, then kept.

    Attributes:
        by_row: the labels of each row.
    """

    def __init__(self, rows: Rows) -> None:
        self.by_row: list[dict[str, str]] = []
        self._rows = rows
        self._columns: dict[str, IdColumn[str]] = {}
        self._made_of: tuple[LabelColumns, Sequence[int]] | None = None

    def column(self, key: str) -> IdColumn[str]:
        """Return the values of one label, at most one a row."""
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = self._make(key)
        return column

    def columns(self) -> Iterable[IdColumn[str]]:
        """List the columns that were made."""
        return self._columns.values()

    def append(self) -> None:
        """Add the labels of a new row: none yet."""
        self.by_row.append({})

    def set(self, row: int, labels: dict[str, str]) -> bool:
        """Give a row these labels; say whether that is a change."""
        if self.by_row[row] == labels:
            return False
        self.by_row[row] = labels
        for key, column in self._columns.items():
            column.set(row, (labels[key],) if key in labels else ())
        return True

    def remove(self, row: int) -> None:
        """Remove a row: the last one moves into the gap, as `Rows` has it."""
        last = self.by_row.pop()
        if row < len(self.by_row):
            self.by_row[row] = last

    def subset(self, rows: Rows, chosen: Sequence[int]) -> LabelColumns:
        """Copy some rows over `rows`; ids keep their meaning. Good until this one changes."""
        copy = LabelColumns(rows)
        copy.by_row = [self.by_row[row] for row in chosen]
        copy._made_of = (self, chosen)
        return copy

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless the columns have what the labels say."""
        for key, column in self._columns.items():
            for row, labels in enumerate(self.by_row):
                value = [labels[key]] if key in labels else []
                require(column.of(row) == value, f"column {key} has the labels")

    def _make(self, key: str) -> IdColumn[str]:
        if self._made_of is not None:
            whole, chosen = self._made_of
            return whole.column(key).subset(self._rows, chosen)
        column: IdColumn[str] = IdColumn(self._rows)
        for row, labels in enumerate(self.by_row):
            if key in labels:
                column.add(row, labels[key])
        return column
