"""Pods: the fields that scheduling reads."""

from __future__ import annotations

from typing import Literal

import msgspec

from pilotfish.api.affinity import Affinity, TopologySpreadConstraint
from pilotfish.api.meta import ApiStruct, KubernetesObject
from pilotfish.api.node import Effect, Taint
from pilotfish.api.quantity import Quantity
from pilotfish.api.volumes import ISCSI, RBD, MigratedSource

DEFAULT_SCHEDULER_NAME = "default-scheduler"  # what the API server fills in
DISRUPTION_TARGET = "DisruptionTarget"  # the condition of pods that must go
PREEMPTION_BY_SCHEDULER = "PreemptionByScheduler"
TERMINAL_PHASES = ("Succeeded", "Failed")


class ResourceRequirements(ApiStruct, frozen=True):
    """What a container, or a whole pod, asks for."""

    requests: dict[str, Quantity] = msgspec.field(default_factory=dict)
    limits: dict[str, Quantity] = msgspec.field(default_factory=dict)


class ContainerPort(ApiStruct, frozen=True):
    """A port of a container; only those with a host port concern the node."""

    container_port: int = 0
    host_port: int = 0
    host_ip: str = msgspec.field(default="", name="hostIP")
    protocol: str = "TCP"


class ContainerRestartRule(ApiStruct, frozen=True):
    """What happens when a container exits."""

    action: str = ""


class Container(ApiStruct, frozen=True):
    """A container or init container."""

    name: str = ""
    image: str = ""
    resources: ResourceRequirements = ResourceRequirements()
    ports: tuple[ContainerPort, ...] = ()
    restart_policy: str | None = None  # "Always" makes an init container a sidecar
    restart_policy_rules: tuple[ContainerRestartRule, ...] = ()


class Toleration(ApiStruct, frozen=True):
    """What lets a pod onto a tainted node."""

    key: str = ""
    operator: Literal["", "Exists", "Equal", "Lt", "Gt"] = ""
    value: str = ""
    effect: Effect | Literal[""] = ""

    def tolerates(self, taint: Taint) -> bool:
        """Say whether this toleration covers the taint.

        An empty effect covers every effect; an empty key with `Exists` covers every key. `Lt` and
        `Gt` are alpha upstream and cover nothing while their feature gate is off.

        Source: kubernetes v1.36 staging/src/k8s.io/api/core/v1/toleration.go.
        """
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        match self.operator:
            case "Exists":
                return True
            case "" | "Equal":
                return self.value == taint.value
            case _:
                return False


class PodSchedulingGate(ApiStruct, frozen=True):
    """A named reason not to schedule a pod yet."""

    name: str


class PodResourceClaim(ApiStruct, frozen=True):
    """A claim on devices."""

    name: str


class PodSchedulingGroup(ApiStruct, frozen=True):
    """The group that a pod is to be scheduled with."""

    pod_group_name: str | None = None


class ImageVolumeSource(ApiStruct, frozen=True):
    """A volume that is an OCI image."""

    reference: str = ""


class PersistentVolumeClaimVolumeSource(ApiStruct, frozen=True):
    """A volume that a claim of the pod's namespace is bound to."""

    claim_name: str = ""


class EphemeralVolumeSource(ApiStruct, frozen=True):
    """A volume with a claim of its own, which is made for the pod and goes with it."""


class Volume(MigratedSource, frozen=True):
    """A volume of a pod."""

    name: str = ""
    image: ImageVolumeSource | None = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    ephemeral: EphemeralVolumeSource | None = None
    iscsi: ISCSI | None = None
    rbd: RBD | None = None


class PodSpec(ApiStruct, frozen=True):
    """The part of a pod's spec that scheduling reads."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    scheduler_name: str = DEFAULT_SCHEDULER_NAME
    node_name: str = ""
    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    priority: int = 0
    preemption_policy: str | None = None
    overhead: dict[str, Quantity] = msgspec.field(default_factory=dict)
    resources: ResourceRequirements | None = None  # pod-level
    host_network: bool = False
    host_users: bool | None = None
    scheduling_gates: tuple[PodSchedulingGate, ...] = ()
    volumes: tuple[Volume, ...] = ()
    resource_claims: tuple[PodResourceClaim, ...] = ()
    scheduling_group: PodSchedulingGroup | None = None


class PodCondition(ApiStruct, frozen=True):
    """One condition of a pod's status."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class ContainerStatus(ApiStruct, frozen=True):
    """What a container was given, which in-place resize may make differ from its spec."""

    name: str = ""
    resources: ResourceRequirements | None = None
    allocated_resources: dict[str, Quantity] = msgspec.field(default_factory=dict)


class PodStatus(ApiStruct, frozen=True):
    """The part of a pod's status that scheduling reads."""

    phase: str = ""
    nominated_node_name: str = ""
    qos_class: Literal["", "Guaranteed", "Burstable", "BestEffort"] = ""
    start_time: str | None = None
    conditions: tuple[PodCondition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    resources: ResourceRequirements | None = None  # pod-level, as given
    allocated_resources: dict[str, Quantity] = msgspec.field(default_factory=dict)


class Pod(KubernetesObject, frozen=True):
    """A pod."""

    __hash__ = KubernetesObject.__hash__

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    def tolerates(self, taint: Taint) -> bool:
        """Say whether one of the pod's tolerations covers the taint."""
        return any(t.tolerates(taint) for t in self.spec.tolerations)

    @property
    def node_name(self) -> str:
        """The node that the pod is bound to; empty while it is pending."""
        return self.spec.node_name

    @property
    def priority(self) -> int:
        """The pod's priority; larger is more important."""
        return self.spec.priority

    @property
    def qos_class(self) -> str:
        """Guaranteed, Burstable or BestEffort, as the API server says; empty before it did."""
        return self.status.qos_class

    @property
    def is_terminal(self) -> bool:
        """Whether the pod has ended and holds no resources any more."""
        return self.status.phase in TERMINAL_PHASES

    @property
    def is_terminating(self) -> bool:
        """Whether the pod is being deleted."""
        return self.metadata.deletion_timestamp is not None

    @property
    def is_preempted(self) -> bool:
        """Whether the pod is being deleted because a scheduler makes room."""
        return self.is_terminating and any(
            condition.type == DISRUPTION_TARGET
            and condition.status == "True"
            and condition.reason == PREEMPTION_BY_SCHEDULER
            for condition in self.status.conditions
        )
