"""Candidates, a server with versions, lost answers, processes that stand still or die."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotfish.client.election import (
    Answer,
    Election,
    ElectionSettings,
    Failed,
    Lease,
    LeaseSpec,
    Lost,
    NoLease,
    ReadLease,
    Step,
    WakeAt,
    WriteLease,
)

LEASE, RENEW, RETRY = 15.0, 10.0, 2.0
TICK = 0.25
LATENCY = 1.0  # the longest


@dataclass
class Server:
    """One Lease, or none, and its version."""

    version: int = 0
    spec: LeaseSpec | None = None

    def answer(self, step: Step) -> Answer:
        """Do what a candidate asks for."""
        if isinstance(step, ReadLease):
            return self._lease() if self.spec is not None else NoLease()
        assert isinstance(step, WriteLease)
        known = 0 if step.metadata is None else msgspec.json.decode(step.metadata, type=int)
        if known != (self.version if self.spec is not None else 0):
            return Failed()
        self.version, self.spec = self.version + 1, step.spec
        return self._lease()

    def _lease(self) -> Lease:
        assert self.spec is not None
        return Lease(msgspec.Raw(str(self.version).encode()), self.spec)


@dataclass
class Candidate:
    """One process: what it waits for, and until when it stands still."""

    election: Election
    step: Step = field(default_factory=lambda: WakeAt(0.0))
    sent_at: float | None = None  # when the request reaches the server
    answered_at: float = 0.0
    answer: Answer = field(default_factory=Failed)
    still_until: float = 0.0
    is_dead: bool = False


class World:
    """Runs candidates, tick by tick."""

    def __init__(self, count: int, rng: random.Random) -> None:
        self.now, self.rng, self.server = 0.0, rng, Server()
        self.is_down, self.lost_answers = False, 0.1
        self.candidates = []
        for number in range(count):
            one = ElectionSettings(
                namespace="n",
                name="l",
                identity=f"c{number}",
                lease_seconds=LEASE,
                renew_seconds=RENEW,
                retry_seconds=RETRY,
            )
            self.candidates.append(Candidate(Election(one, rng)))

    def leaders(self) -> list[Candidate]:
        """Return those who would act now if they looked."""
        return [one for one in self.candidates if not one.is_dead and one.election.leads(self.now)]

    def tick(self) -> None:
        """Let a little time pass."""
        self.now += TICK
        for one in self.candidates:
            self._arrive(one)
        for one in self.candidates:
            if not one.is_dead and one.still_until <= self.now:
                self._run(one)
        assert len(self.leaders()) <= 1, [one.election.holder for one in self.candidates]

    def _arrive(self, one: Candidate) -> None:
        """Let a request reach the server: also that of a process that stands still or is dead."""
        if one.sent_at is not None and one.sent_at <= self.now:
            one.sent_at = None
            one.answer = Failed() if self.is_down else self.server.answer(one.step)
            if self.rng.random() < self.lost_answers:
                one.answer = Failed()  # the answer is lost, the deed is done

    def _run(self, one: Candidate) -> None:
        stamp = f"{self.now}"
        if isinstance(one.step, WakeAt):
            if self.now >= one.step.at:
                self._take(one, one.election.wake(self.now, stamp))
        elif isinstance(one.step, Lost):
            one.is_dead = True
        elif one.sent_at is None and one.answered_at <= self.now:
            self._take(one, one.election.answered(one.answer, self.now, stamp))

    def _take(self, one: Candidate, step: Step) -> None:
        one.step = step
        if isinstance(step, ReadLease | WriteLease):
            one.sent_at = self.now + self.rng.random() * LATENCY
            one.answered_at = one.sent_at + self.rng.random() * LATENCY


@settings(max_examples=60)
@given(st.integers(1, 4), st.integers(0, 2**32))
def test_there_are_never_two_who_may_act(count: int, seed: int) -> None:
    rng = random.Random(seed)
    world = World(count, rng)
    for _ in range(800):
        world.tick()
        if rng.random() < 0.01:
            world.is_down = not world.is_down
        if rng.random() < 0.01:
            rng.choice(world.candidates).still_until = world.now + rng.random() * 40
        if rng.random() < 0.002:
            rng.choice(world.candidates).is_dead = True


@settings(max_examples=60)
@given(st.integers(2, 4), st.integers(0, 2**32))
def test_when_a_leader_dies_another_one_leads_within_the_lease_and_one_pause(
    count: int, seed: int
) -> None:
    rng = random.Random(seed)
    world = World(count, rng)
    for _ in range(round(rng.uniform(20, 60) / TICK)):
        world.tick()
    for one in world.leaders():
        one.is_dead = True
    world.lost_answers = 0.0  # each lost one costs a further pause
    on_the_way = 7 * LATENCY  # the last renewal, a look before the end, a look after it, the update
    for _ in range(round((LEASE + RETRY + on_the_way) / TICK)):
        world.tick()
    assert len(world.leaders()) == 1
