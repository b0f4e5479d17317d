"""Pods as the scheduler accounts for them: compact, with every quantity an exact int."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pilotfish.framework.pod_terms import PodTerm
from pilotfish.framework.volumes import VolumeUse


class HostPort(msgspec.Struct, frozen=True, gc=False):
    """A port that a pod takes on its node. `ip` is "0.0.0.0" for every address."""

    ip: str
    protocol: str
    port: int


class PodShape(msgspec.Struct, frozen=True, weakref=True):
    """What many pods have in common; equal shapes are one object.

    Attributes:
        requests: by resource name; milli-CPU, bytes, counts.
        non_zero_milli_cpu: the CPU request with the scoring default for containers without one.
        non_zero_memory_bytes: the memory request, likewise.
        host_ports: distinct ports taken on the node.
        terms: affinity and anti-affinity, which others feel while the pod is in place.
    """

    requests: Mapping[str, int]
    non_zero_milli_cpu: int
    non_zero_memory_bytes: int
    host_ports: tuple[HostPort, ...] = ()
    terms: tuple[PodTerm, ...] = ()


class PodInfo(msgspec.Struct, frozen=True, gc=False):
    """A pod that counts on a node.

    Attributes:
        shape: its requests and terms.
        start_time: RFC 3339 text; None while it is not known.
        qos_class: as the API server says: Guaranteed, Burstable or BestEffort.
        is_preempted: whether it is being deleted by preemption.
        volumes: the claims and disks that it uses.
        generation: which version of its spec this is.
    """

    uid: str
    namespace: str
    name: str
    node_name: str
    labels: Mapping[str, str]
    priority: int
    shape: PodShape
    start_time: str | None = None
    is_terminating: bool = False
    is_preempted: bool = False
    qos_class: str = ""
    volumes: tuple[VolumeUse, ...] = ()
    generation: int = 0

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"
