"""The objects of a storage as they were at an earlier resourceVersion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from operator import attrgetter

from pilotfish.cluster.objects import Stored
from pilotfish.cluster.store.sorted_objects import SortedObjects
from pilotfish.cluster.store.watch_log import Change

_name = attrgetter("name")


class PastObjects:
    """The objects of one namespace as they were before some changes.

    Args:
        now: the objects as they are.
        before: those that changed, by name, as they were; None for what was not there.
    """

    def __init__(self, now: SortedObjects, before: Mapping[str, Stored | None]) -> None:
        self._now = now
        self._before = before
        self._added = [name for name, was in before.items() if was is None and name in now.by_name]
        self._gone = sorted(
            (was for name, was in before.items() if was is not None and name not in now.by_name),
            key=_name,
        )

    def after(self, start: str) -> Iterator[Stored]:
        """Iterate over the objects whose names are greater than this one, in order."""
        if not self._before:
            return self._now.after(start)
        gone = (item for item in self._gone if item.name > start)
        items = merge(self._now.after(start), gone, key=_name)
        past = (self._before.get(item.name, item) for item in items)
        return (item for item in past if item is not None)

    def count_after(self, start: str) -> int:
        """Count those objects."""
        gone = sum(item.name > start for item in self._gone)
        added = sum(name > start for name in self._added)
        return self._now.count_after(start) + gone - added


class Past:
    """The objects of a storage, or of one namespace of it, as they were before some changes."""

    def __init__(
        self, by_namespace: Mapping[str, SortedObjects], changes: Iterable[Change], namespace: str
    ) -> None:
        before: dict[str, dict[str, Stored | None]] = {}
        for change in changes:
            new = change.new
            before.setdefault(new.namespace, {}).setdefault(new.name, change.old)
        self._namespaces = [
            (name, PastObjects(by_namespace.get(name) or SortedObjects(), before.get(name, {})))
            for name in sorted({*by_namespace, *before}, key=key_of_namespace)
            if name == namespace or not namespace
        ]

    def after(self, namespace: str, name: str) -> Iterator[Stored]:
        """Iterate over the objects whose keys are greater than this one, in order."""
        for objects, start in self._following(namespace, name):
            yield from objects.after(start)

    def count_after(self, namespace: str, name: str) -> int:
        """Count those objects."""
        return sum(
            objects.count_after(start) for objects, start in self._following(namespace, name)
        )

    def _following(self, namespace: str, name: str) -> Iterator[tuple[PastObjects, str]]:
        here = key_of_namespace(namespace)
        for other, objects in self._namespaces:
            if other == namespace:
                yield objects, name
            elif key_of_namespace(other) > here:
                yield objects, ""


def key_of_namespace(namespace: str) -> str:
    """Return what sorts namespaces as the keys in them sort: "a-b/x" comes before "a/x"."""
    return f"{namespace}/"
