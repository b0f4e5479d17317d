"""The plugins that kube-scheduler has, and those that it enables by default.

Source: kubernetes v1.36 pkg/scheduler/apis/config/v1/default_plugins.go,
    pkg/scheduler/framework/plugins/names/names.go and each plugin's own interfaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pilotfish.config.types import PluginEntry

_FILTER: Final = frozenset({"pre_filter", "filter"})
_SCORE: Final = frozenset({"pre_score", "score"})

UPSTREAM_PLUGINS: Final[Mapping[str, frozenset[str]]] = {
    "SchedulingGates": frozenset({"pre_enqueue"}),
    "PrioritySort": frozenset({"queue_sort"}),
    "NodeUnschedulable": frozenset({"filter"}),
    "NodeName": frozenset({"filter"}),
    "TaintToleration": frozenset({"filter"}) | _SCORE,
    "NodeAffinity": _FILTER | _SCORE,
    "NodePorts": _FILTER,
    "NodeResourcesFit": _FILTER | _SCORE | {"placement_score"},
    "VolumeRestrictions": _FILTER,
    "NodeVolumeLimits": _FILTER,
    "VolumeBinding": _FILTER | _SCORE | {"reserve", "pre_bind"},
    "VolumeZone": _FILTER,
    "PodTopologySpread": _FILTER | _SCORE,
    "InterPodAffinity": _FILTER | _SCORE,
    "DynamicResources": _FILTER | {"pre_enqueue", "post_filter", "score", "reserve", "pre_bind"},
    "DefaultPreemption": frozenset({"pre_enqueue", "post_filter"}),
    "NodeResourcesBalancedAllocation": _SCORE,
    "ImageLocality": frozenset({"score"}),
    "DefaultBinder": frozenset({"bind"}),
    "NodeDeclaredFeatures": _FILTER,
    "GangScheduling": frozenset({"pre_enqueue", "permit"}),
    "TopologyPlacementGenerator": frozenset({"placement_generate"}),
    "PodGroupPodsCount": frozenset({"placement_score"}),
}
"""The extension points of each plugin, in the order of the default plugins."""

NOT_BY_DEFAULT: Final = frozenset(
    {"GangScheduling", "TopologyPlacementGenerator", "PodGroupPodsCount"}  # alpha features
)

_WEIGHTS: Final = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "DynamicResources": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}

DEFAULT_PLUGINS: Final = tuple(
    PluginEntry(name=name, weight=_WEIGHTS.get(name, 0))
    for name in UPSTREAM_PLUGINS
    if name not in NOT_BY_DEFAULT
)
"""What `multiPoint` enables when a file says nothing."""

REMOVED_PLUGINS: Final = frozenset({"AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"})
"""Once known, now refused by name."""
