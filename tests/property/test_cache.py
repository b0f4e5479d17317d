"""Whatever happens to the cluster, the incremental cache equals one built from the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make import ZONE_LABEL, node, pod
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector, LabelSelectorRequirement
from pilotfish.api.workloads import Namespace
from pilotfish.cache import selector_index
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import id_column, rows, selector_set
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.pod_terms import PodSelector

NODES = tuple("abcde")
PODS = tuple(f"p{i}" for i in range(8))
NAMESPACES = ("red", "blue")
WEB = LabelSelector({"app": "web"})
WITH_TIER = LabelSelector(match_expressions=(LabelSelectorRequirement("tier", "Exists"),))
OF_TEAM = LabelSelector({"team": "x"})
SELECTORS = (
    (PodSelector(frozenset({"red"}), WEB),),
    (PodSelector(frozenset({"red", "blue"}), WITH_TIER),),
    (PodSelector(frozenset({"red"}), WEB), PodSelector(frozenset({"red"}), WITH_TIER)),
    (PodSelector(frozenset(), LabelSelector(), namespace_selector=OF_TEAM),),
    (PodSelector(frozenset({"red"}), None),),
)
TERM = {"topologyKey": ZONE_LABEL, "labelSelector": {"matchLabels": {"app": "web"}}}
TEAM_TERM = {**TERM, "namespaceSelector": {"matchLabels": {"team": "x"}}}
AFFINITIES: Sequence[Mapping[str, Any]] = (
    {},
    {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}},
    {
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [TEAM_TERM],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 3, "podAffinityTerm": TERM}
            ],
        }
    },
)

INCOMING = [pod("incoming", namespace=name, labels={"app": "web"}) for name in NAMESPACES]
LABEL_KEYS = (ZONE_LABEL, "name", "app", "absent")


@pytest.fixture(autouse=True, scope="module")
def _small_limits() -> Iterator[None]:
    """Make a handful of objects reach every growth, and every tidying up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "INITIAL_CAPACITY", 1)
        patch.setattr(id_column, "SPARE_VALUES", 1)
        patch.setattr(selector_index, "MAX_SELECTORS", 4)
        patch.setattr(selector_set, "MAX_ANSWERS", 3)
        yield


some_labels = st.fixed_dictionaries(
    {},
    optional={
        "app": st.sampled_from(["web", "db"]),
        "tier": st.sampled_from(["1", "2"]),
        "name": st.text("xyz", max_size=3),
    },
)
some_nodes = st.builds(
    node,
    st.sampled_from(NODES),
    cpu=st.sampled_from(["1", "2500m"]),
    labels=some_labels,
    zone=st.sampled_from([None, "z1", "z2", "z3"]),
    taints=st.lists(st.sampled_from(["a=1:NoSchedule", "b:NoExecute"]), unique=True),
    unschedulable=st.booleans(),
    images=st.dictionaries(st.sampled_from(["i1:v1", "i2:v1", "i3:v1"]), st.just(7)),
)
some_pods = st.builds(
    pod,
    st.sampled_from(PODS),
    namespace=st.sampled_from(NAMESPACES),
    cpu=st.sampled_from([None, "100m", "200m"]),
    requests=st.sampled_from([{}, {"example.com/gpu": "1"}]),
    labels=some_labels,
    node_name=st.sampled_from(NODES),
    host_ports=st.lists(st.sampled_from([80, 443]), unique=True),
    affinity=st.sampled_from(AFFINITIES),
    metadata=st.sampled_from([{}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}]),
    status=st.sampled_from([{}, {}, {}, {"phase": "Succeeded"}]),
)
some_namespaces = st.builds(
    lambda name, labels: Namespace(metadata=ObjectMeta(name=name, labels=labels)),
    st.sampled_from(NAMESPACES),
    st.sampled_from([{}, {"team": "x"}]),
)
some_news = st.one_of(
    st.tuples(st.just("set_node"), some_nodes),
    st.tuples(st.just("remove_node"), st.sampled_from(NODES)),
    st.tuples(st.just("set_pod"), some_pods),
    st.tuples(st.just("remove_pod"), st.sampled_from(PODS)),
    st.tuples(st.just("assume"), some_pods),
    st.tuples(st.just("forget"), st.sampled_from(PODS)),
    st.tuples(st.just("finish_binding"), st.sampled_from(PODS)),
    st.tuples(st.just("set_namespace"), some_namespaces),
    st.tuples(st.just("remove_namespace"), st.sampled_from(NAMESPACES)),
)


class Truth:
    """A cache beside plain dicts of what it was told."""

    def __init__(self) -> None:
        self.cache = ClusterCache()
        self.nodes: dict[str, Node] = {}
        self.namespaces: dict[str, Namespace] = {}
        self.pods: dict[str, Pod] = {}
        self.assumed: set[str] = set()

    def tell(self, kind: str, what: Any) -> None:
        """Tell both the same."""
        cache = self.cache
        match kind:
            case "set_node":
                cache.set_node(what)
                self.nodes[what.name] = what
            case "remove_node":
                cache.remove_node(what)
                self.nodes.pop(what, None)
            case "set_pod" if what.is_terminal:
                cache.set_pod(what)
                self._remove(what.uid)
            case "set_pod":
                cache.set_pod(what)
                self.pods[what.uid] = what
                self.assumed.discard(what.uid)
            case "remove_pod":
                cache.remove_pod(f"uid-{what}")
                self._remove(f"uid-{what}")
            case "assume" if what.uid not in self.pods and not what.is_terminal:
                cache.assume(what, what.node_name)
                self.pods[what.uid] = what
                self.assumed.add(what.uid)
            case "forget" if f"uid-{what}" in self.assumed:
                cache.forget(f"uid-{what}")
                self._remove(f"uid-{what}")
            case "finish_binding":
                cache.finish_binding(f"uid-{what}")
                self.assumed.discard(f"uid-{what}")
            case "set_namespace":
                cache.set_namespace(what)
                self.namespaces[what.name] = what
            case "remove_namespace":
                cache.remove_namespace(what)
                self.namespaces.pop(what, None)

    def ask(self, turn: int) -> None:
        """Ask the cache something, so that it has answers to keep right."""
        cache = self.cache
        cache.matching_pods(*SELECTORS[turn % len(SELECTORS)])
        list(cache.terms_on(INCOMING[turn % len(INCOMING)]))
        cache.nodes.label(LABEL_KEYS[turn % len(LABEL_KEYS)])
        cache.nodes.images.mask_of("i1:v1")

    def rebuilt(self) -> ClusterCache:
        """Build a cache from what is true now."""
        cache = ClusterCache()
        for one_node in self.nodes.values():
            cache.set_node(one_node)
        for namespace in self.namespaces.values():
            cache.set_namespace(namespace)
        for one_pod in self.pods.values():
            cache.set_pod(one_pod)
        return cache

    def _remove(self, uid: str) -> None:
        self.pods.pop(uid, None)
        self.assumed.discard(uid)


@settings(max_examples=100)
@given(st.lists(some_news, max_size=40))
def test_cache_equals_one_rebuilt_after_any_history(history: list[tuple[str, Any]]) -> None:
    truth = Truth()
    for turn, (kind, what) in enumerate(history):
        truth.ask(turn)
        truth.tell(kind, what)
        truth.cache.check_invariants()
    rebuilt = truth.rebuilt()
    assert described(truth.cache.nodes) == described(rebuilt.nodes)
    assert asked(truth.cache) == asked(rebuilt)
    assert set(truth.cache.pod_uids()) == truth.pods.keys()
    assert {uid for uid in truth.pods if truth.cache.is_assumed(uid)} == truth.assumed


@settings(max_examples=100)
@given(st.lists(some_news, max_size=30), st.data())
def test_overlay_equals_a_fresh_table_with_the_changes(
    history: list[tuple[str, Any]], data: st.DataObject
) -> None:
    truth = Truth()
    for turn, (kind, what) in enumerate(history):
        truth.ask(turn)
        truth.tell(kind, what)
    nodes = truth.cache.nodes
    before = described(nodes)
    overlay, wanted = nodes, truth.rebuilt().nodes
    for turn in range(2):  # the second is an overlay of an overlay
        changes = {
            row: Changes(
                added=[
                    truth.cache.pod_info(pod(f"new-{turn}-{row}", cpu="50m", host_ports=[80]))
                    for _ in range(data.draw(st.integers(0, 1)))
                ],
                removed=[one for one in overlay.pods[row].values() if data.draw(st.booleans())],
            )
            for row in data.draw(st.permutations(range(len(overlay))))
            if data.draw(st.booleans())
        }
        chosen = [overlay.names[row] for row in changes]
        for row, change in changes.items():
            place = wanted.row_of[overlay.names[row]]
            for one in change.removed:
                wanted.remove_pod(place, one.uid)
            for one in change.added:
                wanted.add_pod(place, one)
        overlay = overlay.overlay(changes)
        assert overlay.names == chosen
        assert described(overlay) == {name: described(wanted)[name] for name in chosen}
    assert described(nodes) == before
    truth.cache.check_invariants()


def described(nodes: NodeTable) -> dict[str, Any]:
    """Say everything about each node, whatever its row and the ids are."""
    return {
        name: {
            "allocatable": amounts(nodes, nodes.allocatable[:, row].tolist()),
            "requested": amounts(nodes, nodes.requested[:, row].tolist()),
            "non_zero_requested": nodes.non_zero_requested[:, row].tolist(),
            "max_pods": nodes.max_pods[row],
            "pod_count": nodes.pod_count[row],
            "unschedulable": nodes.unschedulable[row],
            "labels": nodes.labels[row],
            "label columns": [nodes.label(key).of(row) for key in LABEL_KEYS],
            "pods": nodes.pods[row],
            "taints": nodes.taints.of(row),
            "ports": sorted(map(repr, nodes.ports.of(row))),
            "images": {name: nodes.image_bytes[name] for name in nodes.images.of(row)},
            "image masks": [bool(nodes.images.mask_of(f"i{i}:v1")[row]) for i in range(4)],
        }
        for row, name in enumerate(nodes.names)
    }


def amounts(nodes: NodeTable, values: list[int]) -> dict[str, int]:
    """Name the amounts that are not zero."""
    return {name: amount for name, amount in zip(nodes.resources, values, strict=True) if amount}


def asked(cache: ClusterCache) -> list[Any]:
    """Ask for all counts, by node."""
    names = cache.nodes.names
    answers: list[Any] = []
    for selectors in SELECTORS:
        counts = cache.matching_pods(*selectors)
        answers += [
            dict(zip(names, of.tolist(), strict=True)) for of in (counts.all, counts.staying)
        ]
    for incoming in INCOMING:
        terms = {
            one.term: dict(zip(names, one.pods.tolist(), strict=True))
            for one in cache.terms_on(incoming)
        }
        answers.append(terms)
    return answers
