"""A profile: the plugins of one scheduler name, and how they are run on one pod.

Source: kubernetes v1.36 pkg/scheduler/framework/runtime/framework.go,
    pkg/scheduler/schedule_one.go.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.framework.answers import (
    as_hits,
    as_is,
    as_post_filtered,
    as_pre_filtered,
    as_reject,
    as_scores,
    as_sort_key,
)
from pilotfish.framework.arrays import Mask, Scores
from pilotfish.framework.binding_points import BindingPoints
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.errors import ProfileError
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import EXTENSION_POINTS, Plugin, check_plugin, implements
from pilotfish.framework.plugin_call import PluginCall
from pilotfish.framework.post_filter import Decline, Nominate, PostFiltered
from pilotfish.framework.profile_results import Filtered, RejectedBy, Scored
from pilotfish.framework.rejection import NodeSubset, Reject, Skip
from pilotfish.framework.stopwatch import Lap, Stopwatch, unmeasured

TIMED_POINTS = ("pre_filter", "filter", "post_filter", "pre_score", "score")


class EnabledPlugin(msgspec.Struct, frozen=True):
    """A plugin of a profile and the weight of its scores."""

    plugin: Plugin
    weight: int = 1


class _PreFiltered(msgspec.Struct, frozen=True):
    """What `pre_filter` of all plugins said."""

    states: dict[str, object]
    subsets: dict[str, frozenset[str]]
    rejected: RejectedBy | None = None


class Profile:
    """The plugins that decide for one scheduler name.

    Args:
        scheduler_name: of the pods that it is for.
        enabled: the plugins, in the order in which they run.
        order: the names of those that run at an extension point, in order, where these are not all
            that have it in the order of `enabled`.
        percentage_of_nodes_to_score: of how many nodes the search for feasible ones is over; 0 and
            100 are all.

    Raises:
        ProfileError: a plugin is wrong in itself or does not go with the others.
    """

    def __init__(
        self,
        scheduler_name: str,
        enabled: Sequence[EnabledPlugin],
        order: Mapping[str, Sequence[str]] | None = None,
        percentage_of_nodes_to_score: int = 0,
    ) -> None:
        self.scheduler_name = scheduler_name
        self.enabled = tuple(enabled)
        self.percentage_of_nodes_to_score = percentage_of_nodes_to_score
        self._order = order or {}
        _check_names(scheduler_name, [one.plugin.name for one in enabled])
        for one in enabled:
            check_plugin(one.plugin)
        self._calls = {point: self._calls_of(point) for point in EXTENSION_POINTS}
        self.binding = BindingPoints(self._calls)
        self._with_pre_filter = {call.name for call in self._calls["pre_filter"]}
        self._stopwatch: Stopwatch | None = None
        sorting = [call.name for call in self._calls["sort_key"]]
        if len(sorting) != 1:
            raise ProfileError(
                f"profile {scheduler_name!r} needs exactly one plugin with sort_key; "
                f"it has {', '.join(sorting) or 'none'}"
            )

    @property
    def reads(self) -> frozenset[str]:
        """The kinds of objects beside pods and nodes that its plugins need to know."""
        return frozenset[str]().union(*(one.plugin.reads for one in self.enabled))

    @property
    def assumes(self) -> frozenset[str]:
        """The kinds of objects that its plugins assume."""
        return frozenset[str]().union(*(one.plugin.assumes for one in self.enabled))

    def has(self, extension_point: str) -> bool:
        """Say whether a plugin runs there."""
        return bool(self._calls[extension_point])

    @property
    def sorts_by(self) -> str:
        """The name of the plugin that sorts the queue."""
        return self._calls["sort_key"][0].name

    def time_by(self, stopwatch: Stopwatch, plugins: Container[str]) -> None:
        """Tell a stopwatch what each of these plugins takes for each pod."""
        self._stopwatch = stopwatch
        for point in TIMED_POINTS:
            for call in self._calls[point]:
                if call.name in plugins:
                    call.stopwatch = stopwatch

    def sort_key(self, pod: Pod, timestamp: float) -> tuple[Any, ...]:
        """Return the pod's place in the active queue; smaller comes first.

        Raises:
            PluginError: the plugin raised, or broke its contract.
        """
        (call,) = self._calls["sort_key"]
        read = as_is if call.plugin.is_verified else as_sort_key
        return call({"pod": pod, "timestamp": timestamp}, read)

    def pre_enqueue(self, pod: Pod) -> RejectedBy | None:
        """Ask whether the pod may become active; the first no counts."""
        for call in self._calls["pre_enqueue"]:
            reject = call({"pod": pod}, as_reject)
            if reject is not None:
                return _rejected(call, reject)
        return None

    def filter(self, pod: Pod, cluster: Cluster, lap: Lap = unmeasured) -> Filtered:
        """Find the feasible nodes for a pod.

        Raises:
            PluginError: a plugin raised, or broke its contract.
        """
        nodes = cluster.nodes
        if self._stopwatch is not None:
            self._stopwatch.cycle(pod.key)
        found = self._pre_filter(pod, cluster)
        lap("PreFilter", _status(found.rejected))
        if found.rejected is not None:
            nowhere = np.zeros(len(nodes), dtype=np.bool_)
            return Filtered(nowhere, (found.rejected,), found.states)
        everywhere = np.ones(len(nodes), dtype=np.bool_)
        if not found.subsets:
            return self.refilter(pod, nodes, Filtered(everywhere, (), found.states))
        inside = nodes.mask_of(frozenset.intersection(*found.subsets.values()))
        outside = tuple(_outside(found.subsets, ~inside))
        return self.refilter(pod, nodes, Filtered(inside, outside, found.states, inside))

    def reads_pods(self, states: Mapping[str, object]) -> bool:
        """Say whether a filter reads which pods are in place, of those with these states."""
        return any(call.plugin.reads_pods for call in self._filters(states))

    def refilter(
        self, pod: Pod, nodes: NodeTable, given: Filtered, *, by_sums: bool = False
    ) -> Filtered:
        """Run the filters on a table, with the states given, where `given.feasible` says.

        Args:
            pod: the pod to place.
            nodes: the table.
            given: where to filter, what is rejected already, and the states.
            by_sums: leave out those that read which pods are in place.

        Raises:
            PluginError: a plugin raised, or broke its contract.
        """
        alive = given.feasible.view()
        rejections = list(given.rejections)
        arguments: dict[str, Any] = {"pod": pod, "nodes": nodes}
        for call in self._filters(given.states):
            if by_sums and call.plugin.reads_pods:
                continue
            alive.flags.writeable = False
            arguments["alive"] = alive
            arguments["state"] = given.states.get(call.name)
            # Not counted: nodes that an earlier plugin rejected. Counted for each of its reasons:
            # a node that this plugin rejects for several.
            hits = call(arguments, partial(as_hits, alive))
            if not hits:
                continue
            rejections += [_rejected(call, reject, hit) for reject, hit in hits]
            alive = alive & ~np.logical_or.reduce([hit for _, hit in hits])
            if not alive.any():
                break
        return Filtered(alive, rejections, given.states, given.searched)

    def post_filter(
        self, pod: Pod, cluster: Cluster, filtered: Filtered, what_if: object
    ) -> PostFiltered:
        """Ask what can be done for a pod without a feasible node.

        Raises:
            PluginError: a plugin raised, or broke its contract.
        """
        arguments: dict[str, Any] = {"pod": pod, "cluster": cluster, "nodes": cluster.nodes}
        arguments |= {"rejections": filtered.rejections, "what_if": what_if}
        declined: list[Decline] = []
        for call in self._calls["post_filter"]:
            arguments["state"] = filtered.states.get(call.name)
            match call(arguments, as_post_filtered):
                case Nominate() as nomination:
                    return PostFiltered(nomination, plugin=call.name)
                case Decline(is_final=True) as last:
                    return PostFiltered(None, last.reason, last.forget_nomination)
                case decline:
                    declined.append(decline)
        message = ", ".join(decline.reason for decline in declined)
        is_void = not declined or any(decline.forget_nomination for decline in declined)
        return PostFiltered(None, message, is_void)

    def score(
        self, pod: Pod, cluster: Cluster, filtered: Filtered, lap: Lap = unmeasured
    ) -> Scored:
        """Score the feasible nodes, of which there should be at least two.

        Raises:
            PluginError: a plugin raised, or broke its contract.
        """
        nodes, feasible = cluster.nodes, filtered.feasible
        arguments: dict[str, Any] = {
            "pod": pod,
            "cluster": cluster,
            "nodes": nodes,
            "feasible": feasible,
        }
        states = dict(filtered.states)
        skipped: set[str] = set()
        for call in self._calls["pre_score"]:
            arguments["state"] = states.get(call.name)
            result = call(arguments, as_is)
            if isinstance(result, Skip):
                skipped.add(call.name)
            elif result is not None:
                states[call.name] = result
        lap("PreScore", "Success")
        by_plugin: dict[str, Scores] = {}
        total = np.zeros(len(nodes), dtype=np.int64)
        for call in self._calls["score"]:
            if call.name in skipped:
                continue
            arguments["state"] = states.get(call.name)
            checked_over = None if call.plugin.is_verified else feasible
            scores = call(arguments, partial(as_scores, len(nodes), checked_over))
            by_plugin[call.name] = scores * call.weight
            total += by_plugin[call.name]
        return Scored(by_plugin, total)

    def _pre_filter(self, pod: Pod, cluster: Cluster) -> _PreFiltered:
        """Run `pre_filter` of all plugins; a no that evictions cannot undo ends it at once."""
        found = _PreFiltered({}, {})
        arguments: dict[str, Any] = {"pod": pod, "cluster": cluster, "nodes": cluster.nodes}
        for call in self._calls["pre_filter"]:
            result = call(arguments, as_pre_filtered)
            match result:
                case Skip():
                    continue
                case Reject():
                    rejected = _rejected(call, result)
                    found = _PreFiltered(found.states, found.subsets, rejected)
                    if not result.resolvable:
                        return found
                case NodeSubset():
                    found.states[call.name] = result.state
                    found.subsets[call.name] = result.names
                    if not frozenset.intersection(*found.subsets.values()):
                        return _PreFiltered(found.states, {}, _disjoint(found.subsets))
                case state:
                    found.states[call.name] = state
        return found

    def _filters(self, states: Mapping[str, object]) -> Iterator[PluginCall]:
        """Yield the filters that the pod's `pre_filter` did not skip."""
        for call in self._calls["filter"]:
            if call.name not in self._with_pre_filter or call.name in states:
                yield call

    def _calls_of(self, extension_point: str) -> tuple[PluginCall, ...]:
        by_name = {one.plugin.name: one for one in self.enabled}
        listed = "reserve" if extension_point == "unreserve" else extension_point
        running = [by_name[name] for name in self._order.get(listed, by_name)]
        return tuple(
            PluginCall(one.plugin, one.weight, extension_point)
            for one in running
            if implements(one.plugin, extension_point)
        )


def _check_names(scheduler_name: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ProfileError(f"profile {scheduler_name!r} has plugin {name!r} twice")
        if name.split() != [name]:
            raise ProfileError(f"plugin {name!r}: a name is not empty and has no spaces in it")


def _status(rejected: RejectedBy | None) -> str:
    if rejected is None:
        return "Success"
    return "Unschedulable" if rejected.resolvable else "UnschedulableAndUnresolvable"


def _rejected(call: PluginCall, reject: Reject, mask: Mask | None = None) -> RejectedBy:
    return RejectedBy(call.name, reject.reason, reject.resolvable, mask)


def _outside(subsets: Mapping[str, frozenset[str]], outside: Mask) -> Iterator[RejectedBy]:
    if outside.any():
        names = " ".join(sorted(subsets))
        reason = f"node(s) didn't satisfy plugin(s) [{names}]"
        yield RejectedBy(names, reason, resolvable=False, mask=outside)


def _disjoint(subsets: Mapping[str, frozenset[str]]) -> RejectedBy:
    names = " ".join(sorted(subsets))
    several = f"node(s) didn't satisfy plugin(s) [{names}] simultaneously"
    reason = several if len(subsets) > 1 else f"node(s) didn't satisfy plugin {names}"
    return RejectedBy(names, reason, resolvable=False, mask=None)
