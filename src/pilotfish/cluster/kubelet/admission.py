"""Whether a kubelet takes a pod: it checks again what the scheduler should have checked.

Source: kubernetes v1.36 pkg/kubelet/lifecycle/predicate.go and pkg/scheduler/eventhandlers.go
    (AdmissionCheck). differs: critical pods preempt nobody; the operating system is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.api.quantity import Quantity
from pilotfish.framework.pod_info import HostPort
from pilotfish.framework.resources import ANY_ADDRESS, host_ports, pod_requests

_FIRST: Final = ("cpu", "memory", "ephemeral-storage")


class Taken(msgspec.Struct, frozen=True):
    """What one pod takes from its node."""

    requests: Mapping[str, int]
    ports: tuple[HostPort, ...]


class Account:
    """What is taken from one node, by pod."""

    def __init__(self) -> None:
        self.pods: dict[str, Taken] = {}
        self._used: dict[str, int] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self.pods

    def take(self, uid: str, pod: Pod) -> None:
        """Count a pod in."""
        taken = self.pods[uid] = Taken(pod_requests(pod), host_ports(pod))
        for name, amount in taken.requests.items():
            self._used[name] = self._used.get(name, 0) + amount

    def release(self, uid: str) -> None:
        """Count a pod out; one that is not counted changes nothing."""
        if (taken := self.pods.pop(uid, None)) is not None:
            for name, amount in taken.requests.items():
                self._used[name] -= amount

    def used(self, name: str) -> int:
        """Give how much of a resource is taken: milli-CPU, bytes or counts."""
        return self._used.get(name, 0)


def refusal(pod: Pod, node: Node, account: Account) -> tuple[str, str] | None:
    """Give reason and message where a pod cannot run here, the first of all; None where it can."""
    return next(_refusals(pod, node, account), None)


def _refusals(pod: Pod, node: Node, account: Account) -> Iterator[tuple[str, str]]:
    allocatable = node.status.allocatable
    if (limit := allocatable.get("pods")) is not None and len(account.pods) + 1 > limit.value():
        yield _out_of("pods", 1, len(account.pods), limit.value())
    requests = pod_requests(pod)
    rest = sorted(name for name in requests if name not in _FIRST and name in allocatable)
    for name in (*_FIRST, *rest):
        wanted = requests.get(name, 0)
        capacity = _amount(name, allocatable.get(name))
        if wanted and wanted > capacity - account.used(name):
            yield _out_of(name, wanted, account.used(name), capacity)
    if not _is_wanted_by(pod, node):
        yield _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    if any(_collide(port, other) for port in host_ports(pod) for other in _ports(account)):
        yield _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    if any(t.effect == "NoExecute" and not pod.tolerates(t) for t in node.spec.taints):
        yield _predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")


def _is_wanted_by(pod: Pod, node: Node) -> bool:
    labels, spec = node.metadata.labels, pod.spec
    if any(labels.get(key) != value for key, value in spec.node_selector.items()):
        return False
    affinity = spec.affinity and spec.affinity.node_affinity
    required = affinity and affinity.required
    return not required or required.matches(labels, node.metadata.name)


def _amount(name: str, quantity: Quantity | None) -> int:
    if quantity is None:
        return 0
    return quantity.milli_value() if name == "cpu" else quantity.value()


def _ports(account: Account) -> Iterator[HostPort]:
    for taken in account.pods.values():
        yield from taken.ports


def _collide(port: HostPort, other: HostPort) -> bool:
    if (port.protocol, port.port) != (other.protocol, other.port):
        return False
    return port.ip == other.ip or ANY_ADDRESS in (port.ip, other.ip)


def _out_of(name: str, requested: int, used: int, capacity: int) -> tuple[str, str]:
    return f"OutOf{name}", (
        f"Node didn't have enough resource: {name}, "
        f"requested: {requested}, used: {used}, capacity: {capacity}"
    )


def _predicate(name: str, why: str) -> tuple[str, str]:
    return name, f"Predicate {name} failed: {why}"
