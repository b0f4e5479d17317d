"""Services and controllers: which pods are of a kind with a pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector, LabelSelectorRequirement
from pilotfish.api.workloads import ReplicaSet, ReplicationController, Service, StatefulSet
from pilotfish.framework.pod_terms import PodSelector
from pilotfish.framework.selector_set import SelectorSet

Workload: TypeAlias = Service | ReplicationController | ReplicaSet | StatefulSet
Key: TypeAlias = tuple[str, str, str, str]  # apiVersion, kind, namespace and name

KINDS: Final[Mapping[type[KubernetesObject], tuple[str, str]]] = {
    ReplicationController: ("v1", "ReplicationController"),
    ReplicaSet: ("apps/v1", "ReplicaSet"),
    StatefulSet: ("apps/v1", "StatefulSet"),
}
"""What owner references say of each kind of controller."""


class Workloads:
    """Services and controllers of all namespaces."""

    def __init__(self) -> None:
        self._known: dict[str, Workload] = {}  # by uid
        self._controllers: dict[Key, ReplicationController | ReplicaSet | StatefulSet] = {}
        self._services: dict[str, SelectorSet[str, Mapping[str, str]]] = {}  # by namespace and uid

    def set(self, workload: Workload) -> None:
        """Insert or update a service or controller."""
        old = self._known.get(workload.uid)
        if old is not None:
            if old.spec == workload.spec:
                return
            self.remove(workload.uid)
        self._known[workload.uid] = workload
        if not isinstance(workload, Service):
            self._controllers[_key(workload)] = workload
        elif workload.spec.selector:
            selector = LabelSelector(workload.spec.selector)
            meant = (PodSelector(frozenset({workload.namespace}), selector),)
            services = self._services.setdefault(workload.namespace, SelectorSet({}))
            services.put(workload.uid, meant, workload.spec.selector)

    def remove(self, uid: str) -> None:
        """Forget a service or controller, if it is known."""
        workload = self._known.pop(uid, None)
        if workload is None:
            return
        if not isinstance(workload, Service):
            key = _key(workload)
            if self._controllers[key] is workload:  # else another one has its name now
                del self._controllers[key]
        elif workload.spec.selector:
            services = self._services[workload.namespace]
            services.drop(uid)
            if not services:
                del self._services[workload.namespace]

    def default_selector(self, pod: Pod) -> LabelSelector:
        """Select what the services of a pod and its controller select; empty without any.

        Source: kubernetes v1.36 pkg/scheduler/framework/plugins/helper/spread.go.
        """
        labels: dict[str, str] = {}
        services = self._services.get(pod.namespace)
        if services is not None:
            for of_service in services.selecting(pod.namespace, pod.labels):
                labels |= of_service
        match self._controller_of(pod):
            case ReplicationController(spec=spec):
                return LabelSelector(labels | spec.selector)
            case ReplicaSet(spec=spec) | StatefulSet(spec=spec) if spec.selector is not None:
                same = (
                    LabelSelectorRequirement(key, "In", (value,))
                    for key, value in spec.selector.match_labels.items()
                )
                return LabelSelector(labels, (*same, *spec.selector.match_expressions))
            case _:
                return LabelSelector(labels)

    def _controller_of(self, pod: Pod) -> ReplicationController | ReplicaSet | StatefulSet | None:
        for owner in pod.metadata.owner_references:
            if owner.controller:
                return self._controllers.get(
                    (owner.api_version, owner.kind, pod.namespace, owner.name)
                )
        return None


def _key(workload: ReplicationController | ReplicaSet | StatefulSet) -> Key:
    return (*KINDS[type(workload)], workload.namespace, workload.name)
