"""Storage of objects by storage name, namespace and name, with one sequence of resourceVersions.

The store knows nothing of what kinds mean. Every write takes the next resourceVersion, is appended
to the watch log of its storage and told to `on_change`. Lists are consistent and sorted as the keys
`namespace/name` are.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Final

import msgspec

from pilotfish.cluster.errors import (
    GroupResource,
    already_exists,
    conflict,
    expired,
    not_found,
    too_large_resource_version,
)
from pilotfish.cluster.objects import JsonObject, ObjectEncoder, Stored
from pilotfish.cluster.resources import TABLE, SelectableField
from pilotfish.cluster.store.pages import (
    LIST_TOO_OLD,
    NEWEST,
    Page,
    decode_token,
    first_token,
    page_too_old,
    take_page,
)
from pilotfish.cluster.store.past import Past, key_of_namespace
from pilotfish.cluster.store.sorted_objects import SortedObjects
from pilotfish.cluster.store.watch_log import Change, ChangeType, Cursor, WatchLog

WINDOW: Final = 10_000
FIRST_VERSION: Final = 1  # what etcd says before the first write


class Snapshot(msgspec.Struct, frozen=True):
    """The objects of a storage, or of one namespace of it, at one resourceVersion."""

    resource_version: int
    items: Sequence[Stored]


class Store:
    """Objects and their changes; nothing else.

    Args:
        window: how many changes of each storage are kept for watches.
        selectable: what field selectors may name, by storage.

    Attributes:
        resource_version: of the newest write.
        on_change: each is told of every write, in order. One that writes in its turn has its write
            told after the one that it was told of.
    """

    def __init__(
        self,
        *,
        window: int = WINDOW,
        selectable: Mapping[str, tuple[SelectableField, ...]] | None = None,
    ) -> None:
        self.resource_version = FIRST_VERSION
        self.on_change: list[Callable[[Change], None]] = []
        self._window = window
        self._selectable = TABLE.selectable_fields if selectable is None else selectable
        self._encoder = ObjectEncoder()
        self._objects: dict[str, dict[str, SortedObjects]] = {}
        self._logs: dict[str, WatchLog] = {}
        self._untold: deque[Change] = deque()

    def get(self, storage: str, namespace: str, name: str) -> Stored | None:
        """Return an object, or None."""
        found = self._objects.get(storage, {}).get(namespace)
        return found.by_name.get(name) if found else None

    def list(self, storage: str, namespace: str = "") -> Snapshot:
        """Return all objects of a storage, or of one namespace of it, by namespace and name."""
        by_namespace = self._objects.get(storage, {})
        names = (namespace,) if namespace else sorted(by_namespace, key=key_of_namespace)
        items = chain.from_iterable(by_namespace[n] for n in names if n in by_namespace)
        return Snapshot(self.resource_version, tuple(items))

    def page(
        self,
        storage: str,
        namespace: str = "",
        limit: int = 0,
        continue_token: str = "",
        matches: Callable[[Stored], bool] | None = None,
        *,
        at: int | None = None,
    ) -> Page:
        """Return a part of a list; all parts show the store at the first one's resourceVersion.

        Args:
            storage: where.
            namespace: which; empty for all.
            limit: how many objects at most; 0 for all.
            continue_token: of the page before; empty for the first.
            matches: which objects; None for all, which also counts those that remain.
            at: the resourceVersion that the first page shows; None for the newest.

        Raises:
            StatusError: Expired, Timeout (yet to come) or BadRequest (no such token).
        """
        token = decode_token(continue_token) if continue_token else first_token(at or NEWEST)
        if token.resource_version < 0:
            token = msgspec.structs.replace(token, resource_version=self.resource_version)
        if token.resource_version > self.resource_version:
            raise too_large_resource_version(token.resource_version, self.resource_version)
        log = self.log(storage)
        if token.resource_version < log.floor:
            raise page_too_old(token) if continue_token else expired(LIST_TOO_OLD)
        by_namespace = self._objects.get(storage, {})
        past = Past(by_namespace, log.since(token.resource_version), namespace)
        return take_page(past, token, namespace, limit, matches)

    def count(self, storage: str, namespace: str = "") -> int:
        """Count the objects of a storage, or of one namespace of it."""
        by_namespace = self._objects.get(storage, {})
        chosen = (
            by_namespace.values() if not namespace else filter(None, [by_namespace.get(namespace)])
        )
        return sum(len(found.by_name) for found in chosen)

    def put(self, storage: str, obj: JsonObject, *, expected_rv: int | None = None) -> Stored:
        """Write an object whose metadata has a name; writing what is there already changes nothing.

        Args:
            storage: where.
            obj: the object; its kind, apiVersion and resourceVersion are not looked at.
            expected_rv: the resourceVersion that must be there; 0 for none; None for any or none.

        Raises:
            StatusError: AlreadyExists, NotFound or Conflict: it is not as expected.
        """
        metadata = obj["metadata"]
        namespace, name = metadata.get("namespace") or "", metadata["name"]
        old = self.get(storage, namespace, name)
        if expected_rv is not None:
            _check(storage, name, old, expected_rv)
        version = self.resource_version + 1
        new = self._encoder.encode(obj, version, self._selectable.get(storage, ()), old)
        if old is None:
            self._objects.setdefault(storage, {}).setdefault(namespace, SortedObjects()).put(new)
            self._record(storage, "ADDED", new, None)
            return new
        if new.content() == old.content():
            return old
        self._objects[storage][namespace].put(new)
        self._record(storage, "MODIFIED", new, old)
        return new

    def remove(
        self, storage: str, namespace: str, name: str, *, expected_rv: int | None = None
    ) -> Stored:
        """Take an object out and return it as it was, at the removal's resourceVersion.

        Raises:
            StatusError: NotFound or Conflict.
        """
        old = self.get(storage, namespace, name)
        if old is None:
            raise not_found(group_resource(storage), name)
        if expected_rv is not None:
            _check(storage, name, old, expected_rv)
        by_namespace = self._objects[storage]
        found = by_namespace[namespace]
        found.remove(name)
        if not found.by_name:
            del by_namespace[namespace]
        gone = old.at(self.resource_version + 1)
        self._record(storage, "DELETED", gone, old)
        return gone

    def subscribe(self, storage: str, since: int) -> Cursor:
        """Return a reader of the changes of a storage after a resourceVersion.

        Raises:
            StatusError: Expired: some of them are forgotten.
        """
        return Cursor(self.log(storage), since)

    def log(self, storage: str) -> WatchLog:
        """Return the watch log of a storage."""
        if (log := self._logs.get(storage)) is None:
            # A storage without a log was never written to: nothing is missing since the start.
            log = self._logs[storage] = WatchLog(self._window, 0)
        return log

    def _record(self, storage: str, kind: ChangeType, new: Stored, old: Stored | None) -> None:
        self.resource_version = new.resource_version
        change = Change(new.resource_version, kind, storage, new, old)
        self.log(storage).append(change)
        self._untold.append(change)
        if len(self._untold) == 1:  # else a callback writes: its write is told below, in turn
            self._tell()

    def _tell(self) -> None:
        try:
            while self._untold:
                for callback in self.on_change:
                    callback(self._untold[0])
                self._untold.popleft()
        finally:
            self._untold.clear()


def group_resource(storage: str) -> GroupResource:
    """Return the resource that a storage is named after."""
    plural, _, group = storage.partition(".")
    return GroupResource(group, plural)


def _check(storage: str, name: str, old: Stored | None, expected_rv: int) -> None:
    resource = group_resource(storage)
    if old is None and expected_rv:
        raise not_found(resource, name)
    if old is not None and not expected_rv:
        raise already_exists(resource, name)
    if old is not None and old.resource_version != expected_rv:
        raise conflict(resource, name)
