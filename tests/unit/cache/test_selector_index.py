from collections.abc import Mapping
from typing import Any

import pytest

from make import node, pod
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import Namespace
from pilotfish.cache import selector_index
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.invariants import BrokenInvariantError
from pilotfish.framework.pod_terms import PodSelector, TermKind

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TERMINATING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def cache_of(*pods: Pod) -> ClusterCache:
    """Make a cache with nodes a, b, c and these pods."""
    cache = ClusterCache()
    for name in "abc":
        cache.set_node(node(name))
    for one in pods:
        cache.set_pod(one)
    return cache


def web(name: str, on: str, namespace: str = "default", **more: Any) -> Pod:
    """Make a bound pod of the app web."""
    return pod(name, namespace=namespace, labels={"app": "web"}, node_name=on, **more)


def selector(*namespaces: str, **labels: str) -> PodSelector:
    """Make a selector of pods in namespaces, or in the default one."""
    return PodSelector(frozenset(namespaces or ("default",)), LabelSelector(labels))


def term(topology_key: str = "zone", **labels: str) -> Mapping[str, Any]:
    """Make an affinity term as in JSON."""
    return {"topologyKey": topology_key, "labelSelector": {"matchLabels": labels}}


def test_pods_that_a_selector_selects_are_counted_by_node() -> None:
    cache = cache_of(
        web("1", "a"), web("2", "a"), web("3", "b"), web("4", "c", "red"), pod("5", node_name="c")
    )
    assert cache.matching_pods(selector(app="web")).all.tolist() == [2, 1, 0]


def test_counts_follow_pods_that_come_and_go() -> None:
    cache = cache_of(web("1", "a"))
    cache.matching_pods(selector(app="web"))
    cache.set_pod(web("2", "b"))
    cache.assume(web("3", ""), "c")
    cache.remove_pod("uid-1")
    assert cache.matching_pods(selector(app="web")).all.tolist() == [0, 1, 1]


def test_counts_follow_labels_that_change() -> None:
    cache = cache_of(web("1", "a"))
    cache.matching_pods(selector(app="web"))
    cache.set_pod(pod("1", node_name="a", labels={"app": "db"}))
    assert cache.matching_pods(selector(app="web")).all.tolist() == [0, 0, 0]
    assert cache.matching_pods(selector(app="db")).all.tolist() == [1, 0, 0]


def test_counts_follow_nodes_that_go_and_come_back() -> None:
    cache = cache_of(web("1", "a"), web("2", "c"))
    cache.matching_pods(selector(app="web"))
    cache.remove_node("a")
    assert cache.matching_pods(selector(app="web")).all.tolist() == [1, 0]
    cache.set_node(node("a"))
    assert cache.matching_pods(selector(app="web")).all.tolist() == [1, 0, 1]


def test_a_pod_that_is_being_deleted_counts_but_does_not_stay() -> None:
    cache = cache_of(web("1", "a"))
    cache.matching_pods(selector(app="web"))
    cache.set_pod(web("1", "a", metadata=TERMINATING))
    cache.set_pod(web("2", "b"))
    counts = cache.matching_pods(selector(app="web"))
    assert (counts.all.tolist(), counts.staying.tolist()) == ([1, 1, 0], [0, 1, 0])


def test_several_selectors_select_what_each_of_them_selects() -> None:
    both = pod("1", node_name="a", labels={"app": "web", "tier": "front"})
    cache = cache_of(both, web("2", "a"))
    counts = cache.matching_pods(selector(app="web"), selector(tier="front"))
    assert counts.all.tolist() == [1, 0, 0]


def test_labels_that_no_selector_names_do_not_fill_the_memory() -> None:
    cache = cache_of()
    cache.matching_pods(selector(app="web"))
    for i in range(50):
        labels = {"app": "web", "unique": str(i)}
        cache.set_pod(pod(f"p{i}", node_name="a", labels=labels))
    assert len(cache._selectors._selected._answers) == 1


def test_a_namespace_selector_follows_the_labels_of_namespaces() -> None:
    cache = cache_of(web("1", "a", "red"))
    cache.set_namespace(Namespace(metadata=ObjectMeta(name="red")))
    of_team = PodSelector(frozenset(), LabelSelector(), LabelSelector({"team": "x"}))
    assert cache.matching_pods(of_team).all.tolist() == [0, 0, 0]
    cache.set_namespace(Namespace(metadata=ObjectMeta(name="red", labels={"team": "x"})))
    assert cache.matching_pods(of_team).all.tolist() == [1, 0, 0]
    cache.remove_namespace("red")
    assert cache.matching_pods(of_team).all.tolist() == [0, 0, 0]


def test_the_selector_asked_about_least_recently_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selector_index, "MAX_SELECTORS", 2)
    cache = cache_of(web("1", "a"))
    for app in ("web", "db", "web", "cache"):
        cache.matching_pods(selector(app=app))
    assert set(cache._selectors._selected) == {(selector(app="web"),), (selector(app="cache"),)}
    assert cache.matching_pods(selector(app="db")).all.tolist() == [0, 0, 0]


def test_terms_that_select_a_pod_are_counted_by_node() -> None:
    anti = {"podAntiAffinity": {REQUIRED: [term(app="web")]}}
    wish = {"podAffinity": {PREFERRED: [{"weight": 5, "podAffinityTerm": term(app="db")}]}}
    cache = cache_of(
        pod("1", node_name="a", affinity=anti),
        pod("2", node_name="a", affinity=anti),
        pod("3", node_name="b", affinity=wish),
    )
    (found,) = cache.terms_on(web("new", ""))
    assert found.term.kind is TermKind.REQUIRED_ANTI_AFFINITY
    assert found.term.topology_key == "zone"
    assert found.pods.tolist() == [2, 0, 0]
    (found,) = cache.terms_on(pod("new", labels={"app": "db"}))
    assert (found.term.kind, found.term.weight) == (TermKind.PREFERRED_AFFINITY, 5)
    assert found.pods.tolist() == [0, 1, 0]


def test_a_term_goes_with_the_last_pod_that_has_it() -> None:
    anti = {"podAntiAffinity": {REQUIRED: [term(app="web")]}}
    cache = cache_of(pod("1", node_name="a", affinity=anti), pod("2", node_name="b", affinity=anti))
    cache.remove_pod("uid-1")
    assert [found.pods.tolist() for found in cache.terms_on(web("new", ""))] == [[0, 1, 0]]
    cache.remove_node("b")
    assert list(cache.terms_on(web("new", ""))) == []
    assert len(cache._selectors._terms) == 0


def test_a_term_without_namespaces_is_about_its_own_pods_namespace() -> None:
    anti = {"podAntiAffinity": {REQUIRED: [term(app="web")]}}
    cache = cache_of(pod("1", namespace="red", node_name="a", affinity=anti))
    assert list(cache.terms_on(web("new", ""))) == []
    assert len(list(cache.terms_on(web("new", "", "red")))) == 1


def test_a_selector_that_is_new_sees_pods_that_others_were_asked_about() -> None:
    cache = cache_of(web("1", "a"))
    cache.matching_pods(selector(app="web"))
    cache.set_pod(web("2", "a"))
    cache.matching_pods(selector())
    cache.set_pod(web("3", "a"))
    assert cache.matching_pods(selector()).all.tolist() == [3, 0, 0]


def test_terms_follow_the_labels_of_namespaces() -> None:
    of_team = {**term(app="web"), "namespaceSelector": {"matchLabels": {"team": "x"}}}
    cache = cache_of(pod("1", node_name="a", affinity={"podAntiAffinity": {REQUIRED: [of_team]}}))
    assert list(cache.terms_on(web("new", "", "red"))) == []
    cache.set_namespace(Namespace(metadata=ObjectMeta(name="red", labels={"team": "x"})))
    assert len(list(cache.terms_on(web("new", "", "red")))) == 1


def test_what_plugins_are_given_cannot_be_written_to() -> None:
    cache = cache_of(web("1", "a"))
    with pytest.raises(ValueError, match="read-only"):
        cache.matching_pods(selector(app="web")).all[0] = 7


def test_a_wrong_count_breaks_an_invariant() -> None:
    cache = cache_of(web("1", "a"))
    cache.matching_pods(selector(app="web"))
    cache._selectors._selected[(selector(app="web"),)].buffer[0, 0] = 7
    with pytest.raises(BrokenInvariantError, match="are counted"):
        cache.check_invariants()
