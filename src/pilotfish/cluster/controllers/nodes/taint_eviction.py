"""Evicts pods from nodes with NoExecute taints, after as long as the pods tolerate them.

Source: kubernetes v1.36 pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pilotfish.api.meta import ApiStruct
from pilotfish.api.node import Taint
from pilotfish.api.pod import Toleration
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.nodes.pod_eviction import disrupt
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import NODES, PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.store import Change


class _TimedToleration(Toleration, frozen=True):
    toleration_seconds: int | None = None


class _PodSpec(ApiStruct, frozen=True):
    tolerations: tuple[_TimedToleration, ...] = ()


class _Pod(ApiStruct, frozen=True):
    spec: _PodSpec = _PodSpec()


class _NodeSpec(ApiStruct, frozen=True):
    taints: tuple[Taint, ...] = ()


class _Node(ApiStruct, frozen=True):
    spec: _NodeSpec = _NodeSpec()


_PODS = msgspec.json.Decoder(_Pod)
_NODES = msgspec.json.Decoder(_Node)


class TaintEvictionController(Controller):
    """Evicts pods; keys are those of pods."""

    watches = (NODES,)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("taint-eviction-controller", PODS)
        self._taints: dict[str, tuple[Taint, ...]] = {}
        self._counting_since: dict[str, float] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give the pods of a node whose NoExecute taints changed."""
        del now
        name, before = change.new.name, self._taints.pop(change.new.name, ())
        taints: tuple[Taint, ...] = ()
        if change.type != "DELETED" and b'"NoExecute"' in change.new.body:
            node = _NODES.decode(change.new.body)
            taints = tuple(taint for taint in node.spec.taints if taint.effect == "NoExecute")
            self._taints[name] = taints
        return [] if taints == before else [pod.key for pod in self.pods.on_node(name)]

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give a pod on a tainted node."""
        del now
        if new is None:
            if old is not None:
                self._counting_since.pop(old.uid, None)
            return ()
        return [new.key] if new.node_name in self._taints else ()

    def sync(self, key: Key, now: float) -> float | None:
        """Evict a pod, or say when."""
        pod = self.pods.get(key)
        stored = self.client.store.get(PODS.storage, *key)
        if pod is None or stored is None or pod.is_terminating:
            return None
        spec = _PODS.decode(stored.body).spec
        seconds = _tolerated_seconds(self._taints.get(pod.node_name, ()), spec.tolerations)
        if seconds is None:
            if self._counting_since.pop(pod.uid, None) is not None:
                message = f"Cancelling deletion of Pod {stored.key}"
                self._events.normal(_subject(pod), "TaintManagerEviction", message, now)
            return None
        deadline = self._counting_since.setdefault(pod.uid, now) + seconds
        if now < deadline:
            return deadline
        message = f"Marking for deletion Pod {stored.key}"
        self._events.normal(_subject(pod), "TaintManagerEviction", message, now)
        text = "Taint manager: deleting due to NoExecute taint"
        disrupt(self.client, pod, "DeletionByTaintManager", text, now)
        del self._counting_since[pod.uid]
        return None


def _tolerated_seconds(
    taints: Iterable[Taint], tolerations: Sequence[_TimedToleration]
) -> float | None:
    """Give how long a pod stays: None for ever, 0 where a taint is not tolerated at all."""
    limits = []
    for taint in taints:
        used = next((t for t in tolerations if t.tolerates(taint)), None)
        if used is None:
            return 0.0
        if used.toleration_seconds is not None:
            limits.append(max(0.0, float(used.toleration_seconds)))
    return min(limits, default=None)


def _subject(pod: PodInfo) -> dict[str, dict[str, str]]:
    return {"metadata": {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid}}
