"""The arguments that upstream's plugins take in `pluginConfig`, by plugin.

Source: kubernetes v1.36 staging/src/k8s.io/kube-scheduler/config/v1/types_pluginargs.go.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from pilotfish.api.affinity import NodeAffinity, TopologySpreadConstraint
from pilotfish.config.types import ConfigStruct, Int32, Int64


class DefaultPreemptionArgs(ConfigStruct, frozen=True):
    """How many candidate nodes preemption tries."""

    min_candidate_nodes_percentage: Int32 | None = None
    min_candidate_nodes_absolute: Int32 | None = None


class DynamicResourcesArgs(ConfigStruct, frozen=True):
    """How long looking for devices may take, and waiting for them; as in `10s`."""

    filter_timeout: str | None = None
    binding_timeout: str | None = None


class InterPodAffinityArgs(ConfigStruct, frozen=True):
    """What terms of pods in place weigh."""

    hard_pod_affinity_weight: Int32 | None = None
    ignore_preferred_terms_of_existing_pods: bool = False


class NodeAffinityArgs(ConfigStruct, frozen=True):
    """Affinity that every pod of the profile has beside its own."""

    added_affinity: NodeAffinity | None = None


class ResourceSpec(ConfigStruct, frozen=True):
    """A resource and what it weighs; 0 counts as 1."""

    name: str
    weight: Int64 = 0


class NodeResourcesBalancedAllocationArgs(ConfigStruct, frozen=True):
    """Which resources are balanced."""

    resources: tuple[ResourceSpec, ...] = ()


class UtilizationShapePoint(ConfigStruct, frozen=True):
    """A score, 0 to 10, at a utilization, 0 to 100."""

    utilization: Int32
    score: Int32


class RequestedToCapacityRatioParam(ConfigStruct, frozen=True):
    """The line from point to point that scores follow."""

    shape: tuple[UtilizationShapePoint, ...] = ()


class ScoringStrategy(ConfigStruct, frozen=True):
    """How the requests on a node become its score."""

    type: str = ""
    resources: tuple[ResourceSpec, ...] = ()
    requested_to_capacity_ratio: RequestedToCapacityRatioParam | None = None


class NodeResourcesFitArgs(ConfigStruct, frozen=True):
    """What need not fit, and how nodes are scored."""

    ignored_resources: tuple[str, ...] = ()
    ignored_resource_groups: tuple[str, ...] = ()
    scoring_strategy: ScoringStrategy | None = None


class PodTopologySpreadArgs(ConfigStruct, frozen=True):
    """Constraints for pods that have none of their own."""

    default_constraints: tuple[TopologySpreadConstraint, ...] = ()
    defaulting_type: str = ""


class VolumeBindingArgs(ConfigStruct, frozen=True):
    """How long a pod waits for its volumes."""

    bind_timeout_seconds: Int64 | None = None
    shape: tuple[UtilizationShapePoint, ...] | None = None


PluginArgs: TypeAlias = (
    DefaultPreemptionArgs
    | DynamicResourcesArgs
    | InterPodAffinityArgs
    | NodeAffinityArgs
    | NodeResourcesBalancedAllocationArgs
    | NodeResourcesFitArgs
    | PodTopologySpreadArgs
    | VolumeBindingArgs
)

ARGS: Final[dict[str, type[PluginArgs]]] = {
    "DefaultPreemption": DefaultPreemptionArgs,
    "DynamicResources": DynamicResourcesArgs,
    "InterPodAffinity": InterPodAffinityArgs,
    "NodeAffinity": NodeAffinityArgs,
    "NodeResourcesBalancedAllocation": NodeResourcesBalancedAllocationArgs,
    "NodeResourcesFit": NodeResourcesFitArgs,
    "PodTopologySpread": PodTopologySpreadArgs,
    "VolumeBinding": VolumeBindingArgs,
}
"""The type of the arguments, by plugin; in files its name is the plugin's with `Args`."""
