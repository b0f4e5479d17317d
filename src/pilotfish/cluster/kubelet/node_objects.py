"""What a kubelet writes about its node: the Node, its status, its Lease and its CSINode.

Source: kubernetes v1.36 pkg/kubelet/nodestatus/setters.go, pkg/kubelet/kubelet_node_status.go and
    staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Network
from typing import Final, NamedTuple

from pilotfish import __version__
from pilotfish.api.quantity import Quantity
from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.kubelet.images import node_images
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.settings import Amount, KubeletSettings, NodeFault, NodeGroup
from pilotfish.cluster.timestamps import timestamp

LEASE_NAMESPACE: Final = "kube-node-lease"
KUBELET_PORT: Final = 10250
DEFAULT_CAPACITY: Final = {
    "cpu": "4",
    "ephemeral-storage": "100Gi",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    "memory": "16Gi",
    "pods": "110",
}
_ADDRESSES: Final = IPv4Network("172.16.0.0/12")
_POD_NETWORK: Final = IPv4Network("10.128.0.0/9")
_POD_CIDR_BITS: Final = 10  # 1,024 addresses a node
_TRANSITIONS: Final = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}
_READY: Final = ("KubeletReady", "kubelet is posting ready status")
_RUNTIME_DOWN: Final = ("KubeletNotReady", "container runtime is down")


class Place(NamedTuple):
    """Where a node is in the networks."""

    address: str
    pod_cidr: str


def place(index: int) -> Place:
    """Give the n-th node an address and a pod network of its own."""
    size = 1 << _POD_CIDR_BITS
    start = index * size % _POD_NETWORK.num_addresses
    prefix = 32 - _POD_CIDR_BITS
    return Place(str(_ADDRESSES[2 + index]), f"{_POD_NETWORK[start]}/{prefix}")


def pod_address(pod_cidr: str, slot: int) -> str:
    """Give the n-th address of a node's pods; the first of a network is the node's own."""
    network = IPv4Network(pod_cidr, strict=False)
    return str(network[2 + slot % max(1, network.num_addresses - 3)])


def group_nodes(
    group: NodeGroup, settings: KubeletSettings, first_name: int, first_place: int
) -> Iterator[JsonObject]:
    """Make the Nodes of a group as their kubelets register them, without conditions."""
    for i in range(group.count):
        name, where = f"{group.name}-{first_name + i}", place(first_place + i)
        labels = {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
        }
        if group.zones:
            labels["topology.kubernetes.io/zone"] = group.zones[i % len(group.zones)]
        if group.region:
            labels["topology.kubernetes.io/region"] = group.region
        capacity = DEFAULT_CAPACITY | _as_text(group.capacity)
        spec: JsonObject = {"podCIDR": where.pod_cidr, "podCIDRs": [where.pod_cidr]}
        if group.taints:
            spec["taints"] = [taint(text) for text in group.taints]
        yield {
            "metadata": {
                "name": name,
                "labels": labels | group.labels,
                "annotations": {"node.alpha.kubernetes.io/ttl": "0"} | group.annotations,
            },
            "spec": spec,
            "status": {
                "addresses": addresses(name, where.address),
                "allocatable": allocatable(capacity, _as_text(group.reserved)),
                "capacity": capacity,
                "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
                "nodeInfo": node_info(name, settings),
            },
        }


def complete_status(
    node: JsonObject, index: int, images: Mapping[str, int], settings: KubeletSettings
) -> JsonObject:
    """Give a node's status with what a kubelet always says; what is there is kept."""
    name = node["metadata"]["name"]
    old: JsonObject = node.get("status") or {}
    capacity = old.get("capacity") or DEFAULT_CAPACITY
    info = old.get("nodeInfo") or {}
    status = {
        **old,
        "addresses": old.get("addresses") or addresses(name, place(index).address),
        "allocatable": old.get("allocatable") or capacity,
        "capacity": capacity,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
        "nodeInfo": info if info.get("kubeletVersion") else node_info(name, settings),
    }
    if images:
        status["images"] = node_images(images)
    return status


def conditions(old: list[JsonObject], fault: NodeFault, now: float) -> list[JsonObject]:
    """Write a node's conditions; those that others own are kept."""
    before = {c["type"]: c for c in old}
    mine: dict[str, tuple[str, str, str]] = {
        kind: ("False", reason, text) for kind, (reason, text) in _TRANSITIONS.items()
    }
    mine["Ready"] = ("False", *_RUNTIME_DOWN) if fault == "NotReady" else ("True", *_READY)
    others = [c for c in old if c["type"] not in mine]
    return others + [
        {
            "type": kind,
            "status": status,
            "lastHeartbeatTime": timestamp(now),
            "lastTransitionTime": before[kind]["lastTransitionTime"]
            if kind in before and before[kind]["status"] == status
            else timestamp(now),
            "reason": reason,
            "message": text,
        }
        for kind, (status, reason, text) in mine.items()
    ]


def ready_status(node: JsonObject) -> str:
    """Read the status of the condition Ready; empty without one."""
    ready = find_condition(node.get("status") or {}, "Ready")
    return "" if ready is None else str(ready["status"])


def addresses(name: str, address: str) -> list[JsonObject]:
    """Write a node's addresses."""
    return [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]


def address_of(node: JsonObject) -> str:
    """Read a node's address; empty without one."""
    found = (node.get("status") or {}).get("addresses") or ()
    return next((a["address"] for a in found if a["type"] == "InternalIP"), "")


def _as_text(amounts: Mapping[str, Amount]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}


def allocatable(capacity: Mapping[str, str], reserved: Mapping[str, str]) -> dict[str, str]:
    """Take off what is reserved, in thousandths of CPUs and whole units of the rest."""
    left = dict(capacity)
    for name, text in reserved.items():
        have, less = Quantity.parse(capacity.get(name, "0")), Quantity.parse(text)
        if name == "cpu":
            left[name] = f"{max(0, have.milli_value() - less.milli_value())}m"
        else:
            left[name] = str(max(0, have.value() - less.value()))
    return left


def node_info(name: str, settings: KubeletSettings) -> JsonObject:
    """Write what a simulated machine is; all fields are required."""
    digest = sha256(name.encode()).hexdigest()
    uuid = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    return {
        "architecture": "amd64",
        "bootID": uuid,
        "containerRuntimeVersion": f"pilotfish://{__version__}",
        "kernelVersion": "simulated",
        "kubeProxyVersion": "",
        "kubeletVersion": settings.version,
        "machineID": digest[:32],
        "operatingSystem": "linux",
        "osImage": "Simulated node",
        "systemUUID": uuid,
    }


def taint(text: str) -> JsonObject:
    """Read a taint as kubectl writes it."""
    rest, _, effect = text.rpartition(":")
    key, _, value = rest.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def lease(name: str, uid: str, settings: KubeletSettings, now: float) -> JsonObject:
    """Make the Lease that a kubelet renews."""
    return {
        "metadata": {
            "name": name,
            "namespace": LEASE_NAMESPACE,
            "ownerReferences": [node_reference(name, uid)],
        },
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": settings.lease_duration_seconds,
            "renewTime": micro_time(now),
        },
    }


def csi_node(name: str, uid: str) -> JsonObject:
    """Make the CSINode of a node without drivers."""
    return {
        "metadata": {"name": name, "ownerReferences": [node_reference(name, uid)]},
        "spec": {"drivers": []},
    }


def node_reference(name: str, uid: str) -> JsonObject:
    """Make the reference to the Node that goes when it goes."""
    return {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}


def micro_time(now: float) -> str:
    """Write a `MicroTime`."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
