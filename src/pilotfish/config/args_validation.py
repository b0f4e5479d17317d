"""Check complete arguments of plugins by upstream's rules; paths are those below `args`.

Source: kubernetes v1.36 pkg/scheduler/apis/config/validation/validation_pluginargs.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pilotfish.api.affinity import NodeAffinity
from pilotfish.api.selectors import NodeSelector, NodeSelectorTerm, int64
from pilotfish.config.duration import parse_duration
from pilotfish.config.errors import Problem, did_you_mean
from pilotfish.config.plugin_args import (
    DefaultPreemptionArgs,
    DynamicResourcesArgs,
    InterPodAffinityArgs,
    NodeAffinityArgs,
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    PodTopologySpreadArgs,
    ScoringStrategy,
    UtilizationShapePoint,
    VolumeBindingArgs,
)

STRATEGIES: Final = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")
HUNDRED: Final = 100
MAX_SHAPE_SCORE: Final = 10
SECOND: Final = 10**9

_NAME: Final = r"(?=.{1,63}$)[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_LABEL_VALUE: Final = re.compile(rf"(?:{_NAME})?")
_QUALIFIED_NAME: Final = re.compile(rf"(?:(?=[^/]{{1,253}}/){_LABEL}(?:\.{_LABEL})*/)?{_NAME}")


def problems_of_args(args: Any) -> Iterator[Problem]:
    """Yield all that is wrong with the arguments of one plugin."""
    match args:
        case DefaultPreemptionArgs():
            yield from _of_default_preemption(args)
        case DynamicResourcesArgs():
            if parse_duration(args.filter_timeout or "0") < 0:
                yield Problem("filterTimeout", "must not be negative")
            if parse_duration(args.binding_timeout or "0") < SECOND:
                yield Problem("bindingTimeout", "must be at least 1s")
        case InterPodAffinityArgs():
            yield from _in_range("hardPodAffinityWeight", args.hard_pod_affinity_weight, HUNDRED)
        case NodeAffinityArgs(added_affinity=NodeAffinity() as affinity):
            yield from _of_added_affinity(affinity)
        case NodeResourcesBalancedAllocationArgs():
            yield from _of_balanced_allocation(args)
        case NodeResourcesFitArgs():
            yield from _of_fit(args)
        case PodTopologySpreadArgs():
            yield from _of_spread(args)
        case VolumeBindingArgs():
            if (args.bind_timeout_seconds or 0) < 0:
                yield Problem("bindTimeoutSeconds", "must not be negative")
            if args.shape is not None:
                yield Problem("shape", "belongs to StorageCapacityScoring, an alpha feature")
        case _:
            pass


def _of_default_preemption(args: DefaultPreemptionArgs) -> Iterator[Problem]:
    percentage, absolute = args.min_candidate_nodes_percentage, args.min_candidate_nodes_absolute
    yield from _in_range("minCandidateNodesPercentage", percentage, HUNDRED)
    if (absolute or 0) < 0:
        yield Problem("minCandidateNodesAbsolute", "must not be negative")
    if percentage == 0 and absolute == 0:
        reason = "must not be 0 while minCandidateNodesAbsolute is 0"
        yield Problem("minCandidateNodesPercentage", reason)


def _of_added_affinity(affinity: NodeAffinity) -> Iterator[Problem]:
    """Check what decoding does not: it knows which operators and how many values there can be."""
    path = "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    for i, term in enumerate((affinity.required or NodeSelector()).node_selector_terms):
        yield from _of_term(f"{path}[{i}]", term)
    path = "addedAffinity.preferredDuringSchedulingIgnoredDuringExecution"
    for i, preferred in enumerate(affinity.preferred):
        yield from _of_term(f"{path}[{i}].preference", preferred.preference)


def _of_term(path: str, term: NodeSelectorTerm) -> Iterator[Problem]:
    for i, one in enumerate(term.match_expressions):
        here = f"{path}.matchExpressions[{i}]"
        if _QUALIFIED_NAME.fullmatch(one.key) is None:
            yield Problem(f"{here}.key", f"{one.key!r} is no label key")
        for j, value in enumerate(one.values):
            if _LABEL_VALUE.fullmatch(value) is None:
                yield Problem(f"{here}.values[{j}]", f"{value!r} is no label value")
            elif one.operator in ("Gt", "Lt") and int64(value) is None:
                yield Problem(f"{here}.values[{j}]", f"{value!r} is no integer")


def _of_balanced_allocation(args: NodeResourcesBalancedAllocationArgs) -> Iterator[Problem]:
    names = [one.name for one in args.resources]
    for i, one in enumerate(args.resources):
        if one.name in names[:i]:
            yield Problem(f"resources[{i}].name", f"{one.name} stands there twice")
        if one.weight != 1:
            yield Problem(f"resources[{i}].weight", "must be 1")


def _of_fit(args: NodeResourcesFitArgs) -> Iterator[Problem]:
    for i, name in enumerate(args.ignored_resources):
        if _QUALIFIED_NAME.fullmatch(name) is None:
            yield Problem(f"ignoredResources[{i}]", f"{name!r} is no resource name")
    for i, group in enumerate(args.ignored_resource_groups):
        if "/" in group or _QUALIFIED_NAME.fullmatch(group) is None:
            reason = f"{group!r} is no group: it is what stands before the slash of a name"
            yield Problem(f"ignoredResourceGroups[{i}]", reason)
    strategy = args.scoring_strategy or ScoringStrategy()
    for problem in _of_strategy(strategy):
        yield Problem(f"scoringStrategy.{problem.path}", problem.reason)


def _of_strategy(strategy: ScoringStrategy) -> Iterator[Problem]:
    if strategy.type not in STRATEGIES:
        hint = did_you_mean(strategy.type, STRATEGIES)
        yield Problem("type", f"there is no strategy {strategy.type!r}; {hint}")
    for i, one in enumerate(strategy.resources):
        if not 0 < one.weight <= HUNDRED:
            yield Problem(f"resources[{i}].weight", "must be between 1 and 100")
    ratio = strategy.requested_to_capacity_ratio
    if strategy.type != "RequestedToCapacityRatio":
        if ratio is not None:
            reason = "goes with the type RequestedToCapacityRatio only"
            yield Problem("requestedToCapacityRatio", reason)
    elif ratio is None:
        yield Problem("requestedToCapacityRatio", "is needed, with a shape")
    else:
        yield from _of_shape(ratio.shape)


def _of_shape(shape: Sequence[UtilizationShapePoint]) -> Iterator[Problem]:
    path = "requestedToCapacityRatio.shape"
    if not shape:
        yield Problem(path, "needs at least one point")
    for i, point in enumerate(shape):
        if i and shape[i - 1].utilization >= point.utilization:
            yield Problem(f"{path}[{i}].utilization", "must be greater than that before it")
        yield from _in_range(f"{path}[{i}].utilization", point.utilization, HUNDRED)
        yield from _in_range(f"{path}[{i}].score", point.score, MAX_SHAPE_SCORE)


def _of_spread(args: PodTopologySpreadArgs) -> Iterator[Problem]:
    if args.defaulting_type not in ("System", "List"):
        yield Problem("defaultingType", "must be System or List")
    elif args.default_constraints and args.defaulting_type == "System":
        yield Problem("defaultingType", "must be List where there are defaultConstraints")
    seen: set[tuple[str, str]] = set()
    for i, one in enumerate(args.default_constraints):
        path = f"defaultConstraints[{i}]"
        if one.max_skew <= 0:
            yield Problem(f"{path}.maxSkew", "must be greater than 0")
        if _QUALIFIED_NAME.fullmatch(one.topology_key) is None:
            yield Problem(f"{path}.topologyKey", f"{one.topology_key!r} is no label key")
        if one.label_selector is not None:
            reason = "must be left out: the pods are those of the pod's services and controllers"
            yield Problem(f"{path}.labelSelector", reason)
        if (one.topology_key, one.when_unsatisfiable) in seen:
            yield Problem(path, f"there is one for {one.topology_key} already")
        seen.add((one.topology_key, one.when_unsatisfiable))


def _in_range(path: str, number: int | None, largest: int) -> Iterator[Problem]:
    if number is not None and not 0 <= number <= largest:
        yield Problem(path, f"must be between 0 and {largest}")
