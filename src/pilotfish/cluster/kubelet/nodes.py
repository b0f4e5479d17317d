"""The nodes that kubelets play: registration, heartbeats, status and faults.

*Theory of operation.* A node is played from the first sight of its Node object until that is gone;
the nodes of the settings are made at the start. Each renews its Lease and, more rarely, reports its
status; both are spread over time by the node's number. A status that does not say what the kubelet
says (another wrote it, or a fault came or went) is reported again at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kinds import CSI_NODES, LEASES, NODES
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.kubelet.admission import Account
from pilotfish.cluster.kubelet.images import full_name, given_images, reported_images
from pilotfish.cluster.kubelet.node_objects import (
    LEASE_NAMESPACE,
    address_of,
    complete_status,
    conditions,
    csi_node,
    group_nodes,
    lease,
    micro_time,
    place,
    pod_address,
    ready_status,
)
from pilotfish.cluster.kubelet.timers import Timers
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.settings import KubeletSettings, NodeFault, NodeGroup

RENEW_MAX_SECONDS: Final = 30.0  # a Lease lasts for 40
RETRY_SECONDS: Final = 10.0
LEASE_TIMER: Final = "lease"
REPORT_TIMER: Final = "report"
_NO_GROUP: Final = NodeGroup(count=0)


class NodeRun:
    """One node as its kubelet knows it; what it has taken is in `account`."""

    def __init__(self, name: str, uid: str, index: int, group: NodeGroup) -> None:
        self.name = name
        self.uid = uid
        self.index = index
        self.group = group
        self.pullable = group.pullable
        self.address = place(index).address
        self.pod_cidr = place(index).pod_cidr
        self.fault: NodeFault = ""
        self.account = Account()
        self.has_lease = False
        self.has_news = False
        self.images = given_images(group)
        self._slots = 0

    def has(self, image: str) -> bool:
        """Say whether an image is on the node."""
        return full_name(image) in self.images

    def add(self, image: str, size: int) -> None:
        """Keep an image that was pulled; the next status says so."""
        if not self.has(image):
            self.images[full_name(image)] = size
            self.has_news = True

    def new_address(self) -> str:
        """Give the next pod its address."""
        self._slots += 1
        return pod_address(self.pod_cidr, self._slots - 1)


class Nodes:
    """All nodes that are played, by name."""

    def __init__(
        self, client: LoopbackClient, settings: KubeletSettings, timers: Timers[tuple[str, str]]
    ) -> None:
        self._client = client
        self._settings = settings
        self._timers = timers
        self._groups: dict[str, NodeGroup] = {}
        self._indexes: dict[str, int] = {}
        self._by_name: dict[str, NodeRun] = {}

    def __iter__(self) -> Iterator[NodeRun]:
        """Iterate over the nodes."""
        return iter(self._by_name.values())

    def get(self, name: str) -> NodeRun | None:
        """Give a node by name."""
        return self._by_name.get(name)

    def register(self, now: float) -> None:
        """Create the nodes of the settings that are not there."""
        named: Counter[str] = Counter()
        for group in self._client.settings.node_groups:
            first = named[group.name] + 1
            named[group.name] += group.count
            for node in group_nodes(group, self._settings, first, len(self._indexes)):
                name = node["metadata"]["name"]
                self._groups[name] = group
                self._indexes[name] = len(self._indexes)
                if self._client.store.get(NODES.storage, "", name) is None:
                    status = node["status"]
                    if images := given_images(group):
                        status |= complete_status(node, self._indexes[name], images, self._settings)
                    status["conditions"] = conditions([], _fault(node, group), now)
                    self._client.create(NODES, node, now)

    def observe(self, stored: Stored, now: float) -> NodeRun:
        """Take in a node, new or changed; its `fault` says whether pods on it are served."""
        node = stored.decode()
        run = self._by_name.get(stored.name)
        if run is None or run.uid != stored.uid:
            run = self._adopt(stored, now)
            run.images = reported_images(node.get("status") or {}) | run.images
        run.address = address_of(node) or run.address
        run.pod_cidr = (node.get("spec") or {}).get("podCIDR") or run.pod_cidr
        run.fault = _fault(node, run.group)
        wanted = "False" if run.fault == "NotReady" else "True"
        if run.fault != "Silent" and (
            ready_status(node) != wanted or not (node.get("status") or {}).get("allocatable")
        ):
            self.report(run, now)
        return run

    def forget(self, name: str) -> None:
        """Stop to play a node whose object is gone."""
        self._by_name.pop(name, None)
        self._timers.set((LEASE_TIMER, name), None)
        self._timers.set((REPORT_TIMER, name), None)

    def renew(self, run: NodeRun, now: float) -> None:
        """Renew a node's Lease, and say when to do so again."""
        seconds = self._renew_seconds()
        if run.fault != "Silent":
            try:
                self._write_lease(run, now)
            except StatusError:
                run.has_lease = False
                seconds = RETRY_SECONDS
            if run.has_news:
                self.report(run, now)
        self._timers.set((LEASE_TIMER, run.name), math.ceil(now + seconds))

    def report(self, run: NodeRun, now: float) -> None:
        """Report a node's status, and say when to do so again."""
        node = self._client.get(NODES, "", run.name)
        if run.fault != "Silent" and node is not None and node["metadata"]["uid"] == run.uid:
            status = complete_status(node, run.index, run.images, self._settings)
            status["conditions"] = conditions(status.get("conditions") or [], run.fault, now)
            node["status"] = status
            run.has_news = False
            self._client.update_status(NODES, node, now)
        self._timers.set(
            (REPORT_TIMER, run.name), math.ceil(now + self._settings.status_report_seconds)
        )

    def _adopt(self, stored: Stored, now: float) -> NodeRun:
        index = self._indexes.setdefault(stored.name, len(self._indexes))
        group = self._groups.get(stored.name, _NO_GROUP)
        run = self._by_name[stored.name] = NodeRun(stored.name, stored.uid, index, group)
        seconds, report = self._renew_seconds(), self._settings.status_report_seconds
        run.has_lease = (
            self._client.store.get(LEASES.storage, LEASE_NAMESPACE, run.name) is not None
        )
        if run.has_lease:
            self._timers.set((LEASE_TIMER, run.name), math.ceil(now + _spread(index, seconds)))
        else:
            self.renew(run, now)
            self._timers.set((LEASE_TIMER, run.name), math.ceil(now + 1 + _spread(index, seconds)))
        self._timers.set((REPORT_TIMER, run.name), math.ceil(now + 1 + _spread(index, report)))
        if self._client.store.get(CSI_NODES.storage, "", run.name) is None:
            self._client.create(CSI_NODES, csi_node(run.name, run.uid), now)
        return run

    def _write_lease(self, run: NodeRun, now: float) -> None:
        if run.has_lease:
            patch = {"spec": {"renewTime": micro_time(now)}}
            self._client.patch(LEASES, LEASE_NAMESPACE, run.name, patch, now)
        else:
            self._client.create(LEASES, lease(run.name, run.uid, self._settings, now), now)
            run.has_lease = True

    def _renew_seconds(self) -> float:
        spread = len(self._indexes) / self._settings.lease_renewals_per_second
        base = self._settings.lease_renew_seconds
        return max(base, min(spread, RENEW_MAX_SECONDS))


def _spread(index: int, seconds: float) -> float:
    """Give the n-th node its place within a period, far from its neighbours (golden section)."""
    return index * 0.6180339887498949 % 1 * seconds


def _fault(node: JsonObject, group: NodeGroup) -> NodeFault:
    said = (node["metadata"].get("annotations") or {}).get(keys.FAULT)
    try:
        return msgspec.convert(said, NodeFault) if said is not None else group.fault
    except msgspec.ValidationError:
        return group.fault
