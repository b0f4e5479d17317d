"""The plugins of this package, and the profile that upstream makes of them by default."""

from __future__ import annotations

from typing import Final

from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.registry import Registry
from pilotfish.plugins.default_binder import DefaultBinder
from pilotfish.plugins.default_preemption import DefaultPreemption
from pilotfish.plugins.dynamic_resources import DynamicResources
from pilotfish.plugins.image_locality import ImageLocality
from pilotfish.plugins.inter_pod_affinity import InterPodAffinity
from pilotfish.plugins.node_affinity import NodeAffinity
from pilotfish.plugins.node_declared_features import NodeDeclaredFeatures
from pilotfish.plugins.node_name import NodeName
from pilotfish.plugins.node_ports import NodePorts
from pilotfish.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from pilotfish.plugins.node_resources_fit import NodeResourcesFit
from pilotfish.plugins.node_unschedulable import NodeUnschedulable
from pilotfish.plugins.node_volume_limits import NodeVolumeLimits
from pilotfish.plugins.pod_topology_spread import PodTopologySpread
from pilotfish.plugins.priority_sort import PrioritySort
from pilotfish.plugins.scheduling_gates import SchedulingGates
from pilotfish.plugins.taint_toleration import TaintToleration
from pilotfish.plugins.volume_binding import VolumeBinding
from pilotfish.plugins.volume_restrictions import VolumeRestrictions
from pilotfish.plugins.volume_zone import VolumeZone

DEFAULT_WEIGHTS: Final = {
    SchedulingGates: 1,
    PrioritySort: 1,
    NodeUnschedulable: 1,
    NodeName: 1,
    TaintToleration: 3,
    NodeAffinity: 2,
    NodePorts: 1,
    NodeResourcesFit: 1,
    VolumeRestrictions: 1,
    NodeVolumeLimits: 1,
    VolumeBinding: 1,
    VolumeZone: 1,
    PodTopologySpread: 2,
    InterPodAffinity: 2,
    DynamicResources: 2,
    DefaultPreemption: 1,
    NodeResourcesBalancedAllocation: 1,
    ImageLocality: 1,
    DefaultBinder: 1,
    NodeDeclaredFeatures: 1,
}
"""In the order in which they run; a weight matters to plugins with a score only.

Source: kubernetes v1.36 pkg/scheduler/apis/config/v1/default_plugins.go.
"""


def default_registry() -> Registry:
    """Make a registry of the plugins of this package."""
    return Registry(*DEFAULT_WEIGHTS)


def default_profile(scheduler_name: str) -> Profile:
    """Make the default profile for a scheduler name."""
    enabled = [EnabledPlugin(plugin(), weight) for plugin, weight in DEFAULT_WEIGHTS.items()]
    return Profile(scheduler_name, enabled)
