"""The scheduler: what it is told, what it decides, what it asks for."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.assumed_objects import AssumedObjects
from pilotfish.core.attempt_timer import UNMEASURED, AttemptTimer
from pilotfish.core.binding import BindingCycles
from pilotfish.core.cache_writers import cache_writers
from pilotfish.core.cycle import failed_attempt, scheduling_cycle
from pilotfish.core.effects import Effect, WakeAt
from pilotfish.core.ingest import Ingest
from pilotfish.core.inputs import (
    BindAnswered,
    EvictionAnswered,
    Input,
    PluginAnswered,
    PodRead,
    PollCycle,
    StatusAnswered,
    WriteAnswered,
)
from pilotfish.core.node_search import NodeSearch
from pilotfish.core.notices import Notices
from pilotfish.core.preemption import Preemptions
from pilotfish.framework.errors import ProfileError
from pilotfish.framework.invariants import require
from pilotfish.framework.profile import Profile
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.queue.scheduling_queue import SchedulingQueue

TIMER_SLACK_SECONDS: Final = 0.01  # coarse timers fire up to this much early


class Scheduler:
    """Decides; never waits, never reads a clock, never touches the network.

    Args:
        profiles: by scheduler name; pods of other schedulers only count where they are bound.
        settings: of the queue.
        rng: chooses among equally good nodes.
        kinds: the kinds that must be listed, or absent, before anything is decided.
        timer: measures attempts, and has no say in them.

    Raises:
        ProfileError: the profiles do not sort pods alike, though they share one queue.
    """

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        settings: SchedulerSettings,
        rng: random.Random,
        kinds: frozenset[str],
        timer: AttemptTimer = UNMEASURED,
    ) -> None:
        _check_sorting(profiles)
        self._profiles = profiles
        self._rng = rng
        self._search = NodeSearch()
        self._kinds = kinds
        self._timer = timer
        self._outbox: list[Effect] = []
        self._told_deadline: float | None = None
        self.cache = ClusterCache()
        self.queue = SchedulingQueue(profiles, settings)
        self._notices = Notices(self._outbox)
        writers = cache_writers(self.cache)
        assumes = frozenset[str]().union(*(profile.assumes for profile in profiles.values()))
        assumed = AssumedObjects(assumes, writers)
        self.binding = BindingCycles(
            self.cache, self.queue, assumed, self._notices, self._outbox, timer
        )
        self._preemptions = Preemptions(
            self.cache, self.queue, self.binding, self._notices, self._outbox
        )
        self._ingest = Ingest(
            profiles,
            self.cache,
            self.queue,
            writers,
            assumed,
            self.binding,
            self._notices,
            self._outbox,
        )

    def handle(self, news: Input, now: float) -> list[Effect]:
        """Take an input; decides nothing."""
        match news:
            case BindAnswered():
                self.binding.answered(news, now)
            case PodRead():
                self.binding.read(news, now)
            case StatusAnswered():
                self._notices.answered(news)
            case EvictionAnswered():
                self._preemptions.answered(news, now)
            case WriteAnswered():
                self.binding.written(news, now)
            case PluginAnswered():
                self.binding.called(news, now)
            case PollCycle():
                self.queue.wake_rested(now)
            case _:
                self._ingest.take(news, now)
                self.binding.news(news.kind, now)
        self.binding.settle(now)
        return self._effects()

    def decide(self, now: float, max_cycles: int) -> tuple[list[Effect], bool]:
        """Run scheduling cycles, and go on with binding cycles whose pause is over.

        Returns:
            The effects, and whether there is more to decide right now.
        """
        self.binding.resume(now)
        if not self._kinds <= self._ingest.listed:
            return self._effects(now), False
        for _ in range(max_cycles):
            info = self.queue.pop(now)
            if info is None:
                break
            self._attempt(info, now)
            self.binding.settle(now)
        return self._effects(now), self.queue.has_ready()

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where queue, cache and binding cycles disagree."""
        self.cache.check_invariants()
        self.binding.check_invariants()  # and the queue with it
        self._preemptions.check_invariants()
        for uid in self.cache.pod_uids():
            is_queued = uid in self.queue and not self.binding.is_waiting(uid)
            require(not is_queued, f"pod {uid} counts on a node and is queued")
            in_order = uid in self.binding or not self.cache.is_assumed(uid)
            require(in_order, f"pod {uid} is assumed, but nobody binds it")

    def _attempt(self, info: QueuedPodInfo, now: float) -> None:
        pod = info.pod
        profile = self._profiles[pod.spec.scheduler_name]
        self._timer.start(info)
        attempt = scheduling_cycle(
            info, profile, self.cache, self._search, self._rng, self._timer.lap
        )
        node_name = attempt.decision.node_name
        if node_name and profile.binding:
            failure = self.binding.reserve(info, node_name, attempt.states, profile.binding, now)
            attempt = attempt if failure is None else failed_attempt(attempt, failure)
        decision = attempt.decision
        self._timer.decided(info)
        if decision.outcome != "scheduled":
            self._timer.stop(info, decision.outcome)
        self._outbox.append(decision)
        match decision.outcome:
            case "scheduled" if profile.binding:
                self.binding.proceed(info.uid, now)
            case "scheduled":
                self.binding.start(info, node_name)
            case "unschedulable":
                self.queue.requeue(info, attempt.rejector_plugins, now)
                nominated = self._preemptions.settle(pod, attempt.post_filtered, now)
                self._notices.failed(pod, "Unschedulable", decision.message, nominated)
            case "error":
                self.queue.requeue(info, (), now)
                self._preemptions.settle(pod, attempt.post_filtered, now)
                self._notices.failed(pod, "SchedulerError", decision.message)

    def _effects(self, now: float | None = None) -> list[Effect]:
        """Take what is in the outbox, and say when to decide next if that changed.

        Args:
            now: the time, if `decide` has just done all that was due.
        """
        deadline, other = self.queue.next_deadline(), self.binding.next_deadline()
        if deadline is None or (other is not None and other < deadline):
            deadline = other
        if deadline is not None:
            is_early = now is not None and deadline - now < TIMER_SLACK_SECONDS
            if is_early or deadline != self._told_deadline:
                self._outbox.append(WakeAt(deadline))
        self._told_deadline = deadline
        effects = self._outbox.copy()
        self._outbox.clear()
        return effects


def _check_sorting(profiles: Mapping[str, Profile]) -> None:
    """Source: kubernetes v1.36 pkg/scheduler/profile/profile.go (same queue sort everywhere)."""
    sorting = {profile.sorts_by: name for name, profile in profiles.items()}
    if len(sorting) > 1:
        both = " and ".join(f"{name!r} by {plugin!r}" for plugin, name in sorting.items())
        raise ProfileError(
            f"profiles sort one queue differently, {both}; use one sort_key plugin in all of them"
        )
