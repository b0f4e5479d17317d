"""What topology spread and pod affinity say of pods that would come or go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

import make
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import Plugin
from pilotfish.framework.node_table import Changes
from pilotfish.framework.profile_results import Filtered
from pilotfish.plugins.inter_pod_affinity import InterPodAffinity
from pilotfish.plugins.pod_topology_spread import PodTopologySpread
from unit.plugins.deciding import alone, cluster

WEB: Final = {"app": "web"}
LEAVING: Final = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
BY_ZONE: Final = {"topologyKey": make.ZONE_LABEL, "labelSelector": {"matchLabels": WEB}}
BY_HOST: Final = BY_ZONE | {"topologyKey": make.HOSTNAME_LABEL}
MUST: Final = {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", **BY_ZONE}
SPREAD: Final = make.pod("p", labels=WEB, topology_spread_constraints=[MUST])


def zones(*pods: Pod) -> ClusterCache:
    """Make a node in each of two zones."""
    return cluster([make.node("a1", zone="a"), make.node("b1", zone="b")], pods)


def would_fit(
    plugin: Plugin, pod: Pod, on: ClusterCache, *changes: Mapping[int, Changes]
) -> list[bool]:
    """Ask after each of these changes, one after the other, on their rows."""
    profile = alone(plugin)
    state: Any = profile.filter(pod, on).states[plugin.name]
    table = on.nodes
    for change in changes:
        state, table = state.with_changes(change), table.overlay(change)
    everywhere = np.ones(len(table), dtype=np.bool_)
    found = profile.refilter(pod, table, Filtered(everywhere, (), {plugin.name: state}))
    answer: list[bool] = found.feasible.tolist()
    return answer


def test_each_row_is_a_question_of_its_own() -> None:
    on = zones(
        make.pod("x", labels=WEB, node_name="a1"),
        make.pod("y", labels=WEB, node_name="a1"),
        make.pod("z", labels=WEB, node_name="b1"),
    )
    x, z = (Changes(removed=[on.nodes.pods[row][f"uid-{n}"]]) for row, n in ((0, "x"), (1, "z")))
    assert would_fit(PodTopologySpread(), SPREAD, on) == [False, True]
    assert would_fit(PodTopologySpread(), SPREAD, on, {1: z, 0: x}) == [True, True]


def test_pod_that_is_given_back_counts_again() -> None:
    placed = make.pod("x", labels=WEB, node_name="a1")
    on = zones(placed)
    info = on.pod_info(placed)
    gone, back = {0: Changes(removed=[info])}, {0: Changes(added=[info])}
    assert would_fit(PodTopologySpread(), SPREAD, on, gone) == [True]
    assert would_fit(PodTopologySpread(), SPREAD, on, gone, back) == [False]


def test_pod_being_deleted_counts_when_it_goes_though_it_did_not_before() -> None:
    """As upstream's updateWithPod, which looks at labels only."""
    staying = make.pod("x", labels=WEB, node_name="a1")
    leaving = make.pod("y", labels=WEB, node_name="a1", metadata=LEAVING)
    on = zones(staying, leaving)
    gone = {0: Changes(removed=[on.pod_info(leaving)])}
    assert would_fit(PodTopologySpread(), SPREAD, on) == [False, True]
    assert would_fit(PodTopologySpread(), SPREAD, on, gone) == [True]


def test_pod_that_would_come_keeps_others_off_by_another_topology() -> None:
    """The pod's own anti-affinity is by zone; the newcomer's, by hostname, is new."""
    pod = make.pod("p", labels=WEB, affinity={"podAntiAffinity": {REQUIRED: [BY_ZONE]}})
    loner = make.pod("x", node_name="a1", affinity={"podAntiAffinity": {REQUIRED: [BY_HOST]}})
    on = zones()
    comes = {0: Changes(added=[on.pod_info(loner)]), 1: Changes()}
    assert would_fit(InterPodAffinity(), pod, on, comes) == [False, True]


def test_last_pod_of_a_kind_that_would_go_leaves_the_next_one_the_first() -> None:
    pod = make.pod("p", labels=WEB, affinity={"podAffinity": {REQUIRED: [BY_ZONE]}})
    only = make.pod("x", labels=WEB, node_name="a1")
    on = zones(only)
    gone = {0: Changes(removed=[on.pod_info(only)])}
    assert would_fit(InterPodAffinity(), pod, on) == [True, False]
    assert would_fit(InterPodAffinity(), pod, on, gone) == [True]


def test_anti_affinity_of_a_pod_outside_of_any_domain_is_none() -> None:
    """Upstream then skips the plugin, for questions of what would be too."""
    far_by_zone = {"podAntiAffinity": {REQUIRED: [BY_ZONE]}}
    on = cluster([make.node("x")], [make.pod("loner", node_name="x", affinity=far_by_zone)])
    states = alone(InterPodAffinity()).filter(make.pod("p", labels=WEB), on).states
    assert "InterPodAffinity" not in states
