"""Leader election: which of several replicas works, by a Lease that one of them holds. Pure.

Theory of operation: the holder renews the Lease. The others look at it from time to time and note,
on their own clocks, when they last saw it change; who sees it unchanged for as long as it lasts
takes it. No two clocks are ever compared: the times in the Lease are for people. The server refuses
an update of a version that is not the latest, so of several who try only one succeeds.

A holder may act until `renew_seconds` after it sent the last update that succeeded, which is before
anybody else can take the Lease. After that it has lost it for good.

    in         on                                      to         gives
    PAUSING    its time comes, and we hold the Lease   WRITING    WriteLease, as seen last
    PAUSING    its time comes, otherwise               READING    ReadLease
    READING    read: it is free, run out, or ours      WRITING    WriteLease
    READING    read: there is none                     WRITING    WriteLease, a new one
    READING    read: it is held                        PAUSING    WakeAt
    WRITING    written                                 PAUSING    WakeAt; we hold it
    WRITING    failed, by one who holds it             READING    ReadLease: what is there?
    any        failed, otherwise                       PAUSING    WakeAt
    any        we held it, and the time to renew it    LOST       Lost, from then on
               is over, or somebody else holds it

Source: client-go v0.36 tools/leaderelection/leaderelection.go.
    differs: pauses are made shorter by chance, never longer, and one ends when a Lease runs out
    that somebody else holds, so that it is taken within its duration and one pause. The time to
    renew begins with the last success, not with the next try.
"""

from __future__ import annotations

import enum
import math
import random
from typing import Final, TypeAlias

import msgspec

SHORTEST_PAUSE: Final = 0.8  # of retry_seconds
RELEASED_SECONDS: Final = 1  # how long a Lease lasts that nobody holds


class ElectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which Lease, as whom, and how long everything lasts.

    Attributes:
        lease_seconds: how long others wait for a holder that does not renew it.
        renew_seconds: how long a holder tries to renew it; less than `lease_seconds`.
        retry_seconds: the pause between two tries; less than `renew_seconds`.
    """

    namespace: str
    name: str
    identity: str
    lease_seconds: float = 15.0
    renew_seconds: float = 10.0
    retry_seconds: float = 2.0


class LeaseSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a Lease says; times are text, for people."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(msgspec.Struct, frozen=True, rename="camel"):
    """A Lease; its metadata, which holds its version, goes back as it came."""

    metadata: msgspec.Raw
    spec: LeaseSpec = LeaseSpec()
    api_version: str = "coordination.k8s.io/v1"
    kind: str = "Lease"


class Failed(msgspec.Struct, frozen=True):
    """A request that did not succeed, or of which that is not known."""


class NoLease(msgspec.Struct, frozen=True):
    """The answer to a read: there is no such Lease."""


Answer: TypeAlias = Lease | NoLease | Failed


class ReadLease(msgspec.Struct, frozen=True):
    """Ask for the Lease."""


class WriteLease(msgspec.Struct, frozen=True):
    """Ask for this to be what the Lease says; without metadata there is none to update yet."""

    spec: LeaseSpec
    metadata: msgspec.Raw | None = None


class WakeAt(msgspec.Struct, frozen=True):
    """Call `wake` at this time."""

    at: float


class Lost(msgspec.Struct, frozen=True):
    """The Lease was ours and is no more.

    Attributes:
        why: for people.
    """

    why: str


Step: TypeAlias = ReadLease | WriteLease | WakeAt | Lost


class State(enum.Enum):
    """What an election waits for."""

    PAUSING = "the next try"
    READING = "the answer to a read"
    WRITING = "the answer to a write"
    LOST = "nothing any more"


class Election:
    """One candidate: input, now -> the next step.

    Args:
        settings: which Lease.
        rng: shortens pauses, so that candidates do not keep in step.

    Attributes:
        holder: who holds the Lease, as far as is known; empty for nobody.
    """

    def __init__(self, settings: ElectionSettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng
        self._state = State.PAUSING
        self._due = -math.inf
        self._lease: Lease | None = None  # as it was seen last
        self._seen_at = 0.0  # when it was first seen as it is
        self._sent_at = 0.0
        self._may_act_until: float | None = None  # None unless we hold it
        self.holder = ""

    def leads(self, now: float) -> bool:
        """Say whether we hold the Lease, and nobody else can have taken it."""
        return self._may_act_until is not None and now < self._may_act_until

    def deadline(self) -> float:
        """Return when we cannot act any more; infinity while we do not anyway."""
        return math.inf if self._may_act_until is None else self._may_act_until

    def wake(self, now: float, stamp: str) -> Step:
        """Go on after a pause.

        Args:
            now: monotonic seconds.
            stamp: the same as text, for people.
        """
        if (lost := self._lost(now)) is not None:
            return lost
        if now < self._due:
            return WakeAt(self._due)
        if self._may_act_until is not None and self._lease is not None:
            return self._write(self._lease, now, stamp)
        self._state = State.READING
        return ReadLease()

    def answered(self, answer: Answer, now: float, stamp: str) -> Step:
        """Take the answer to the last ReadLease or WriteLease."""
        was_read = self._state is State.READING
        if isinstance(answer, Lease):
            self._see(answer, now)
            if not was_read:
                self._may_act_until = self._sent_at + self._settings.renew_seconds
        if (lost := self._lost(now)) is not None:
            return lost
        match answer:
            case Lease() if was_read and self._may_be_taken(answer, now):
                return self._write(answer, now, stamp)
            case NoLease():
                return self._write(None, now, stamp)
            case Failed() if not was_read and self._may_act_until is not None:
                self._state = State.READING
                return ReadLease()
            case _:
                return self._pause(now)

    def release(self, held: Answer, stamp: str) -> WriteLease | None:
        """Give the Lease up, if it is ours; nothing may be done as its holder any more.

        Args:
            held: the answer to a last read: a renewal may have been on its way.
            stamp: the time as text, for people.
        """
        self._state, self._may_act_until = State.LOST, None
        mine = self._settings.identity
        if not isinstance(held, Lease) or held.spec.holder_identity != mine:
            return None
        free = LeaseSpec(
            holder_identity="",
            lease_duration_seconds=RELEASED_SECONDS,
            acquire_time=stamp,
            renew_time=stamp,
            lease_transitions=held.spec.lease_transitions,
        )
        return WriteLease(free, held.metadata)

    def _see(self, lease: Lease, now: float) -> None:
        if self._lease is None or lease.spec != self._lease.spec:
            self._seen_at = now
        self._lease = lease
        self.holder = lease.spec.holder_identity or ""

    def _lost(self, now: float) -> Lost | None:
        if self._may_act_until is None and self._state is not State.LOST:
            return None
        if self.holder not in ("", self._settings.identity):
            why = f"{self.holder} holds it"
        elif not self.leads(now):
            why = f"it could not be renewed for {self._settings.renew_seconds:g} s"
        else:
            return None
        self._state = State.LOST
        self._may_act_until = -math.inf
        return Lost(why)

    def _may_be_taken(self, lease: Lease, now: float) -> bool:
        is_ours = self.holder in ("", self._settings.identity)
        return is_ours or now >= self._runs_out_at(lease)

    def _runs_out_at(self, lease: Lease) -> float:
        return self._seen_at + (lease.spec.lease_duration_seconds or 0)

    def _write(self, old: Lease | None, now: float, stamp: str) -> WriteLease:
        mine = self._settings.identity
        acquired, transitions = stamp, 0
        if old is not None:
            transitions = old.spec.lease_transitions or 0
            if old.spec.holder_identity == mine:
                acquired = old.spec.acquire_time or stamp
            else:
                transitions += 1
        spec = LeaseSpec(
            holder_identity=mine,
            lease_duration_seconds=math.ceil(self._settings.lease_seconds),
            acquire_time=acquired,
            renew_time=stamp,
            lease_transitions=transitions,
        )
        self._state, self._sent_at = State.WRITING, now
        return WriteLease(spec, None if old is None else old.metadata)

    def _pause(self, now: float) -> WakeAt:
        shortened = SHORTEST_PAUSE + (1.0 - SHORTEST_PAUSE) * self._rng.random()
        due = now + self._settings.retry_seconds * shortened
        if self._may_act_until is not None:
            due = min(due, self._may_act_until)
        elif self._lease is not None and now < (end := self._runs_out_at(self._lease)):
            due = min(due, end)
        self._state, self._due = State.PAUSING, due
        return WakeAt(due)
