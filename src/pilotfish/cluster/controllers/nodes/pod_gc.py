"""Deletes pods that no kubelet will end: unbound, or on nodes that are gone or out of service.

Source: kubernetes v1.36 pkg/controller/podgc/gc_controller.go. differs: upstream looks every 20
seconds, this controller when a pod's or node's time is over; ended pods stay, however many.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pilotfish.cluster.conditions import is_true
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.nodes.pod_eviction import disrupt, give_up
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import NODES
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Change

QUARANTINE_SECONDS: Final = 40.0  # how long a node may be missing; upstream quarantineTime
OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"


class PodGcController(Controller):
    """Watches for missing nodes; keys are ("", node), with no name for that of unbound pods."""

    watches = (NODES,)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._missing_since: dict[str, float] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a node that came, went or is out of service."""
        del now
        concerns = change.type != "MODIFIED" or _may_be_out_of_service(change.new.body)
        return [("", change.new.name)] if concerns else ()

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the node of a pod that was just bound, if it does not exist, or is being deleted."""
        del now
        if new is None or not (new.node_name or new.is_terminating):
            return ()
        if old and old.node_name and not new.is_terminating:
            return ()
        node = self.client.store.get(NODES.storage, "", new.node_name)
        return [("", new.node_name)] if node is None or _may_be_out_of_service(node.body) else ()

    def sync(self, key: Key, now: float) -> float | None:
        """Delete the pods of a node that has been missing for long enough, or those it leaves."""
        name = key[1]
        pods, node = self.pods.on_node(name), self.client.get(NODES, "", name)
        if not name or (node is not None and _is_out_of_service(node)):
            for pod in pods:
                if pod.is_terminating:
                    give_up(self.client, pod, now)
        if not name or node is not None or not pods:
            self._missing_since.pop(name, None)
            return None
        ends = self._missing_since.setdefault(name, now) + QUARANTINE_SECONDS
        if now < ends:
            return ends
        for pod in pods:
            message = "PodGC: node no longer exists"
            disrupt(self.client, pod, "DeletionByPodGC", message, now, is_lost=True)
        return None


def _may_be_out_of_service(body: bytes) -> bool:
    """Say whether a node names the taint; without decoding it, since nodes change often."""
    return OUT_OF_SERVICE.encode() in body


def _is_out_of_service(node: JsonObject) -> bool:
    taints = node["spec"].get("taints") or ()
    is_ready = is_true(node.get("status") or {}, "Ready")
    return not is_ready and any(taint["key"] == OUT_OF_SERVICE for taint in taints)
