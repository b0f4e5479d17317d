"""Preemptions: from the choice of victims to their end.

Theory of operation: when a pod is nominated for a node, its victims are evicted, each by an effect
of its own, and other pods go on being decided. The nomination keeps the room for it meanwhile. The
pod tries again when a victim is gone, which is an event like any other, and evicts nobody else
while one of them is still on its way out. An eviction that fails leaves the victim where it is, and
the pod tries again at once, as its back-off allows. A preemptor that is deleted leaves nothing
behind but its victims' end, which cannot be taken back. A victim that is not being bound yet is not
deleted: its binding cycle fails, and it is decided anew.

Source: kubernetes v1.36 pkg/scheduler/framework/preemption/executor.go.
    differs: upstream keeps the pod out of the queue until all evictions are sent; here an attempt
    meanwhile finds them under way, and may find room elsewhere.
"""

from __future__ import annotations

import msgspec

from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.core.binding import BindingCycles
from pilotfish.core.effects import Effect, EvictPod
from pilotfish.core.inputs import EvictionAnswered
from pilotfish.core.notices import Notices
from pilotfish.framework.invariants import require
from pilotfish.framework.post_filter import Nominate, PostFiltered
from pilotfish.queue.scheduling_queue import SchedulingQueue


class _Eviction(msgspec.Struct, frozen=True):
    """An eviction that is not answered yet."""

    effect: EvictPod
    preemptor: Pod
    node_name: str


class Preemptions:
    """All preemptions under way."""

    def __init__(
        self,
        cache: ClusterCache,
        queue: SchedulingQueue,
        binding: BindingCycles,
        notices: Notices,
        outbox: list[Effect],
    ) -> None:
        self._cache = cache
        self._queue = queue
        self._binding = binding
        self._notices = notices
        self._outbox = outbox
        self._evictions: dict[str, _Eviction] = {}  # by the victim's uid

    def settle(self, pod: Pod, done: PostFiltered, now: float) -> str | None:
        """Do what `post_filter` found for a pod that is queued again.

        Returns:
            The pod's nominated node: empty for none any more, None for no change.
        """
        if done.nomination is not None:
            self._start(pod, done.nomination, done.plugin, now)
            return done.nomination.node_name
        if done.forget_nomination:
            self._cache.nominations.forget(pod.uid)
            return ""
        return None

    def answered(self, answer: EvictionAnswered, now: float) -> None:
        """Take the answer to an EvictPod effect."""
        eviction = self._evictions.pop(answer.uid, None)
        if eviction is None:
            return
        if answer.outcome == "evicted":
            self._notices.preempted(eviction.effect, eviction.preemptor, eviction.node_name)
        elif answer.outcome == "failed":
            self._cache.nominations.evicting.discard(answer.uid)
            self._queue.activate(eviction.preemptor.uid, now)

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where a pod is waited for that nobody evicts."""
        for uid in self._cache.nominations.evicting:
            require(self._cache.pod(uid) is not None, f"pod {uid} is evicted and on no node")

    def _start(self, pod: Pod, nomination: Nominate, plugin: str, now: float) -> None:
        nominations, node_name = self._cache.nominations, nomination.node_name
        for other in nominations.by_node.get(node_name, ()):
            queued = self._queue.get(other.uid)
            if other.priority < pod.priority and queued is not None:
                nominations.forget(other.uid)
                self._notices.not_nominated(queued.pod)
                self._queue.activate(other.uid, now)
        nominations.nominate(self._cache.pod_info(pod, node_name))
        message = f"{pod.spec.scheduler_name}: preempting to accommodate a higher priority pod"
        for victim in nomination.victims:
            if victim.is_terminating or victim.uid in nominations.evicting:
                continue
            effect = EvictPod(victim.uid, victim.namespace, victim.name, message, victim.generation)
            if self._binding.preempt(victim.uid, plugin, now):
                self._notices.preempted(effect, pod, node_name, in_memory=True)
                continue
            nominations.evicting.add(victim.uid)
            self._evictions[victim.uid] = _Eviction(effect, pod, node_name)
            self._outbox.append(effect)
