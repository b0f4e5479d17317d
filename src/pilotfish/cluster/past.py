"""The objects of a storage as they were at an earlier resourceVersion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from operator import attrgetter

from pilotfish.cluster.objects import Stored
from pilotfish.cluster.shelf import Shelf
from pilotfish.cluster.watch_log import Change

_name = attrgetter("name")


class PastShelf:
    """The objects of one namespace as they were before some changes.

    Args:
        shelf: the objects as they are.
        before: those that changed, by name, as they were; None for what was not there.
    """

    def __init__(self, shelf: Shelf, before: Mapping[str, Stored | None]) -> None:
        self._shelf = shelf
        self._before = before
        self._added = [
            name for name, was in before.items() if was is None and name in shelf.objects
        ]
        self._gone = sorted(
            (was for name, was in before.items() if was is not None and name not in shelf.objects),
            key=_name,
        )

    def after(self, start: str) -> Iterator[Stored]:
        """Iterate over the objects whose names are greater than this one, in order."""
        if not self._before:
            return self._shelf.after(start)
        gone = (item for item in self._gone if item.name > start)
        items = merge(self._shelf.after(start), gone, key=_name)
        past = (self._before.get(item.name, item) for item in items)
        return (item for item in past if item is not None)

    def count_after(self, start: str) -> int:
        """Count those objects."""
        gone = sum(item.name > start for item in self._gone)
        added = sum(name > start for name in self._added)
        return self._shelf.count_after(start) + gone - added


class Past:
    """The objects of a storage, or of one namespace of it, as they were before some changes."""

    def __init__(
        self, shelves: Mapping[str, Shelf], changes: Iterable[Change], namespace: str
    ) -> None:
        before: dict[str, dict[str, Stored | None]] = {}
        for change in changes:
            new = change.new
            before.setdefault(new.namespace, {}).setdefault(new.name, change.old)
        self._shelves = [
            (name, PastShelf(shelves.get(name) or Shelf(), before.get(name, {})))
            for name in sorted({*shelves, *before}, key=key_of_namespace)
            if name == namespace or not namespace
        ]

    def after(self, namespace: str, name: str) -> Iterator[Stored]:
        """Iterate over the objects whose keys are greater than this one, in order."""
        for shelf, start in self._following(namespace, name):
            yield from shelf.after(start)

    def count_after(self, namespace: str, name: str) -> int:
        """Count those objects."""
        return sum(shelf.count_after(start) for shelf, start in self._following(namespace, name))

    def _following(self, namespace: str, name: str) -> Iterator[tuple[PastShelf, str]]:
        here = key_of_namespace(namespace)
        for other, shelf in self._shelves:
            if other == namespace:
                yield shelf, name
            elif key_of_namespace(other) > here:
                yield shelf, ""


def key_of_namespace(namespace: str) -> str:
    """Return what sorts namespaces as the keys in them sort: "a-b/x" comes before "a/x"."""
    return f"{namespace}/"
