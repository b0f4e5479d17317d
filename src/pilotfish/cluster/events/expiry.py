"""Lets Events go a while after they were last written, as upstream does.

Theory of operation: each minute the store's newest version is noted with the time. Once a note is
old enough, the Events of that version or an older one are taken out, some at a time. So nothing is
kept for each Event, and one stays up to two minutes longer than it must.

Source: kube-apiserver v1.36 --event-ttl, by which etcd forgets Events.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from pilotfish.cluster.kinds import EVENTS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import Stored

NOTE_SECONDS: Final = 60.0
REMOVED_PER_SYNC: Final = 500  # some 10 ms


class _Note(NamedTuple):
    time: float
    resource_version: int


class EventExpiry:
    """An actor that removes old Events."""

    def __init__(self, client: LoopbackClient) -> None:
        self._store = client.store
        self._ttl_seconds = client.settings.event_ttl_seconds
        self._notes: deque[_Note] = deque()
        self._newest_old = 0
        self._old: deque[tuple[str, str]] = deque()

    def sync(self, now: float) -> float | None:
        """Remove some of what is old, and say when to go on."""
        if self._store.count(EVENTS.storage) == 0:
            self._notes.clear()
            self._old.clear()
            return None
        next_note = self._note(now)
        while self._notes and self._notes[0].time + self._ttl_seconds <= now:
            self._newest_old = self._notes.popleft().resource_version
            events = self._store.list(EVENTS.storage).items
            self._old.extend((one.namespace, one.name) for one in events if self._is_old(one))
        for _ in range(min(REMOVED_PER_SYNC, len(self._old))):
            event = self._store.get(EVENTS.storage, *self._old.popleft())
            if event is not None and self._is_old(event):
                self._store.remove(EVENTS.storage, event.namespace, event.name)
        return now if self._old else next_note

    def _note(self, now: float) -> float:
        """Note the newest version if it is time to; returns when it is the next time."""
        if not self._notes or self._notes[-1].time + NOTE_SECONDS <= now:
            self._notes.append(_Note(now, self._store.resource_version))
        return self._notes[-1].time + NOTE_SECONDS

    def _is_old(self, event: Stored) -> bool:
        return event.resource_version <= self._newest_old
