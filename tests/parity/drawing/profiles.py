"""Profiles of kube-scheduler: what may stand in its configuration file and changes placements."""

from __future__ import annotations

from typing import Any, Final

from parity.drawing.draw import RACK, TOPOLOGY_KEYS, Draw, Manifest
from parity.drawing.pods import node_term

RESOURCES: Final = ("cpu", "memory", "nvidia.com/gpu", "ephemeral-storage", "hugepages-2Mi")
FILTERS: Final = (
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
)
SCORES: Final = (
    "TaintToleration",
    "NodeAffinity",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
    "NodeResourcesBalancedAllocation",
    "ImageLocality",
)
OTHERS: Final = ("DefaultPreemption", "DynamicResources")


def profile(draw: Draw) -> dict[str, Any]:
    """Draw which plugins run, with what weights and arguments."""
    made: dict[str, Any] = {}
    if draw.chance(0.6):
        made["plugins"] = _plugins(draw)
    if draw.chance(0.7):
        names = draw.some(tuple(ARGUMENTS), 1, 3)
        made["pluginConfig"] = [{"name": name, "args": ARGUMENTS[name](draw)} for name in names]
    return made


def _plugins(draw: Draw) -> dict[str, Any]:
    """Draw changes at some extension points.

    What `multiPoint` disables is enabled nowhere else: its filter would find no state.
    """
    made: dict[str, Any] = {}
    gone: set[str] = set()
    if draw.chance(0.6):
        disabled = draw.some(sorted({*FILTERS, *SCORES, *OTHERS}), 0, 4)
        enabled = draw.some(sorted({*FILTERS, *SCORES}), 0, 3)
        made["multiPoint"] = {
            "disabled": [{"name": name} for name in disabled],
            "enabled": [{"name": name, "weight": draw.between(1, 20)} for name in enabled],
        }
        gone = set(disabled) - set(enabled)
    for point, names in (("filter", FILTERS), ("score", SCORES)):
        if draw.chance(0.4):
            made[point] = _point(draw, [name for name in names if name not in gone])
    if draw.chance(0.15):
        made["postFilter"] = {"disabled": [{"name": draw.one(("*", *OTHERS))}]}
    return made


def _point(draw: Draw, names: list[str]) -> Manifest:
    """Draw a change at one point; an enabled plugin goes before those of `multiPoint`.

    Some plugin stays: without scores upstream looks for one feasible node only.
    """
    disabled = ["*"] if draw.chance(0.2) else draw.some(names, 0, 3)
    enabled: list[Manifest] = [{"name": name} for name in draw.some(names, 1, 3)]
    for one in enabled:
        if draw.chance(0.5):
            one["weight"] = draw.between(1, 9)
    return {"disabled": [{"name": name} for name in disabled], "enabled": enabled}


def _weighted(draw: Draw) -> list[Manifest]:
    names = draw.some(RESOURCES, 1, 4)
    return [{"name": name, "weight": draw.between(1, 10)} for name in names]


def _fit(draw: Draw) -> Manifest:
    kind = draw.one(("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"))
    strategy: Manifest = {"type": kind, "resources": _weighted(draw)}
    if kind == "RequestedToCapacityRatio":
        points = sorted(draw.some(range(0, 101, 5), 1, 4))
        shape = [{"utilization": at, "score": draw.between(0, 10)} for at in points]
        strategy["requestedToCapacityRatio"] = {"shape": shape}
    made: Manifest = {"scoringStrategy": strategy}
    if draw.chance(0.3):
        made["ignoredResources"] = ["example.com/fpga"]
    if draw.chance(0.3):
        made["ignoredResourceGroups"] = [draw.one(("nvidia.com", "example.com"))]
    return made


def _balanced(draw: Draw) -> Manifest:
    return {"resources": [{"name": name, "weight": 1} for name in draw.some(RESOURCES, 1, 4)]}


def _pod_affinity(draw: Draw) -> Manifest:
    weight = draw.one((0, 1, 50, 100))
    return {
        "hardPodAffinityWeight": weight,
        "ignorePreferredTermsOfExistingPods": draw.chance(0.5),
    }


def _spread(draw: Draw) -> Manifest:
    if draw.chance(0.2):
        return {"defaultingType": "System"}
    drawn = {}
    for _ in range(draw.between(0, 3)):
        key, action = (
            draw.one((*TOPOLOGY_KEYS, RACK)),
            draw.one(("DoNotSchedule", "ScheduleAnyway")),
        )
        skew = draw.between(1, 3)
        drawn[key, action] = {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": action}
    return {"defaultingType": "List", "defaultConstraints": list(drawn.values())}


def _node_affinity(draw: Draw) -> Manifest:
    added: Manifest = {}
    if draw.chance(0.6):
        terms = [node_term(draw) for _ in range(draw.between(1, 2))]
        added["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    if draw.chance(0.6):
        added["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": draw.between(1, 100), "preference": node_term(draw)}
        ]
    return {"addedAffinity": added}


ARGUMENTS: Final = {
    "NodeResourcesFit": _fit,
    "NodeResourcesBalancedAllocation": _balanced,
    "InterPodAffinity": _pod_affinity,
    "PodTopologySpread": _spread,
    "NodeAffinity": _node_affinity,
}
