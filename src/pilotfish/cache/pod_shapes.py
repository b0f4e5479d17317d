"""Makes PodInfos, in which equal shapes are one object."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.framework.pod_info import PodInfo, PodShape
from pilotfish.framework.pod_terms import pod_terms
from pilotfish.framework.resources import host_ports, non_zero_requests, pod_requests
from pilotfish.framework.volumes import volume_uses

# A pod that asks for more fits nowhere, and a thousand of them still add up within int64.
LARGEST_REQUEST: Final = 2**53


class PodShapes:
    """The shapes that some pod has; one that nobody has any more is forgotten."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[Hashable, PodShape] = weakref.WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._known)

    def pod_info(self, pod: Pod, node_name: str) -> PodInfo:
        """Make what counts of a pod on a node."""
        meta = pod.metadata
        return PodInfo(
            uid=meta.uid,
            namespace=meta.namespace,
            name=meta.name,
            node_name=node_name,
            labels=meta.labels,
            priority=pod.spec.priority,
            shape=self._shape(pod),
            start_time=pod.status.start_time,
            is_terminating=pod.is_terminating,
            is_preempted=pod.is_preempted,
            qos_class=pod.status.qos_class,
            volumes=volume_uses(pod),
            generation=meta.generation,
        )

    def _shape(self, pod: Pod) -> PodShape:
        requests = {n: min(amount, LARGEST_REQUEST) for n, amount in pod_requests(pod).items()}
        milli_cpu, memory_bytes = non_zero_requests(pod)
        others = (
            min(milli_cpu, LARGEST_REQUEST),
            min(memory_bytes, LARGEST_REQUEST),
            host_ports(pod),
            pod_terms(pod),
        )
        key = (frozenset(requests.items()), others)
        shape = self._known.get(key)
        if shape is None:
            shape = self._known[key] = PodShape(requests, *others)
        return shape
