"""Talk to a scheduler as a shell does: tell it news, let it decide, read what it asks for."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.attempt_timer import UNMEASURED, AttemptTimer
from pilotfish.core.effects import Bind, Effect
from pilotfish.core.inputs import Applied, BindAnswered, Input, Replaced
from pilotfish.core.scheduler import Scheduler
from pilotfish.framework.profile import Profile
from pilotfish.plugins.default import default_profile

NAME = "my-scheduler"
KINDS = frozenset({"pods", "nodes"})
T = TypeVar("T")


class Dialogue:
    """A scheduler, its clock, and checks of its invariants after every word.

    Attributes:
        now: the time of the next word; tests set it.
    """

    def __init__(
        self,
        *nodes: Node,
        profile: Profile | None = None,
        seed: int = 0,
        timer: AttemptTimer = UNMEASURED,
    ) -> None:
        profiles = {NAME: profile or default_profile(NAME)}
        rng = random.Random(seed)  # ties are no secret
        self.scheduler = Scheduler(profiles, SchedulerSettings(), rng, KINDS, timer)
        self.now = 0.0
        self.tell(Replaced("nodes", nodes), Replaced("pods", ()))

    def tell(self, *news: Input) -> list[Effect]:
        """Let the scheduler handle news."""
        effects: list[Effect] = []
        for one in news:
            effects += self.scheduler.handle(one, self.now)
            self.scheduler.check_invariants()
        return effects

    def apply(self, *pods: Pod) -> list[Effect]:
        """Tell of new pods, or new versions of pods."""
        return self.tell(*(Applied("pods", pod) for pod in pods))

    def apply_nodes(self, *nodes: Node) -> list[Effect]:
        """Tell of new nodes, or new versions of nodes."""
        return self.tell(*(Applied("nodes", node) for node in nodes))

    def decide(self) -> list[Effect]:
        """Let the scheduler decide until nothing is left to decide."""
        effects: list[Effect] = []
        more = True
        while more:
            some, more = self.scheduler.decide(self.now, 1)
            effects += some
            self.scheduler.check_invariants()
        return effects

    def bind(self, pod: Pod) -> Bind:
        """Tell of a pod and let it be decided; it must be feasible."""
        self.apply(pod)
        (bind,) = of(Bind, self.decide())
        return bind

    def free_milli_cpu(self, node_name: str) -> int:
        """Return what the scheduler believes to be left."""
        node = self.scheduler.cache.nodes.node(self.scheduler.cache.nodes.row_of[node_name])
        return node.allocatable["cpu"] - node.requested["cpu"]


def of(kind: type[T], effects: Iterable[Effect]) -> list[T]:
    """Pick the effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def bound_answer(bind: Bind) -> BindAnswered:
    """Answer that a bind succeeded."""
    return BindAnswered(bind.uid, bind.node_name, "bound", 201)


def unknown_answer(bind: Bind) -> BindAnswered:
    """Answer that nobody knows what became of a bind."""
    return BindAnswered(bind.uid, bind.node_name, "unknown", 504, "time-out")


def on_node(pod: Pod, node_name: str) -> Pod:
    """Make the version of a pod that is bound to a node."""
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=node_name))
