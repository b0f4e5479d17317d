"""Interned values over nodes: strings never enter NumPy.

Theory of operation: a cluster has thousands of nodes and few distinct taints, label values, ports
or images. Each distinct value gets a small id; the column holds ids, int32[K, N], padded with -1. A
plugin decides once per distinct value, in plain Python, and one look-up spreads the answer over the
nodes. Equal questions are answered once until a row changes, since most pods ask what the pod
before asked. Values that no row uses any more keep their id until they outnumber the used ones;
then the ids are dealt anew, so churn cannot fill the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pilotfish.framework.arrays import Ids, Mask, Scores, any_per_node, count_per_node
from pilotfish.framework.invariants import require
from pilotfish.framework.rows import Rows

T = TypeVar("T", bound=Hashable)

SPARE_VALUES = 64  # unused values that are worth keeping before ids are dealt anew
SPARE_HEIGHT = 2  # a column that grows gets this much more room than it needs now
MAX_ANSWERS: Final = 64  # remembered, of at most 8 bytes a node each


class IdColumn(Generic[T]):
    """Some values of type T for each row.

    Attributes:
        values: the distinct values; an id is an index into it. Values that no row has any more may
            be among them.
        generation: changes whenever the meaning of an id or the entries of a row may have changed;
            a row without values may come without it.
    """

    def __init__(self, rows: Rows) -> None:
        self.values: list[T] = []
        self.generation = 0
        self._index: dict[T, int] = {}
        self._uses: list[int] = []
        self._unused = 0
        self._is_shared = False
        self._rows = rows
        self._column = rows.column(np.int32, fill=-1, height=0)
        self._answers: dict[Hashable, NDArray[Any]] = {}
        self._answers_are_of = (0, 0)

    @property
    def ids(self) -> Ids:
        """int32[K, N]: indexes into `values`, -1 where a row has fewer than K."""
        return self._column.view

    @property
    def flat_ids(self) -> Ids:
        """int32[N]: the id of the only value of each row, for columns with at most one."""
        ids = self.ids
        return ids[0] if len(ids) else np.full(ids.shape[1], -1, dtype=np.int32)

    def sums(self, amounts: NDArray[Any]) -> Scores:
        """Sum amounts, int[N], by value, for columns with at most one value a row.

        Returns:
            int64[D + 1], to be indexed by ids; the last entry, for -1, is 0.
        """
        count = len(self.values)
        by_value = np.bincount(self._places(), amounts, minlength=count + 1).astype(np.int64)
        by_value[count] = 0
        return by_value

    def id_of(self, value: T) -> int:
        """Return the id of a value, or -2 when no row has had it, which no entry equals."""
        return self._index.get(value, -2)

    def uses_of(self, value: T) -> int:
        """Count the entries that hold a value."""
        known = self._index.get(value)
        return 0 if known is None else self._uses[known]

    def mask_of(self, value: T) -> Mask:
        """bool[N], read-only: the rows that have a value."""
        return self._answer(("value", value), lambda: any_per_node(self.ids == self.id_of(value)))

    def has_any(self) -> Mask:
        """bool[N], read-only: the rows that have a value at all."""
        return self._answer("any", lambda: any_per_node(self.ids >= 0))

    def any_of(self, chosen: NDArray[np.bool_]) -> Mask:
        """bool[N], read-only: the rows with one of the chosen values, bool[D + 1]."""
        return self._answer(("any of", chosen.tobytes()), lambda: any_per_node(chosen[self.ids]))

    def count_of(self, chosen: NDArray[np.bool_]) -> Scores:
        """int64[N], read-only: how many of the chosen values, bool[D + 1], each row has."""
        return self._answer(
            ("count of", chosen.tobytes()), lambda: count_per_node(chosen[self.ids])
        )

    def found_in(self, rows: Mask) -> NDArray[np.bool_]:
        """bool[D + 1], read-only: the values in these rows, bool[N], for flat columns."""
        return self._answer(("found in", rows.tobytes()), lambda: self._found_in(rows))

    def of(self, row: int) -> list[T]:
        """Return the values of a row, in the order in which they were set."""
        values = self.values
        return [values[i] for i in self._column.buffer[:, row].tolist() if i >= 0]

    def set(self, row: int, values: Sequence[T]) -> bool:
        """Give a row these values instead of those that it has; say whether that is a change."""
        if self.of(row) == list(values):
            return False
        self.clear(row)
        if len(values) > len(self._column.buffer):
            self._column.raise_height(len(values) + SPARE_HEIGHT if len(values) > 1 else 1)
        for place, value in enumerate(values):
            self._column.buffer[place, row] = self._acquire(value)
        return True

    def add(self, row: int, value: T) -> None:
        """Give a row one more value; the same value may be there several times."""
        free = np.flatnonzero(self._column.buffer[:, row] < 0)
        place = int(free[0]) if free.size else len(self._column.buffer)
        if not free.size:
            self._column.raise_height(place + SPARE_HEIGHT if place else 1)
        self._column.buffer[place, row] = self._acquire(value)

    def discard(self, row: int, value: T) -> None:
        """Take one such value from a row that has it."""
        known = self._index[value]
        place = np.flatnonzero(self._column.buffer[:, row] == known)[0]
        self._column.buffer[place, row] = -1
        self._release([known])

    def clear(self, row: int) -> None:
        """Take all values from a row."""
        entries = self._column.buffer[:, row]
        used = entries[entries >= 0].tolist()
        entries[:] = -1  # before the release, which may deal the ids anew
        self._release(used)

    def subset(self, rows: Rows, chosen: Sequence[int]) -> IdColumn[T]:
        """Copy some rows into a column over `rows`, in which ids keep their meaning.

        The values are shared until the copy is written to.
        """
        copy: IdColumn[T] = IdColumn(rows)
        copy.values, copy._index, copy._uses = self.values, self._index, self._uses
        copy._unused = self._unused
        copy._is_shared = True
        copy._column = self._column.subset(rows, chosen)
        return copy

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless the counts of uses are right."""
        ids = self._column.buffer
        spare = ids[:, self._rows.count :]
        require((spare == -1).all(), "rows that do not exist have no values")
        uses = np.bincount(ids[ids >= 0], minlength=len(self.values)).tolist()
        require(self._uses == uses, "every value is counted as often as it is used")
        require(self._unused == uses.count(0), "unused values are counted")
        index = {value: i for i, value in enumerate(self.values)}
        require(self._index == index, "every value has one id")

    def _places(self) -> NDArray[np.intp]:
        """int[N]: where each row's value is in an array by value, bool or int64[D + 1]."""
        count = len(self.values)
        return self._answer(
            "places", lambda: np.where(self.flat_ids < 0, count, self.flat_ids).astype(np.intp)
        )

    def _found_in(self, rows: Mask) -> NDArray[np.bool_]:
        found = np.zeros(len(self.values) + 1, dtype=np.bool_)
        found[self._places()[rows]] = True
        found[-1] = False
        return found

    def _answer(self, question: Hashable, find: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Remember an answer until a row changes."""
        now = (self.generation, self._rows.count)
        if self._answers_are_of != now or len(self._answers) > MAX_ANSWERS:
            self._answers_are_of = now
            self._answers.clear()
        answer = self._answers.get(question)
        if answer is None:
            answer = self._answers[question] = find()
            answer.flags.writeable = False
        return answer

    def _acquire(self, value: T) -> int:
        self._own()
        self.generation += 1
        known = self._index.get(value)
        if known is None:
            known = self._index[value] = len(self.values)
            self.values.append(value)
            self._uses.append(1)
            return known
        self._unused -= self._uses[known] == 0
        self._uses[known] += 1
        return known

    def _release(self, ids: list[int]) -> None:
        self._own()
        self.generation += 1
        for used in ids:
            self._uses[used] -= 1
            self._unused += self._uses[used] == 0
        if self._unused > SPARE_VALUES and self._unused * 2 > len(self.values):
            self._deal_anew()

    def _own(self) -> None:
        if self._is_shared:
            self.values, self._index, self._uses = [*self.values], {**self._index}, [*self._uses]
            self._is_shared = False

    def _deal_anew(self) -> None:
        kept = [i for i, uses in enumerate(self._uses) if uses]
        renamed = np.full(len(self.values) + 1, -1, dtype=np.int32)  # the last one stands for -1
        renamed[kept] = np.arange(len(kept), dtype=np.int32)
        self._column.buffer[...] = renamed[self._column.buffer]
        self.values = [self.values[i] for i in kept]
        self._uses = [self._uses[i] for i in kept]
        self._index = {value: i for i, value in enumerate(self.values)}
        self._unused = 0
