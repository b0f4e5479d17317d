"""What changed in one storage, in order, as far back as a bounded window reaches.

A cursor holds a position in the log and nothing else, so that a reader that stops reading costs
nothing and harms nobody: once the window has passed it, it is expired.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/storage/cacher/watch_cache.go for what an
expired reader is told.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import Final, Literal

import msgspec

from pilotfish.cluster.errors import StatusError, expired
from pilotfish.cluster.objects import Stored

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]

WINDOW_BYTES: Final = 128 * 2**20  # few storages change so much; those that do have large objects

_version = attrgetter("resource_version")


class Change(msgspec.Struct, frozen=True, gc=False):
    """One write.

    Attributes:
        new: the object as written; of a deletion, as it was, at the deletion's resourceVersion.
        old: the object before; None for an addition.
    """

    resource_version: int
    type: ChangeType
    storage: str
    new: Stored
    old: Stored | None


class WatchLog:
    """The changes of one storage.

    Args:
        window: how many changes are kept at least, unless they are large.
        floor: the resourceVersion after which it begins.
        window_bytes: how much the objects of all changes may take.

    Attributes:
        floor: the resourceVersion after which nothing is missing.
    """

    def __init__(self, window: int, floor: int, window_bytes: int = WINDOW_BYTES) -> None:
        self.floor = floor
        self._window = window
        self._window_bytes = window_bytes
        self._bytes = 0
        self._changes: list[Change] = []
        self._dropped = 0

    @property
    def end(self) -> int:
        """The position after the newest change."""
        return self._dropped + len(self._changes)

    def append(self, change: Change) -> None:
        """Add the newest change; the oldest go, some at a time, once a window is exceeded."""
        self._changes.append(change)
        self._bytes += len(change.new.body)
        if len(self._changes) > self._window + self._window // 4:
            self.drop(len(self._changes) - self._window)
        if self._bytes > self._window_bytes:
            self.drop(len(self._changes) // 2)

    def drop(self, count: int) -> None:
        """Forget the oldest changes."""
        if gone := self._changes[:count]:
            self.floor = gone[-1].resource_version
            self._dropped += len(gone)
            self._bytes -= sum(len(change.new.body) for change in gone)
            del self._changes[:count]

    def since(self, resource_version: int) -> list[Change]:
        """Return all changes after a resourceVersion.

        Raises:
            StatusError: Expired: some of them are forgotten.
        """
        return self.read(self.position(resource_version))

    def position(self, resource_version: int) -> int:
        """Return the position of the first change after a resourceVersion.

        Raises:
            StatusError: Expired: it may be forgotten.
        """
        if resource_version < self.floor:
            raise too_old(resource_version, self.floor)
        return self._dropped + bisect_right(self._changes, resource_version, key=_version)

    def read(self, position: int) -> list[Change]:
        """Return all changes from a position on."""
        return self._changes[position - self._dropped :]

    def is_forgotten(self, position: int) -> bool:
        """Say whether the change at a position was dropped."""
        return position < self._dropped


class Cursor:
    """One reader's place in a log: each change once, in order, until the window passes it.

    Attributes:
        resource_version: of the newest change that was read, or where reading began.
    """

    def __init__(self, log: WatchLog, since: int) -> None:
        self.resource_version = since
        self._log = log
        self._position = log.position(since)

    @property
    def is_expired(self) -> bool:
        """Whether the reader was too slow: changes that it did not read are forgotten."""
        return self._log.is_forgotten(self._position)

    @property
    def pending(self) -> int:
        """How many changes it has yet to read, those forgotten among them."""
        return self._log.end - self._position

    def next(self) -> list[Change]:
        """Return the changes since the last call, none if there are none.

        Raises:
            StatusError: Expired: the reader must list again.
        """
        if self.is_expired:
            raise too_old(self.resource_version, self._log.floor)
        changes = self._log.read(self._position)
        self._position += len(changes)
        if changes and changes[0].resource_version <= self.resource_version:
            # Reading began at a resourceVersion that was yet to come.
            changes = [c for c in changes if c.resource_version > self.resource_version]
        if changes:
            self.resource_version = changes[-1].resource_version
        return changes


def too_old(wanted: int, oldest: int) -> StatusError:
    """Make the answer to who wants changes that are forgotten."""
    return expired(f"too old resource version: {wanted} ({oldest})")
