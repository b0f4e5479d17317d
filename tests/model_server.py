"""A model of an API server that loses answers: what it says may come late, or never."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import msgspec

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod, PodCondition
from pilotfish.core.effects import Bind, EvictPod, PatchCondition, PatchNomination, ReadPod
from pilotfish.core.inputs import (
    Applied,
    BindAnswered,
    Deleted,
    EvictionAnswered,
    Input,
    PodRead,
    Replaced,
    StatusAnswered,
)
from pilotfish.framework.resources import pod_requests

T = TypeVar("T", bound=KubernetesObject)
Request = Bind | ReadPod | PatchCondition | PatchNomination | EvictPod
Fault = Literal["none", "lost request", "lost answer", "late", "refused"]


@dataclass
class ModelServer:
    """The truth about pods and nodes, and watches that deliver it in order but late.

    Attributes:
        binds: successful binds of the scheduler under test, by uid.
        late: requests to bind that were given up by the client and are still on their way.
        news: what each watch has still to deliver, by kind.
    """

    pods: dict[str, Pod] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    binds: Counter[str] = field(default_factory=Counter)
    late: list[Bind] = field(default_factory=list)
    news: dict[str, deque[Input]] = field(
        default_factory=lambda: {"pods": deque(), "nodes": deque()}
    )
    version: int = 0

    def set_pod(self, pod: Pod) -> None:
        """Create or change a pod."""
        self.pods[pod.uid] = stored = self._stamped(pod)
        self.news["pods"].append(Applied("pods", stored))

    def set_node(self, node: Node) -> None:
        """Create or change a node."""
        self.nodes[node.name] = stored = self._stamped(node)
        self.news["nodes"].append(Applied("nodes", stored))

    def delete_pod(self, uid: str) -> None:
        """Delete a pod."""
        self.news["pods"].append(Deleted("pods", self.pods.pop(uid)))

    def delete_node(self, name: str) -> None:
        """Delete a node; its pods stay."""
        self.news["nodes"].append(Deleted("nodes", self.nodes.pop(name)))

    def relist(self, kind: str) -> Input:
        """Give a complete list in place of the news not delivered."""
        self.news[kind].clear()
        objects: dict[str, Pod] | dict[str, Node] = self.pods if kind == "pods" else self.nodes
        return Replaced(kind, tuple(objects.values()))

    def execute(self, request: Request, fault: Fault) -> Input:
        """Execute a request, well or badly."""
        match request:
            case Bind():
                return self._bind(request, fault)
            case ReadPod():
                if fault != "none":
                    return PodRead(request.uid, error="connection refused")
                return PodRead(request.uid, self.pods.get(request.uid))
            case PatchCondition() | PatchNomination():
                return StatusAnswered(request.uid, self._patch(request, fault))
            case EvictPod():
                return self._evict(request, fault)

    def land_late(self) -> None:
        """Let the requests arrive that are still on their way."""
        for bind in self.late:
            self._try_bind(bind)
        self.late.clear()

    def free_milli_cpu(self, name: str) -> int:
        """Return what pods leave of a node."""
        used = sum(
            pod_requests(pod).get("cpu", 0)
            for pod in self.pods.values()
            if pod.node_name == name and not pod.is_terminal
        )
        return self.nodes[name].status.allocatable["cpu"].milli_value() - used

    def _bind(self, bind: Bind, fault: Fault) -> Input:
        def answer(outcome: Literal["bound", "refused", "unknown"], status: int) -> Input:
            return BindAnswered(bind.uid, bind.node_name, outcome, status)

        match fault:
            case "refused":
                return answer("refused", 403)
            case "lost request":
                return answer("unknown", 0)
            case "late":
                self.late.append(bind)
                return answer("unknown", 504)
        status = self._try_bind(bind)
        if fault == "lost answer" or status == 409:
            return answer("unknown", 504 if fault == "lost answer" else status)
        return answer("bound" if status == 201 else "refused", status)

    def _try_bind(self, bind: Bind) -> int:
        pod = self.pods.get(bind.uid)
        if pod is None:
            return 404
        if pod.node_name or pod.is_terminating:
            return 409
        self.set_pod(assigned(pod, bind.node_name))
        self.binds[bind.uid] += 1
        return 201

    def _evict(self, evict: EvictPod, fault: Fault) -> EvictionAnswered:
        is_there = evict.uid in self.pods
        if is_there and fault in ("none", "lost answer"):
            self.delete_pod(evict.uid)
        if fault != "none":
            return EvictionAnswered(evict.uid, "failed", fault)
        return EvictionAnswered(evict.uid, "evicted" if is_there else "gone")

    def _patch(self, patch: PatchCondition | PatchNomination, fault: Fault) -> bool:
        pod = self.pods.get(patch.uid)
        if pod is None or fault != "none":
            return False
        status = pod.status
        nominated: str | None
        if isinstance(patch, PatchNomination):
            nominated = patch.node_name
        else:
            condition = PodCondition("PodScheduled", "False", patch.reason, patch.message)
            status = msgspec.structs.replace(status, conditions=(condition,))
            nominated = patch.nominated_node_name
        if nominated is not None:
            status = msgspec.structs.replace(status, nominated_node_name=nominated)
        self.set_pod(msgspec.structs.replace(pod, status=status))
        return True

    def _stamped(self, thing: T) -> T:
        self.version += 1
        meta = msgspec.structs.replace(thing.metadata, resource_version=str(self.version))
        return msgspec.structs.replace(thing, metadata=meta)


def assigned(pod: Pod, node_name: str) -> Pod:
    """Make the version of a pod that is bound to a node; its condition says so."""
    spec = msgspec.structs.replace(pod.spec, node_name=node_name)
    status = msgspec.structs.replace(pod.status, conditions=())
    return msgspec.structs.replace(pod, spec=spec, status=status)
