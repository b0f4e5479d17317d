"""Random plugins at the binding points: nothing is lost, and what was reserved is undone, once."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from binding_plugins import Calling, First, Second, everybody, profile_with
from dialogue import KINDS, NAME, on_node
from make import node, pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.effects import Bind, Bound, CallPlugin, Effect, PatchObject, ReadPod, WakeAt
from pilotfish.core.inputs import (
    Applied,
    BindAnswered,
    Deleted,
    Input,
    PluginAnswered,
    PodRead,
    Replaced,
    WriteAnswered,
)
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
from pilotfish.framework import Allow, BindingError, Deny, Patch, PreBind, Rejection, Wait

NO = Rejection("no seat was free")
PODS = 6
STEPS = 40
ROUNDS = 80  # in which a scheduler that is left in peace must come to rest
ATTEMPT = r"r1(r2(p1(p2(b1(b2)?)?)?)?)?"
HISTORY = re.compile(rf"({ATTEMPT}u2u1)*(r1r2p1p2(b1(b2(o1o2)?)?)?)?")
LETTERS = {"reserve": "r", "permit": "p", "pre_bind": "b", "unreserve": "u", "post_bind": "o"}


def fickle(seed: int, moods: list[bool]) -> dict[str, Callable[..., object]]:
    """Make answers that vary with each call; they are kind once `moods` is empty."""
    rng = random.Random(seed)

    def choose(*answers: Any) -> Callable[..., object]:
        def answer(one: Any, waiting: Any) -> object:
            chosen = rng.choice(answers) if moods else None
            if isinstance(chosen, Exception):
                raise chosen
            return chosen(one, waiting) if callable(chosen) else chosen

        return answer

    error = BindingError("no server")
    allow, deny = everybody(Allow), everybody(lambda uids: Deny(uids, "its group failed"))
    work = PreBind((Patch("pods", "a", {}),), timeout_seconds=4.0)
    wait = PreBind(until=lambda _: not moods or rng.random() < 0.5, timeout_seconds=4.0)
    return {
        "reserve": choose(None, None, None, NO, error),
        "permit": choose(None, None, Wait(3.0), Wait(1.0), allow, NO, error),
        "unreserve": choose(None, None, deny, error),
        "pre_bind": choose(None, None, work, wait, NO, error),
        "post_bind": choose(None, error),
    }


class World:
    """A scheduler with two fickle plugins and one that calls, and what it is told."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.moods = [True]
        self.journal: list[str] = []
        self.scheduler = self.make_scheduler(self.journal, self.moods)
        self.now = 0.0
        self.wake_at = 0.0
        self.log: list[tuple[Call, bytes]] = []
        self.calm_at = 0
        self.gone: set[str] = set()
        self.asked: list[Effect] = []
        self.there: set[str] = set()
        self.bound: set[str] = set()
        self.told: set[str] = set()
        self.tell(Replaced("nodes", (node("n1", cpu="4"),)))
        self.tell(Replaced("pods", ()))

    def make_scheduler(self, journal: list[str], moods: list[bool]) -> Scheduler:
        """Make a scheduler whose plugins write to a journal."""
        first, second = (fickle(self.seed + i, moods) for i in (1, 2))
        profile = profile_with(First(journal, **first), Second(journal, **second), Calling())
        return Scheduler({NAME: profile}, SchedulerSettings(), random.Random(0), KINDS)

    def tell(self, news: Input) -> None:
        """Let the scheduler handle news."""
        self.take(HandleCall(self.now, news), self.scheduler.handle(news, self.now))

    def decide(self) -> None:
        """Let the scheduler decide."""
        self.take(DecideCall(self.now, 3), self.scheduler.decide(self.now, 3)[0])

    def take(self, call: Call, effects: list[Effect]) -> None:
        """Take what a call asked for."""
        self.log.append((call, encode_effects(effects)))
        for effect in effects:
            if isinstance(effect, Bind | PatchObject | CallPlugin | ReadPod):
                self.asked.append(effect)
            elif isinstance(effect, Bound):
                assert effect.name not in self.told
                self.told.add(effect.name)
            elif isinstance(effect, WakeAt):
                self.wake_at = effect.at
        self.scheduler.check_invariants()

    def step(self) -> None:
        """Let something happen."""
        name = f"p{self.rng.randrange(PODS)}"
        match self.rng.randrange(8):
            case 0 | 1 if name not in self.there | self.gone:
                self.there.add(name)
                self.tell(Applied("pods", pod(name, cpu="1")))
            case 2 if name in self.there - self.bound and self.rng.random() < 0.3:
                self.there.discard(name)
                self.gone.add(name)
                self.tell(Deleted("pods", pod(name, cpu="1")))
            case 3:
                labels = {"n": str(self.rng.randrange(9))}
                self.tell(Applied("nodes", node("n1", cpu="4", labels=labels)))
            case 4:
                self.now += self.rng.choice((0.1, 1.0, 5.0))
            case _:
                self.decide()
                if self.asked:
                    self.answer(self.asked.pop(self.rng.randrange(len(self.asked))))

    def answer(self, effect: Effect, *, well: bool = False) -> None:
        """Answer a request, well or badly."""
        is_well = well or self.rng.random() < 0.6
        match effect:
            case Bind() if is_well and effect.name in self.there:
                self.bound.add(effect.name)
                self.tell(BindAnswered(effect.uid, "n1", "bound", 201))
                self.tell(Applied("pods", on_node(pod(effect.name, cpu="1"), "n1")))
            case Bind():
                if self.rng.random() < 0.5:
                    self.tell(BindAnswered(effect.uid, "n1", "refused", 403))
                else:
                    self.tell(BindAnswered(effect.uid, "n1", "unknown", 504))
            case ReadPod():
                found = pod(effect.name, cpu="1") if effect.name in self.there else None
                self.tell(PodRead(effect.uid, found))
            case PatchObject():
                error = "" if is_well else "modified"
                self.tell(WriteAnswered(effect.uid, effect.number, error))
            case CallPlugin():
                self.tell(
                    PluginAnswered(
                        effect.uid,
                        "default",
                        effect.pod.name,
                        effect.number,
                        effect.plugin,
                        effect.extension_point,
                        None if is_well or effect.extension_point == "post_bind" else NO,
                    )
                )

    def rest(self) -> None:
        """Let every request succeed and every plugin agree, until nothing is left to do."""
        self.calm_at = len(self.log)
        self.moods.clear()
        for _ in range(ROUNDS):
            self.decide()
            while self.asked:
                self.answer(self.asked.pop(0), well=True)
            labels = {"n": str(self.now)}
            self.tell(Applied("nodes", node("n1", cpu="9", labels=labels)))
            self.now = max(self.now + 0.1, min(self.wake_at, self.now + 11.0))

    def check(self) -> None:
        """Check the history of each pod, and that the log repeats the run."""
        for name in sorted(self.there | self.gone):
            words = [word.split() for word in self.journal if word.endswith(f" {name}")]
            said = "".join(LETTERS[p] + ("1" if who == "First" else "2") for p, who, _ in words)
            assert HISTORY.fullmatch(said), f"{name}: {said}"
            is_told = said.endswith("o1o2")
            assert is_told == (name in self.there), f"{name}: {said}"
            assert said.endswith("u2u1") or is_told or not said, f"{name}: {said}"
        assert self.told == self.there == self.bound
        assert len(self.scheduler.binding) == 0
        assert len(self.scheduler.queue) == 0
        moods = [True]
        again = self.make_scheduler([], moods)
        for number, (call, effects) in enumerate(self.log):
            if number == self.calm_at:
                moods.clear()
            assert encode_effects(replay(decode_call(encode_call(call)), again)) == effects


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_whatever_plugins_say_nothing_is_lost_and_a_replay_says_the_same(seed: int) -> None:
    world = World(seed)
    for _ in range(STEPS):
        world.step()
    world.rest()
    world.check()
