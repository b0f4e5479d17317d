import pytest

from make import node, pod
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import Namespace
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.cache.errors import PodStateError
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import BrokenInvariantError
from pilotfish.framework.node_table import CPU

ADDED = ClusterEvent.ASSIGNED_POD_ADDED
DELETED = ClusterEvent.ASSIGNED_POD_DELETED
LABELS_CHANGED = ClusterEvent.ASSIGNED_POD_LABELS_CHANGED
SCALED_DOWN = ClusterEvent.ASSIGNED_POD_SCALED_DOWN
CHANGED = ClusterEvent.ASSIGNED_POD_CHANGED


def cache_of(*names: str) -> ClusterCache:
    """Make a cache with these nodes."""
    cache = ClusterCache()
    for name in names:
        cache.set_node(node(name))
    return cache


def requested(cache: ClusterCache, node_name: str) -> int:
    """Say how much CPU pods request of a node."""
    return int(cache.nodes.requested[CPU, cache.nodes.row_of[node_name]])


def namespace(name: str, **labels: str) -> Namespace:
    """Make a namespace."""
    return Namespace(metadata=ObjectMeta(name=name, labels=labels))


def bound(name: str = "p", cpu: str = "100m", on: str = "a", priority: int = 0) -> Pod:
    """Make a bound pod."""
    return pod(name, cpu=cpu, node_name=on, priority=priority)


def test_an_assumed_pod_counts_on_its_node() -> None:
    cache = cache_of("a")
    assumed = cache.assume(pod("p", cpu="100m"), "a")
    assert assumed.node_name == "a"
    assert cache.pod("uid-p") is assumed
    assert cache.is_assumed("uid-p")
    assert requested(cache, "a") == 100


def test_the_watch_confirms_an_assumed_pod_and_it_counts_once() -> None:
    cache = cache_of("a")
    cache.assume(pod("p", cpu="100m"), "a")
    assert cache.set_pod(bound()) == {ADDED}
    assert not cache.is_assumed("uid-p")
    assert requested(cache, "a") == 100


def test_a_foreign_bind_wins_over_ours_and_frees_our_node() -> None:
    cache = cache_of("a", "b")
    cache.assume(pod("p", cpu="100m"), "a")
    assert cache.set_pod(bound(on="b")) == {ADDED, DELETED}
    assert (requested(cache, "a"), requested(cache, "b")) == (0, 100)


def test_a_forgotten_pod_gives_its_room_back() -> None:
    cache = cache_of("a")
    cache.assume(pod("p", cpu="100m"), "a")
    assert cache.forget("uid-p") == {DELETED}
    assert cache.pod("uid-p") is None
    assert requested(cache, "a") == 0


def test_a_forgotten_pod_is_no_victim_any_more() -> None:
    cache = cache_of("a")
    assumed = cache.assume(pod("p"), "a")
    cache.nominations.evicting.add("uid-p")
    cache.forget("uid-p")
    assert not cache.is_being_preempted(assumed)


def test_a_finished_binding_is_no_longer_assumed() -> None:
    cache = cache_of("a")
    cache.assume(pod("p", cpu="100m"), "a")
    cache.finish_binding("uid-p")
    assert not cache.is_assumed("uid-p")
    assert requested(cache, "a") == 100


def test_news_of_a_pod_whose_binding_is_finished_is_an_update() -> None:
    cache = cache_of("a")
    cache.assume(pod("p", cpu="100m"), "a")
    cache.finish_binding("uid-p")
    assert cache.set_pod(bound()) == set()


def test_answers_that_come_after_the_pod_went_are_no_errors() -> None:
    cache = cache_of("a")
    cache.assume(pod("p"), "a")
    assert cache.remove_pod("uid-p") == {DELETED}
    cache.finish_binding("uid-p")
    assert cache.forget("uid-p") == set()
    assert cache.remove_pod("uid-p") == set()
    assert cache.pod_uids() == []


def test_assuming_a_pod_that_counts_is_an_error_with_its_story() -> None:
    cache = cache_of("a")
    cache.assume(pod("p"), "a")
    cache.finish_binding("uid-p")
    with pytest.raises(PodStateError) as raised:
        cache.assume(pod("p"), "a")
    assert raised.value.story == ("assumed on a", "binding finished")
    assert str(raised.value) == (
        "pod default/p cannot be assumed: it counts already; "
        "its story: assumed on a, binding finished"
    )


def test_a_bound_pod_cannot_be_forgotten() -> None:
    cache = cache_of("a")
    cache.set_pod(bound())
    with pytest.raises(PodStateError, match="default/p cannot be forgotten: it is bound"):
        cache.forget("uid-p")
    assert requested(cache, "a") == 100


def test_a_pod_that_is_not_bound_cannot_be_set() -> None:
    with pytest.raises(PodStateError, match=r"is not bound.*its story: none"):
        ClusterCache().set_pod(pod("p"))


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_ended_is_removed(phase: str) -> None:
    cache = cache_of("a")
    cache.set_pod(bound())
    ended = pod("p", cpu="100m", node_name="a", status={"phase": phase})
    assert cache.set_pod(ended) == {DELETED}
    assert cache.set_pod(ended) == set()
    assert requested(cache, "a") == 0


@pytest.mark.parametrize(
    ("changed", "events"),
    [
        (bound(), set()),
        (pod("p", cpu="100m", node_name="a", labels={"app": "x"}), {LABELS_CHANGED}),
        (bound(cpu="50m"), {SCALED_DOWN}),
        (pod("p", node_name="a"), {SCALED_DOWN}),
        (bound(cpu="200m"), {CHANGED}),
        (bound(priority=1), {CHANGED}),
        (pod("p", cpu="50m", node_name="a", labels={"app": "x"}), {LABELS_CHANGED, SCALED_DOWN}),
    ],
)
def test_an_update_is_the_events_of_what_differs(changed: Pod, events: set[ClusterEvent]) -> None:
    cache = cache_of("a")
    cache.set_pod(bound())
    assert cache.set_pod(changed) == events


def test_a_resized_pod_counts_with_its_new_size() -> None:
    cache = cache_of("a")
    cache.set_pod(bound(cpu="100m"))
    cache.set_pod(bound(cpu="300m"))
    assert requested(cache, "a") == 300


def test_a_pod_of_an_unknown_node_counts_as_soon_as_the_node_appears() -> None:
    cache = cache_of()
    assert cache.set_pod(bound()) == {ADDED}
    cache.check_invariants()
    assert cache.set_node(node("a")) == {ClusterEvent.NODE_ADDED}
    assert requested(cache, "a") == 100


def test_a_pod_kept_aside_can_change_and_go() -> None:
    cache = cache_of()
    cache.set_pod(bound())
    cache.set_pod(bound(cpu="200m"))
    cache.set_pod(bound("q"))
    assert cache.remove_pod("uid-q") == {DELETED}
    cache.check_invariants()
    cache.set_node(node("a"))
    assert requested(cache, "a") == 200


def test_a_node_that_comes_back_has_its_pods_again() -> None:
    cache = cache_of("a", "b")
    cache.set_pod(bound())
    cache.assume(pod("q", cpu="20m"), "a")
    assert cache.remove_node("a") == {ClusterEvent.NODE_DELETED}
    assert list(cache.nodes.names) == ["b"]
    cache.check_invariants()
    cache.set_node(node("a"))
    assert requested(cache, "a") == 120
    assert cache.is_assumed("uid-q")


def test_removing_an_unknown_node_is_no_event() -> None:
    assert ClusterCache().remove_node("a") == set()


def test_a_namespace_is_an_event_when_it_is_new_or_its_labels_change() -> None:
    cache = ClusterCache()
    assert cache.set_namespace(namespace("red")) == {ClusterEvent.NAMESPACE_ADDED}
    assert cache.set_namespace(namespace("red")) == set()
    changed = cache.set_namespace(namespace("red", team="x"))
    assert changed == {ClusterEvent.NAMESPACE_LABELS_CHANGED}
    assert cache.remove_namespace("red") == set()
    assert cache.remove_namespace("red") == set()
    assert cache.namespaces == {}


def test_a_pod_counted_twice_breaks_an_invariant() -> None:
    cache = cache_of("a", "b")
    cache.set_pod(bound())
    cache.nodes.add_pod(1, cache.pod_info(bound()))
    with pytest.raises(BrokenInvariantError, match="counts once"):
        cache.check_invariants()
