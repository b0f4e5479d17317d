"""The objects of one namespace of one storage, by name and in the order of names."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from pilotfish.cluster.objects import Stored

_CHUNK: Final = 512  # objects; a chunk of twice as many is split: moving them costs a microsecond


class SortedObjects:
    """Objects in chunks in the order of their names, so that neither writes nor lists sort.

    Attributes:
        by_name: the same objects by name; for reading.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, Stored] = {}
        self._names: list[list[str]] = []
        self._items: list[list[Stored]] = []
        self._bounds: list[str] = []  # no name in a chunk is greater, all in the next are

    def __iter__(self) -> Iterator[Stored]:
        return chain.from_iterable(self._items)

    def put(self, item: Stored) -> None:
        """Add an object, or replace the one of its name."""
        name = item.name
        known = name in self.by_name
        self.by_name[name] = item
        if not self._bounds:
            self._names, self._items, self._bounds = [[name]], [[item]], [name]
            return
        chunk = min(bisect_left(self._bounds, name), len(self._bounds) - 1)
        names, items = self._names[chunk], self._items[chunk]
        place = bisect_left(names, name)
        if known:
            items[place] = item
            return
        names.insert(place, name)
        items.insert(place, item)
        self._bounds[chunk] = max(self._bounds[chunk], name)
        if len(names) > 2 * _CHUNK:
            self._split(chunk)

    def remove(self, name: str) -> None:
        """Take out an object that is there."""
        del self.by_name[name]
        chunk = bisect_left(self._bounds, name)
        names, items = self._names[chunk], self._items[chunk]
        place = bisect_left(names, name)
        del names[place], items[place]
        if not names:
            del self._names[chunk], self._items[chunk], self._bounds[chunk]

    def after(self, name: str) -> Iterator[Stored]:
        """Iterate over the objects whose names are greater than this one."""
        chunk = bisect_right(self._bounds, name)
        if chunk == len(self._bounds):
            return iter(())
        here = islice(self._items[chunk], bisect_right(self._names[chunk], name), None)
        return chain(here, chain.from_iterable(islice(self._items, chunk + 1, None)))

    def count_after(self, name: str) -> int:
        """Count those objects."""
        chunk = bisect_right(self._bounds, name)
        if chunk == len(self._bounds):
            return 0
        here = len(self._names[chunk]) - bisect_right(self._names[chunk], name)
        return here + sum(map(len, islice(self._names, chunk + 1, None)))

    def _split(self, chunk: int) -> None:
        names, items = self._names[chunk], self._items[chunk]
        self._names[chunk : chunk + 1] = [names[:_CHUNK], names[_CHUNK:]]
        self._items[chunk : chunk + 1] = [items[:_CHUNK], items[_CHUNK:]]
        self._bounds.insert(chunk, names[_CHUNK - 1])
