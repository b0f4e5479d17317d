"""Topology spread and pod affinity decide as their simple twins, and know what would be if."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import make
from pilotfish.api.affinity import TopologySpreadConstraint
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import MapSelectorSpec, Namespace, Service
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import EnabledPlugin, Plugin, Profile
from pilotfish.framework.node_table import Changes
from pilotfish.framework.profile_results import Filtered
from pilotfish.plugins.inter_pod_affinity import InterPodAffinity
from pilotfish.plugins.pod_topology_spread import PodTopologySpread
from pilotfish.plugins.priority_sort import PrioritySort
from pilotfish.plugins.topology import HOSTNAME, ZONE
from property import topology_twins as twins
from property.test_plugins import decide

RACK = "rack"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
LISTED = (
    TopologySpreadConstraint(1, ZONE, "DoNotSchedule"),
    TopologySpreadConstraint(2, RACK, "ScheduleAnyway"),
)

SPREADS: list[tuple[Plugin, Plugin]] = [
    (PodTopologySpread(), twins.PodTopologySpread()),
    (
        PodTopologySpread(default_constraints=LISTED, defaulting_type="List"),
        twins.PodTopologySpread(LISTED),
    ),
]
AFFINITIES: list[tuple[Plugin, Plugin]] = [
    (InterPodAffinity(), twins.InterPodAffinity()),
    (
        InterPodAffinity(hard_pod_affinity_weight=7, ignore_preferred_terms_of_existing_pods=True),
        twins.InterPodAffinity(7, ignores_existing=True),
    ),
    (InterPodAffinity(hard_pod_affinity_weight=0), twins.InterPodAffinity(0)),
]

names = st.sampled_from([f"n{i}" for i in range(6)])
namespaces = st.sampled_from([*["red"] * 5, "blue", "unknown"])
topology_keys = st.sampled_from([ZONE, ZONE, HOSTNAME, RACK])
values = st.sampled_from(["a", "a", "a", "b"])
pod_labels = st.fixed_dictionaries({"app": values}, optional={"tier": values})
match_labels = st.sampled_from([*[{"app": "a"}] * 3, {"app": "b"}, {"tier": "a"}])
some_selectors: st.SearchStrategy[Any] = st.sampled_from(
    [
        *[{"matchLabels": {"app": "a"}}] * 6,
        {"matchLabels": {"tier": "a"}},
        {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["b"]}]},
        {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
    ]
)
selectors: st.SearchStrategy[Any] = st.sampled_from(range(8)).flatmap(
    lambda n: st.sampled_from([None, {}]) if n == 0 else some_selectors
)
namespace_selectors = st.sampled_from(
    [
        {},
        {"matchLabels": {"team": "x"}},
        {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["x"]}]},
        {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
    ]
)


few_namespaces = st.none() | st.lists(namespaces, max_size=2)
few_namespace_selectors = st.none() | namespace_selectors


def given_fields(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    return given_fields(
        topologyKey=draw(topology_keys),
        labelSelector=draw(selectors),
        namespaces=draw(few_namespaces),
        namespaceSelector=draw(few_namespace_selectors),
    )


# Here and below by name: what is made anew for each draw takes longer than the draw.
required_terms = st.lists(terms(), max_size=2)
preferred_terms = st.lists(
    st.builds(
        lambda weight, term: {"weight": weight, "podAffinityTerm": term},
        st.integers(1, 100),
        terms(),
    ),
    max_size=1,
)
policies = st.sampled_from([None, "Honor", "Ignore"])
spread_kinds = st.sampled_from(["DoNotSchedule", "DoNotSchedule", "ScheduleAnyway"])
skews = st.sampled_from([1, 1, 1, 2])
domain_counts = st.sampled_from([None, None, 1, 2, 3])
label_keys: st.SearchStrategy[list[str]] = st.sampled_from([[], [], ["app"], ["tier"]])
affinity_kinds = st.sets(st.sampled_from(["podAffinity", "podAntiAffinity"]))


@st.composite
def affinities(draw: st.DrawFn) -> dict[str, Any]:
    return {
        kind: {
            REQUIRED: draw(required_terms),
            PREFERRED: draw(preferred_terms),
        }
        for kind in draw(affinity_kinds)
    }


@st.composite
def constraints(draw: st.DrawFn, selectors: st.SearchStrategy[Any]) -> dict[str, Any]:
    return given_fields(
        maxSkew=draw(skews),
        topologyKey=draw(topology_keys),
        whenUnsatisfiable=draw(spread_kinds),
        labelSelector=draw(selectors),
        minDomains=draw(domain_counts),
        nodeAffinityPolicy=draw(policies),
        nodeTaintsPolicy=draw(policies),
        matchLabelKeys=draw(label_keys),
    )


@st.composite
def spread_pods(draw: st.DrawFn, selectors: st.SearchStrategy[Any] = selectors) -> Pod:
    return make.pod(
        "pending",
        namespace="red",
        labels=draw(pod_labels),
        node_selector=draw(st.sampled_from([{}, {}, {RACK: "r1"}])),
        tolerations=draw(st.sampled_from([[], ["k:NoSchedule"]])),
        topology_spread_constraints=draw(st.lists(constraints(selectors), max_size=2)),
    )


@st.composite
def affinity_pods(draw: st.DrawFn) -> Pod:
    namespace = draw(st.sampled_from(["red", "blue"]))
    labels = draw(pod_labels)
    return make.pod("pending", namespace=namespace, labels=labels, affinity=draw(affinities()))


@st.composite
def placed_pods(
    draw: st.DrawFn,
    name: str,
    node_name: str,
    affinity: st.SearchStrategy[Any],
    *,
    may_leave: bool = True,
) -> Pod:
    is_leaving = may_leave and draw(st.integers(0, 5)) == 0
    return make.pod(
        name,
        namespace=draw(namespaces),
        labels=draw(pod_labels),
        node_name=node_name,
        affinity=draw(affinity),
        metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"} if is_leaving else {},
    )


class World(NamedTuple):
    """A cluster, and the pods in place by uid."""

    cluster: ClusterCache
    pods: dict[str, Pod]


@st.composite
def worlds(draw: st.DrawFn, *, with_terms: bool = False, may_leave: bool = True) -> World:
    cache = ClusterCache()
    placed = {}
    for name, team in (("red", {"team": "x"}), ("blue", {})):
        cache.set_namespace(Namespace(metadata=ObjectMeta(name=name, uid=name, labels=team)))
    for i, selected in enumerate(draw(st.lists(match_labels, max_size=2))):
        meta = ObjectMeta(name=f"s{i}", namespace="red", uid=f"s{i}")
        cache.set_workload(Service(metadata=meta, spec=MapSelectorSpec(selected)))
    for name in draw(st.lists(names, unique=True, min_size=2)):
        labels: dict[str, Any] = {
            HOSTNAME: draw(st.sampled_from([name, name, name, "shared"])),
            ZONE: draw(st.sampled_from(["z1", "z1", "z2", "z2", "z3", "", None])),
            RACK: draw(st.sampled_from(["r1", "r1", "r2", None])),
        }
        labels = given_fields(**labels)
        taints = draw(st.sampled_from([[], [], ["k:NoSchedule"]]))
        cache.set_node(make.node(name, labels=labels, taints=taints))
        for i in range(draw(st.integers(0, 4))):
            affinity = affinities() if with_terms else st.just({})
            one = draw(placed_pods(f"{name}-{i}", name, affinity, may_leave=may_leave))
            cache.set_pod(one)
            placed[one.uid] = one
    return World(cache, placed)


def check_against_twin(plugin: Plugin, twin: Plugin, world: World, pod: Pod) -> None:
    wanted = decide([EnabledPlugin(twin)], world.cluster, pod)
    assert decide([EnabledPlugin(plugin)], world.cluster, pod) == wanted


@settings(max_examples=500)
@given(pair=st.sampled_from(SPREADS), world=worlds(), pod=spread_pods())
def test_topology_spread_equals_its_twin(
    pair: tuple[Plugin, Plugin], world: World, pod: Pod
) -> None:
    """Feasible nodes, who is rejected for what, and normalised scores."""
    check_against_twin(*pair, world, pod)


@settings(max_examples=250)
@given(pair=st.sampled_from(AFFINITIES), world=worlds(with_terms=True), pod=affinity_pods())
def test_pod_affinity_equals_its_twin(pair: tuple[Plugin, Plugin], world: World, pod: Pod) -> None:
    """Feasible nodes, who is rejected for what, and normalised scores."""
    check_against_twin(*pair, world, pod)


@settings(max_examples=150)
@given(data=st.data(), world=worlds(may_leave=False), pod=spread_pods(some_selectors))
def test_spread_that_would_be_is_what_comes_to_be(
    data: st.DataObject, world: World, pod: Pod
) -> None:
    check_what_if(PodTopologySpread(), data, world, pod, st.just({}))


@settings(max_examples=150)
@given(data=st.data(), world=worlds(with_terms=True), pod=affinity_pods())
def test_affinity_that_would_be_is_what_comes_to_be(
    data: st.DataObject, world: World, pod: Pod
) -> None:
    check_what_if(InterPodAffinity(), data, world, pod, affinities())


def check_what_if(
    plugin: Plugin, data: st.DataObject, world: World, pod: Pod, affinity: st.SearchStrategy[Any]
) -> None:
    """For each row by itself: pods leave and come, in two steps, first as a question."""
    cluster = world.cluster
    profile = Profile("p", [EnabledPlugin(PrioritySort()), EnabledPlugin(plugin)])
    states = profile.filter(pod, cluster).states
    assume(plugin.name in states)
    nodes = cluster.nodes
    first, second, outcomes = {}, {}, []
    for place, row in enumerate(data.draw(st.permutations(range(len(nodes))))):
        there = [world.pods[uid] for uid in nodes.pods[row]]
        gone = data.draw(st.lists(st.sampled_from(there), unique_by=id)) if there else []
        new = data.draw(placed_pods(f"new-{row}", nodes.names[row], affinity, may_leave=False))
        back = [new, *gone[:1]]
        first[row] = Changes(removed=[cluster.pod_info(one) for one in gone])
        second[place] = Changes(added=[cluster.pod_info(one) for one in back])
        outcomes.append((row, gone, back))
    state: Any = states[plugin.name]
    state = state.with_changes(first).with_changes(second)
    table = nodes.overlay(first).overlay(second)
    asked = Filtered(np.ones(len(table), dtype=np.bool_), (), {plugin.name: state})
    answer = profile.refilter(pod, table, asked).feasible.tolist()

    for (row, gone, back), would_fit in zip(outcomes, answer, strict=True):
        for one in gone:
            cluster.remove_pod(one.uid)
        for one in back:
            cluster.set_pod(one)
        assert profile.filter(pod, cluster).feasible[row] == would_fit
        cluster.remove_pod(back[0].uid)
        for one in gone:
            cluster.set_pod(one)
