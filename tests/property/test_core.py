"""Random histories of a cluster with faults: nothing is bound twice, overfilled or left behind."""

from __future__ import annotations

import random
from collections import Counter, deque
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dialogue import KINDS, NAME
from make import node, pod
from model_server import Fault, ModelServer, Request, assigned
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.effects import (
    Bind,
    BindFailed,
    Bound,
    Effect,
    EvictPod,
    PatchCondition,
    PatchNomination,
    ReadPod,
    WakeAt,
)
from pilotfish.core.inputs import Input, PollCycle
from pilotfish.core.log import (
    Call,
    DecideCall,
    HandleCall,
    decode_call,
    encode_call,
    encode_effects,
    replay,
)
from pilotfish.core.scheduler import Scheduler
from pilotfish.plugins.default import default_profile

NODES = ("n0", "n1", "n2")
FAULTS: list[Fault] = ["none", "lost request", "lost answer", "late", "refused"]
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
ENDED = {"phase": "Succeeded"}
ROUNDS = 60  # in which a quiet cluster must come to rest


def make_scheduler() -> Scheduler:
    rng = random.Random(0)  # ties are no secret
    return Scheduler({NAME: default_profile(NAME)}, SchedulerSettings(), rng, KINDS)


class FaultyCluster(RuleBasedStateMachine):
    """One scheduler, one API server, and a line between them that loses things."""

    def __init__(self) -> None:
        super().__init__()
        self.server = ModelServer()
        self.scheduler = make_scheduler()
        self.now = 0.0
        self.log: list[tuple[Call, bytes]] = []
        self.lanes: dict[str, deque[Request]] = {}
        self.told: Counter[str] = Counter()
        self.mine: set[str] = set()
        self.is_alone = True
        self.wake_at: float | None = None
        self.made = 0

    @initialize(is_alone=st.booleans())
    def start(self, *, is_alone: bool) -> None:
        """List everything; with others about, nodes may be overfilled by them."""
        self.is_alone = is_alone
        for cpu in (1, 2):
            self.create_pod(cpu, 0, again=False)
        for name in NODES[:2]:
            self.server.set_node(node(name, cpu="2"))
        for kind in ("nodes", "pods"):
            self.tell(self.server.relist(kind))

    # -- the cluster

    @rule(cpu=st.integers(0, 3), priority=st.integers(0, 1), again=st.booleans())
    def create_pod(self, cpu: int, priority: int, *, again: bool) -> None:
        """Create a pod, perhaps under a name that was in use before."""
        self.made += 1
        uid = f"uid-{self.made}"
        name = "again" if again else f"p{self.made}"
        if all(one.name != name for one in self.server.pods.values()):
            self.server.set_pod(pod(name, uid=uid, cpu=str(cpu), priority=priority))
            self.mine.add(uid)

    @precondition(lambda self: self.server.pods)
    @rule(data=st.data(), fate=st.sampled_from(["deleted", "going", "ended", "labelled"]))
    def change_pod(self, data: st.DataObject, fate: str) -> None:
        """Let something happen to a pod."""
        uid = data.draw(st.sampled_from(sorted(self.server.pods)))
        old = self.server.pods[uid]
        cpu = str(old.spec.containers[0].resources.requests["cpu"])
        same: dict[str, Any] = {"uid": uid, "cpu": cpu, "node_name": old.node_name}
        same["metadata"] = {"deletionTimestamp": old.metadata.deletion_timestamp}
        same["status"] = {"phase": old.status.phase}
        match fate:
            case "deleted":
                self.server.delete_pod(uid)
            case "going":
                self.server.set_pod(pod(old.name, **{**same, "metadata": GOING}))
            case "ended":
                self.server.set_pod(pod(old.name, **{**same, "status": ENDED}))
            case "labelled":
                self.server.set_pod(pod(old.name, **same, labels={"n": str(self.made)}))

    @rule(name=st.sampled_from(NODES), cpu=st.integers(2, 4), is_cordoned=st.booleans())
    def change_node(self, name: str, cpu: int, *, is_cordoned: bool) -> None:
        """Create a node, or let it grow; it shrinks only where others are about."""
        if self.is_alone and name in self.server.nodes:
            cpu = max(cpu, self.server.nodes[name].status.allocatable["cpu"].value())
        self.server.set_node(node(name, cpu=str(cpu), unschedulable=is_cordoned))

    @precondition(lambda self: not self.is_alone)
    @rule(name=st.sampled_from(NODES))
    def delete_node(self, name: str) -> None:
        """Delete a node."""
        if name in self.server.nodes:
            self.server.delete_node(name)

    @precondition(lambda self: not self.is_alone and self.server.pods)
    @rule(data=st.data(), name=st.sampled_from(NODES))
    def bind_by_another(self, data: st.DataObject, name: str) -> None:
        """Let another scheduler bind a pod of ours."""
        uid = data.draw(st.sampled_from(sorted(self.server.pods)))
        if not self.server.pods[uid].node_name:
            self.server.set_pod(assigned(self.server.pods[uid], name))
            self.mine.discard(uid)

    # -- the line

    @rule(kind=st.sampled_from(["pods", "nodes"]), count=st.integers(1, 5))
    def deliver(self, kind: str, count: int) -> None:
        """Let a watch deliver something."""
        news = self.server.news[kind]
        for _ in range(min(count, len(news))):
            self.tell(news.popleft())

    @rule(kind=st.sampled_from(["pods", "nodes"]))
    def relist(self, kind: str) -> None:
        """Break a watch."""
        self.tell(self.server.relist(kind))

    @precondition(lambda self: self.lanes)
    @rule(data=st.data(), fault=st.sampled_from([*FAULTS, "none", "none"]))
    def execute(self, data: st.DataObject, fault: Fault) -> None:
        """Execute the next request about some pod."""
        uid = data.draw(st.sampled_from(sorted(self.lanes)))
        self.execute_first(uid, fault)

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4))
    def go_on(self, faults: list[Fault]) -> None:
        """Let a while pass as whiles usually do: news, decisions, requests."""
        self.deliver("nodes", 5)
        self.deliver("pods", 5)
        self.decide(5)
        for uid, fault in zip(sorted(self.lanes), faults, strict=False):
            self.execute_first(uid, fault)
        self.now += 0.1

    @rule()
    def land_late(self) -> None:
        """Let requests arrive that were given up long ago."""
        self.server.land_late()

    # -- the scheduler

    @rule(cycles=st.integers(1, 5))
    def decide(self, cycles: int) -> None:
        """Let the scheduler decide."""
        effects, _ = self.scheduler.decide(self.now, cycles)
        self.take(DecideCall(self.now, cycles), effects)

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0, 3.0]))
    def time_passes(self, seconds: float) -> None:
        """Let the clock go on."""
        self.now += seconds

    @rule()
    def poll(self) -> None:
        """End a polling cycle."""
        self.tell(PollCycle())

    # -- what must hold

    @invariant()
    def invariants_hold(self) -> None:
        """Queue, cache and binding cycles agree; nothing is bound twice or told twice."""
        self.scheduler.check_invariants()
        assert max(self.server.binds.values(), default=0) <= 1
        assert max(self.told.values(), default=0) <= 1
        if self.is_alone:
            for name in self.server.nodes:
                assert self.server.free_milli_cpu(name) >= 0, name

    def teardown(self) -> None:
        """Let the cluster come to rest: every pod is bound, or waits for a reason it states."""
        for _ in range(ROUNDS):
            self.server.land_late()
            for kind in ("pods", "nodes"):
                self.deliver(kind, 1000)
            while self.lanes:
                self.execute_first(min(self.lanes), "none")
            self.decide(100)
            self.now = max(self.now + 0.1, min(self.wake_at or 0.0, self.now + 11.0))
        self.invariants_hold()
        for one in self.server.pods.values():
            if not (one.node_name or one.is_terminating or one.is_terminal):
                assert one.status.conditions, f"{one.key} waits and nobody says why"
                cpu = one.spec.containers[0].resources.requests["cpu"].milli_value()
                assert not any(
                    self.server.free_milli_cpu(name) >= cpu and not there.spec.unschedulable
                    for name, there in self.server.nodes.items()
                ), f"{one.key} waits although it fits"
            elif one.uid in self.mine and one.node_name and not one.is_terminal:
                assert self.told[one.uid] == 1, f"{one.key} is bound and nobody told"
        again = make_scheduler()
        for call, effects in self.log:
            repeated = replay(decode_call(encode_call(call)), again)
            assert encode_effects(repeated) == effects

    def tell(self, news: Input) -> None:
        """Let the scheduler handle news."""
        self.take(HandleCall(self.now, news), self.scheduler.handle(news, self.now))

    def take(self, call: Call, effects: list[Effect]) -> None:
        """Take what a call asked for."""
        self.log.append((call, encode_effects(effects)))
        for effect in effects:
            match effect:
                case Bind() | ReadPod() | PatchCondition() | PatchNomination() | EvictPod():
                    self.lanes.setdefault(effect.uid, deque()).append(effect)
                case Bound():
                    self.told[effect.uid] += 1
                case WakeAt():
                    self.wake_at = effect.at
                case BindFailed(next_step="decide anew"):
                    # A request that is on its way for longer than four binds and their reads take
                    # is beyond what can be promised.
                    late = self.server.late
                    self.server.late = [bind for bind in late if bind.uid != effect.uid]

    def execute_first(self, uid: str, fault: Fault) -> None:
        """Execute the first request about a pod."""
        lane = self.lanes[uid]
        request = lane.popleft()
        if not lane:
            del self.lanes[uid]
        self.tell(self.server.execute(request, fault))


FaultyCluster.TestCase.settings = settings(max_examples=100, stateful_step_count=50)
TestFaultyCluster = FaultyCluster.TestCase
