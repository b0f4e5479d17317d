"""Nodes that stop reporting, and the taints that follow a node's conditions.

Theory of operation: a node lives while its Lease is renewed or its Ready condition is. After the
grace period its conditions turn Unknown. Taints follow the conditions: of each key that stands for
a condition a node has exactly the taints that its conditions ask for.

Source: kubernetes v1.36 pkg/controller/nodelifecycle/node_lifecycle_controller.go. differs: times
are exact, where upstream looks every five seconds; NoExecute taints are not rate-limited by zone;
where the whole process stood still, as on a laptop that slept, nodes get the grace period anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from pilotfish.api.meta import ApiStruct
from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.lists import put_list
from pilotfish.cluster.controllers.pod_index import Key, PodIndex
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import LEASES, NODES, PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Change
from pilotfish.cluster.timestamps import timestamp

GRACE_SECONDS: Final = 50.0  # upstream nodeMonitorGracePeriod
STARTUP_GRACE_SECONDS: Final = 60.0  # upstream nodeStartupGracePeriod
STANDSTILL_SECONDS: Final = 5.0  # nobody looked for so long after a deadline: nobody could report
LEASE_NAMESPACE: Final = "kube-node-lease"
NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
_REPORTED: Final = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_TAINT_OF: Final = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
_OURS: Final = {
    *((key, "NoSchedule") for key in (*_TAINT_OF.values(), UNSCHEDULABLE)),
    (NOT_READY, "NoExecute"),
    (UNREACHABLE, "NoExecute"),
}


class _Condition(ApiStruct, frozen=True):
    type: str = ""
    status: str = ""
    last_heartbeat_time: str | None = None


class _Taint(ApiStruct, frozen=True):
    key: str = ""
    effect: str = ""


class _Spec(ApiStruct, frozen=True):
    unschedulable: bool = False
    taints: tuple[_Taint, ...] = ()


class _Status(ApiStruct, frozen=True):
    conditions: tuple[_Condition, ...] = ()


class _Node(ApiStruct, frozen=True):
    spec: _Spec = _Spec()
    status: _Status = _Status()


_DECODER = msgspec.json.Decoder(_Node)


class NodeLifecycleController(Controller):
    """Tends nodes; keys are ("", node)."""

    watches = (NODES, LEASES)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("node-controller", NODES)
        self._pod_events = recorder.source("node-controller", PODS)
        self._nodes: dict[str, _Node] = {}
        self._last_sign: dict[str, float] = {}
        self._registered: dict[str, JsonObject] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Note signs of life, and give nodes of which more changed."""
        name = change.new.name
        if change.storage == LEASES.storage:
            if change.new.namespace == LEASE_NAMESPACE and name in self._nodes:
                self._last_sign[name] = now
            return ()
        old = self._nodes.pop(name, None)
        if change.type == "DELETED":
            self._last_sign.pop(name, None)
            return [("", name)]
        node = self._nodes[name] = _DECODER.decode(change.new.body)
        if old is None or _heartbeat(old) != _heartbeat(node):
            self._last_sign[name] = now
        return () if old is not None and _gist(old) == _gist(node) else [("", name)]

    def sync(self, key: Key, now: float) -> float | None:
        """Turn a silent node's conditions Unknown, and bring its taints in line."""
        name, node = key[1], self.client.get(NODES, *key)
        self._register(name, node, now)
        if node is None or name not in self._last_sign:
            return None
        status = node.setdefault("status", {})
        ready = find_condition(status, "Ready")
        grace = GRACE_SECONDS if ready else STARTUP_GRACE_SECONDS
        if now >= self._last_sign[name] + grace + STANDSTILL_SECONDS:
            self._last_sign[name] = now
        deadline: float | None = self._last_sign[name] + grace
        if ready is not None and ready["status"] == "Unknown":
            deadline = None
        elif deadline is not None and now >= deadline:
            _turn_unknown(node, now)
            node = self.client.update_status(NODES, node, now)
            message = f"Node {name} status is now: NodeNotReady"
            self._events.normal(node, "NodeNotReady", message, now)
            deadline = None
        self._taint(node, now)
        ready = find_condition(node.get("status") or {}, "Ready")
        if ready is not None and ready["status"] != "True":
            self._mark_pods_not_ready(name, now)
        return deadline

    def _register(self, name: str, node: JsonObject | None, now: float) -> None:
        """Tell of nodes that came and went."""
        if node is None:
            if (gone := self._registered.pop(name, None)) is not None:
                message = f"Node {name} event: Removing Node {name} from Controller"
                self._events.normal(gone, "RemovingNode", message, now)
        elif name not in self._registered:
            self._registered[name] = {"metadata": {"name": name, "uid": node["metadata"]["uid"]}}
            message = f"Node {name} event: Registered Node {name} in Controller"
            self._events.normal(node, "RegisteredNode", message, now)

    def _taint(self, node: JsonObject, now: float) -> None:
        wanted = wanted_taints(node)
        taints: list[JsonObject] = node["spec"].get("taints") or []
        kept = [
            taint
            for taint in taints
            if (taint["key"], taint["effect"]) not in _OURS
            or (taint["key"], taint["effect"]) in wanted
        ]
        present = {(taint["key"], taint["effect"]) for taint in kept}
        added = [
            {"key": key, "effect": effect, "timeAdded": timestamp(now)}
            for key, effect in wanted
            if (key, effect) not in present
        ]
        if added or len(kept) != len(taints):
            put_list(node["spec"], "taints", [*kept, *added])
            self.client.update(NODES, node, now)

    def _mark_pods_not_ready(self, name: str, now: float) -> None:
        for pod in self.pods.on_node(name):
            if not pod.is_ready:
                continue
            obj = self.client.get(PODS, *pod.key)
            ready = None if obj is None else find_condition(obj["status"], "Ready")
            if obj is None or ready is None or ready["status"] != "True":
                continue
            ready |= {"status": "False", "lastTransitionTime": timestamp(now)}
            self.client.update_status(PODS, obj, now)
            self._pod_events.warning(obj, "NodeNotReady", "Node is not ready", now)


def wanted_taints(node: JsonObject) -> list[tuple[str, str]]:
    """Give the taints, key and effect, that a node's conditions and cordon ask for."""
    wanted = []
    for condition in (node.get("status") or {}).get("conditions") or ():
        key = _TAINT_OF.get((condition["type"], condition["status"]))
        if key is not None:
            wanted.append((key, "NoSchedule"))
        if key in (NOT_READY, UNREACHABLE):
            wanted.append((key, "NoExecute"))
    if node["spec"].get("unschedulable", False):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    return wanted


def _turn_unknown(node: JsonObject, now: float) -> None:
    conditions: list[JsonObject] = node["status"].setdefault("conditions", [])
    for kind in _REPORTED:
        found = find_condition(node["status"], kind)
        if found is None:
            conditions.append(
                {
                    "type": kind,
                    "status": "Unknown",
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                    "lastHeartbeatTime": node["metadata"]["creationTimestamp"],
                    "lastTransitionTime": timestamp(now),
                }
            )
        elif found["status"] != "Unknown":
            found |= {
                "status": "Unknown",
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": timestamp(now),
            }


def _heartbeat(node: _Node) -> float | None:
    ready = (c for c in node.status.conditions if c.type == "Ready")
    return next((parse_time(c.last_heartbeat_time) for c in ready), None)


def _gist(node: _Node) -> tuple[object, ...]:
    states = tuple((c.type, c.status) for c in node.status.conditions)
    return states, node.spec.unschedulable, node.spec.taints
