"""Profiles of kube-scheduler: what may stand in its configuration file and changes placements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CPU: Final = {"name": "cpu", "weight": 1}
MEMORY: Final = {"name": "memory", "weight": 1}
GPU: Final = {"name": "nvidia.com/gpu", "weight": 3}
STORAGE: Final = {"name": "ephemeral-storage", "weight": 2}


def _args(**by_plugin: Mapping[str, Any]) -> dict[str, Any]:
    return {"pluginConfig": [{"name": name, "args": args} for name, args in by_plugin.items()]}


def _fit(kind: str, *resources: Mapping[str, Any], shape: Mapping[int, int] | None = None) -> Any:
    points = [{"utilization": at, "score": score} for at, score in (shape or {}).items()]
    ratio = {"requestedToCapacityRatio": {"shape": points}} if shape else {}
    strategy = {"type": kind, "resources": list(resources), **ratio}
    return _args(NodeResourcesFit={"scoringStrategy": strategy})


def _weights(**weights: int) -> dict[str, Any]:
    enabled = [{"name": name, "weight": weight} for name, weight in weights.items()]
    disabled = [{"name": name} for name in weights]
    return {"plugins": {"multiPoint": {"enabled": enabled, "disabled": disabled}}}


def _only(point: str, *, without: tuple[str, ...], with_: tuple[str, ...] = ()) -> dict[str, Any]:
    changes = {"disabled": [{"name": name} for name in without]}
    return {"plugins": {point: changes | {"enabled": [{"name": name} for name in with_]}}}


SPREAD_DEFAULTS: Final = (
    {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
    },
    {"maxSkew": 2, "topologyKey": "example.com/rack", "whenUnsatisfiable": "ScheduleAnyway"},
)
ADDED_TERMS: Final = (
    {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd", "hdd"]}]},
    {"matchExpressions": [{"key": "pool", "operator": "Exists"}]},
)
ADDED: Final = {
    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": ADDED_TERMS},
    "preferredDuringSchedulingIgnoredDuringExecution": [
        {
            "weight": 30,
            "preference": {"matchExpressions": [{"key": "gen", "operator": "Gt", "values": ["2"]}]},
        }
    ],
}

PROFILES: Final[tuple[dict[str, Any], ...]] = (
    _fit("MostAllocated", CPU, MEMORY),
    _fit("MostAllocated", CPU, GPU, STORAGE),
    _fit("LeastAllocated", CPU, MEMORY, STORAGE, GPU),
    _fit("LeastAllocated", GPU),
    _fit("RequestedToCapacityRatio", CPU, MEMORY, GPU, shape={0: 0, 50: 8, 100: 10}),
    _fit("RequestedToCapacityRatio", CPU, STORAGE, shape={10: 10, 40: 3, 90: 0}),
    _args(NodeResourcesBalancedAllocation={"resources": [CPU, MEMORY]}),
    _args(
        NodeResourcesBalancedAllocation={
            "resources": [{**one, "weight": 1} for one in (CPU, MEMORY, GPU, STORAGE)]
        }
    ),
    _args(NodeResourcesBalancedAllocation={"resources": [{**GPU, "weight": 1}]}),
    _args(
        NodeResourcesFit={
            "ignoredResources": ["example.com/fpga"],
            "ignoredResourceGroups": ["nvidia.com"],
        }
    ),
    _args(
        InterPodAffinity={"hardPodAffinityWeight": 50, "ignorePreferredTermsOfExistingPods": True}
    ),
    _args(InterPodAffinity={"hardPodAffinityWeight": 0}),
    _args(NodeAffinity={"addedAffinity": ADDED}),
    _args(PodTopologySpread={"defaultingType": "List", "defaultConstraints": SPREAD_DEFAULTS}),
    _args(PodTopologySpread={"defaultingType": "List"}),
    _weights(TaintToleration=1, NodeAffinity=5, InterPodAffinity=10, PodTopologySpread=7),
    _weights(ImageLocality=30, NodeResourcesFit=4, NodeResourcesBalancedAllocation=9),
    _only("filter", without=("NodePorts", "TaintToleration", "InterPodAffinity")),
    _only("score", without=("*",), with_=("NodeResourcesFit", "PodTopologySpread")),
    _only("postFilter", without=("*",)),
    _only("multiPoint", without=("NodeAffinity", "PodTopologySpread", "DefaultPreemption")),
    _only("multiPoint", without=("NodeResourcesFit", "DynamicResources")),
)
