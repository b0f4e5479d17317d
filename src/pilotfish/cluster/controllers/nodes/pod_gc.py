"""Deletes pods that are bound to nodes which no longer exist.

Source: kubernetes v1.36 pkg/controller/podgc/gc_controller.go. differs: upstream looks every 20
seconds, this controller when a node's time is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.nodes.pod_eviction import disrupt
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import NODES
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.store import Change

QUARANTINE_SECONDS: Final = 40.0  # how long a node may be missing; upstream quarantineTime


class PodGcController(Controller):
    """Watches for missing nodes; keys are ("", node)."""

    watches = (NODES,)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._missing_since: dict[str, float] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a node that came or went."""
        del now
        return [("", change.new.name)] if change.type != "MODIFIED" else ()

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the node of a pod that was just bound, if it does not exist."""
        del now
        if new is None or not new.node_name or (old and old.node_name):
            return ()
        return [("", new.node_name)] if self._is_missing(new.node_name) else ()

    def sync(self, key: Key, now: float) -> float | None:
        """Delete the pods of a node that has been missing for long enough."""
        name = key[1]
        pods = self.pods.on_node(name)
        if not pods or not self._is_missing(name):
            self._missing_since.pop(name, None)
            return None
        ends = self._missing_since.setdefault(name, now) + QUARANTINE_SECONDS
        if now < ends:
            return ends
        for pod in pods:
            message = "PodGC: node no longer exists"
            disrupt(self.client, pod, "DeletionByPodGC", message, now, is_lost=True)
        return None

    def _is_missing(self, name: str) -> bool:
        return self.client.store.get(NODES.storage, "", name) is None
