"""Namespaces, workloads and budgets: what scheduling reads of the objects around pods."""

from __future__ import annotations

import msgspec

from pilotfish.api.meta import ApiStruct, KubernetesObject
from pilotfish.api.selectors import LabelSelector


class Namespace(KubernetesObject, frozen=True):
    """A namespace; its labels decide which pods an affinity term sees."""

    __hash__ = KubernetesObject.__hash__


class MapSelectorSpec(ApiStruct, frozen=True):
    """A spec that selects pods by equal labels; the empty selector selects none."""

    selector: dict[str, str] = msgspec.field(default_factory=dict)


class LabelSelectorSpec(ApiStruct, frozen=True):
    """A spec that selects pods by a label selector; without one it selects none."""

    selector: LabelSelector | None = None


class Service(KubernetesObject, frozen=True):
    """A service, whose pods are spread by default."""

    __hash__ = KubernetesObject.__hash__

    spec: MapSelectorSpec = MapSelectorSpec()


class ReplicationController(KubernetesObject, frozen=True):
    """A replication controller, whose pods are spread by default."""

    __hash__ = KubernetesObject.__hash__

    spec: MapSelectorSpec = MapSelectorSpec()


class ReplicaSet(KubernetesObject, frozen=True):
    """A replica set, whose pods are spread by default."""

    __hash__ = KubernetesObject.__hash__

    spec: LabelSelectorSpec = LabelSelectorSpec()


class StatefulSet(KubernetesObject, frozen=True):
    """A stateful set, whose pods are spread by default."""

    __hash__ = KubernetesObject.__hash__

    spec: LabelSelectorSpec = LabelSelectorSpec()


class PodDisruptionBudgetStatus(ApiStruct, frozen=True):
    """How many more pods may be disrupted, and which already are."""

    disruptions_allowed: int = 0
    disrupted_pods: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # pod name -> time of its eviction, RFC 3339


class PodDisruptionBudget(KubernetesObject, frozen=True):
    """A limit on the disruption of the pods that it selects; preemption avoids breaking it."""

    __hash__ = KubernetesObject.__hash__

    spec: LabelSelectorSpec = LabelSelectorSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
