"""News of objects: from inputs to the cache and the queue.

Theory of operation: for each kind it is remembered which objects are known, by uid, and in which
version, so that a complete list can be taken as the difference to what is known, and news that is
no news is passed over. Whatever an input means as events is collected and wakes the queue once.

Where a pod is, by what its latest version says:

    bound, not ended                              the cache
    bound, ended                                  nowhere
    not bound, ours, neither ended nor leaving    the queue
    not bound, otherwise                          nowhere
    cannot be read                                nowhere

A pod that counts in the cache stays there whatever its unbound or unreadable versions say, and its
binding cycle, if it has one, goes on: the API server never takes a binding back.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import partial
from typing import Literal, TypeAlias

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.cache.volume_index import KINDS as VOLUME_KINDS
from pilotfish.core.assumed_objects import AssumedObjects
from pilotfish.core.binding import BindingCycles
from pilotfish.core.cache_writers import NODE_METRICS, WORKLOADS, Events, Writers
from pilotfish.core.effects import Effect, PodSeen
from pilotfish.core.inputs import Absent, Applied, Deleted, Replaced, Unreadable
from pilotfish.core.notices import Notices
from pilotfish.framework.events import ClusterEvent
from pilotfish.queue.scheduling_queue import SchedulingQueue

News: TypeAlias = Replaced | Applied | Deleted | Unreadable | Absent

UNREAD = ""  # the version of an object whose present one cannot be read; never passed over


class Ingest:
    """Keeps cache, queue and binding cycles in step with what the API server says."""

    def __init__(
        self,
        scheduler_names: Container[str],
        cache: ClusterCache,
        queue: SchedulingQueue,
        writers: Writers,
        assumed: AssumedObjects,
        binding: BindingCycles,
        notices: Notices,
        outbox: list[Effect],
    ) -> None:
        self._scheduler_names = scheduler_names
        self._cache = cache
        self._queue = queue
        self._writers = writers
        self._assumed = assumed
        self._binding = binding
        self._notices = notices
        self._outbox = outbox
        self._known: dict[str, dict[str, tuple[str, str]]] = {}  # version and name, by kind and uid
        self._events: set[ClusterEvent] = set()
        self._remove: dict[str, Callable[[str, str], Events]] = {
            "pods": lambda uid, _: self._remove_pod(uid),
            "nodes": lambda _, name: cache.remove_node(name),
            "namespaces": lambda _, name: cache.remove_namespace(name),
            "poddisruptionbudgets": lambda uid, _: cache.remove_budget(uid),
            NODE_METRICS: lambda _, name: cache.remove_usage(name),
        }
        for kind in WORKLOADS:
            self._remove[kind] = lambda uid, _: cache.remove_workload(uid)
        for kind in VOLUME_KINDS:
            self._remove[kind] = partial(self._remove_of_volumes, kind)
        is_awaited = queue.is_awaited(ClusterEvent.POD_ADDED)
        self._added = (ClusterEvent.POD_ADDED,) if is_awaited else ()
        self.listed: set[str] = set()
        """The kinds of which a complete list came, or that are known to be absent."""

    def take(self, news: News, now: float) -> None:
        """Take news of objects."""
        kind = news.kind
        match news:
            case Applied():
                self._applied(kind, news.object, now)
            case Deleted():
                self._deleted(kind, news.object)
            case Replaced():
                self._replaced(news, now)
            case Unreadable():
                self._unreadable(kind, news.uid, news.name)
            case Absent():
                self.listed.add(kind)
        if self._events:
            events, self._events = self._events, set()
            self._queue.wake(events, now)

    def _applied(self, kind: str, thing: KubernetesObject, now: float) -> None:
        meta = thing.metadata
        known = self._known.setdefault(kind, {})
        old = known.get(meta.uid)
        if old is not None and meta.resource_version and old[0] == meta.resource_version:
            return
        known[meta.uid] = (meta.resource_version, meta.name)
        if isinstance(thing, Pod):
            self._events.update(self._apply_pod(thing, now))
        elif kind in self._writers:
            self._events.update(self._writers[kind](self._assumed.seen(kind, thing)))

    def _deleted(self, kind: str, thing: KubernetesObject) -> None:
        if isinstance(thing, Pod) and thing.node_name:
            self._binding.seen_bound(thing)  # it was bound before it went, and that is news too
        self._gone(kind, thing.uid, thing.name)

    def _gone(self, kind: str, uid: str, name: str) -> None:
        self._known.setdefault(kind, {}).pop(uid, None)
        self._assumed.gone(kind, uid)
        if kind in self._remove:
            self._events.update(self._remove[kind](uid, name))

    def _replaced(self, news: Replaced, now: float) -> None:
        """Take a complete list; what went goes first, since a name may be in use again."""
        kind = news.kind
        there = {thing.metadata.uid for thing in news.objects}.union(news.unreadable)
        known = self._known.setdefault(kind, {})
        for uid in [uid for uid in known if uid not in there]:
            self._gone(kind, uid, known[uid][1])
        for uid in news.unreadable:
            if uid in known:
                self._unreadable(kind, uid, known[uid][1])
        for thing in news.objects:
            self._applied(kind, thing, now)
        self.listed.add(kind)

    def _unreadable(self, kind: str, uid: str, name: str) -> None:
        self._known.setdefault(kind, {})[uid] = (UNREAD, name)
        if kind == "nodes":
            self._events.update(self._cache.remove_node(name))  # its pods are kept aside
        elif kind == "pods":
            self._queue.delete(uid)
            self._cache.nominations.forget(uid)

    def _apply_pod(self, pod: Pod, now: float) -> Events:
        uid = pod.metadata.uid
        if pod.spec.node_name:
            self._binding.seen_bound(pod)
            self._leave_queue(uid)
            return self._cache.set_pod(pod)
        if pod.spec.scheduler_name not in self._scheduler_names:
            return ()
        if uid in self._binding:
            self._update_told(pod)
            return self._binding.update(pod)
        if self._cache.pod(uid) is not None:
            return ()  # a bound pod stays bound: a list from a server that lags behind
        if pod.is_terminating or pod.is_terminal:
            self._leave_queue(uid)
            return ()
        if pod.status.nominated_node_name:
            nominated = self._cache.pod_info(pod, pod.status.nominated_node_name)
            self._cache.nominations.shown(nominated)
        else:
            self._cache.nominations.not_shown(uid)
        if uid not in self._queue:
            self._tell(pod, "added")
            self._queue.add(pod, now)
            return self._added
        self._queue.update(pod, now)
        self._update_told(pod)
        return ()

    def _remove_of_volumes(self, kind: str, uid: str, _name: str) -> Events:
        return self._cache.volumes.remove(kind, uid)

    def _remove_pod(self, uid: str) -> Events:
        self._binding.drop(uid)
        self._leave_queue(uid)
        return self._cache.remove_pod(uid)

    def _leave_queue(self, uid: str) -> None:
        self._queue.delete(uid)
        self._notices.forget(uid)
        self._cache.nominations.forget(uid)

    def _update_told(self, pod: Pod) -> None:
        self._tell(pod, "updated")
        self._notices.seen(pod)

    def _tell(self, pod: Pod, change: Literal["added", "updated"]) -> None:
        self._outbox.append(PodSeen(pod.namespace, pod.name, change))
