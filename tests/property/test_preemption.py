"""Whatever the cluster: the cheapest victims go, none is important, and each was needed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make import budget, node, pod
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.post_filter import Nominate
from pilotfish.framework.what_if import WhatIf
from pilotfish.plugins.default import default_profile

PROFILE = default_profile("my-scheduler")
CPUS = ("1", "2", "3")


@st.composite
def placed(draw: st.DrawFn, number: int) -> Pod:
    """Draw a pod on one of three nodes."""
    return pod(
        f"p{number}",
        cpu=draw(st.sampled_from(CPUS)),
        priority=draw(st.integers(-1, 3)),
        node_name=f"n{draw(st.integers(0, 2))}",
        labels={"app": draw(st.sampled_from("ab"))},
        host_ports=draw(st.sampled_from([(), (80,), (81,)])),
        status={"startTime": f"2026-01-01T00:00:{draw(st.integers(0, 59)):02}Z"},
    )


@st.composite
def clusters(draw: st.DrawFn) -> list[Pod]:
    """Draw the pods in place."""
    return [draw(placed(i)) for i in range(draw(st.integers(0, 12)))]


def cache_of(pods: list[Pod], gone: frozenset[str] = frozenset()) -> ClusterCache:
    cache = ClusterCache()
    for i in range(3):
        cache.set_node(node(f"n{i}", cpu="6"))
    for one in pods:
        if one.uid not in gone:
            cache.set_pod(one)
    cache.set_budget(budget("b", allowed=1, labels={"app": "a"}))
    return cache


def fits(waiting: Pod, node_name: str, cache: ClusterCache) -> bool:
    return bool(PROFILE.filter(waiting, cache).feasible[cache.nodes.row_of[node_name]])


@given(clusters(), st.sampled_from(CPUS), st.integers(0, 3), st.sampled_from([(), (80,)]))
def test_every_victim_is_less_important_and_needed(
    pods: list[Pod], cpu: str, priority: int, ports: tuple[int, ...]
) -> None:
    waiting = pod("waiting", cpu=cpu, priority=priority, host_ports=ports)
    nomination = nomination_for(waiting, pods)
    if nomination is None:
        lower = frozenset(one.uid for one in pods if one.priority < priority)
        fitting = PROFILE.filter(waiting, cache_of(pods)).feasible.any()
        assert fitting or not PROFILE.filter(waiting, cache_of(pods, lower)).feasible.any()
        return
    for one in (nomination, *nomination.ties):
        check(waiting, one, pods)


@given(clusters(), st.sampled_from(CPUS), st.integers(0, 3), st.sampled_from([(), (80,)]))
def test_the_nodes_chosen_are_those_whose_victims_cost_least(
    pods: list[Pod], cpu: str, priority: int, ports: tuple[int, ...]
) -> None:
    waiting = pod("waiting", cpu=cpu, priority=priority, host_ports=ports)
    nomination = nomination_for(waiting, pods)
    if nomination is None:
        return
    found = {
        one.node_name: [victim.name for victim in one.victims]
        for one in (nomination, *nomination.ties)
    }
    costs = {}
    by_node = {}
    for name in ("n0", "n1", "n2"):
        victims, violations = simple_victims(waiting, name, pods)
        if victims:
            highest = max(one.priority for one in victims)
            by_node[name] = [one.name for one in victims]
            costs[name] = (
                violations,
                highest,
                sum(one.priority + 2**31 for one in victims),
                -min(started(one) for one in victims if one.priority == highest),
            )
    assert found == {name: by_node[name] for name in costs if costs[name] == min(costs.values())}


def simple_victims(waiting: Pod, node_name: str, pods: list[Pod]) -> tuple[list[Pod], int]:
    """Give pods back one after the other, each time in a cache of its own.

    Returns:
        The victims, the most important first, and how many of them break the budget of one pod.
    """
    ranked = sorted(pods, key=lambda one: (-one.priority, started(one)))
    lower = [
        one for one in ranked if one.node_name == node_name and one.priority < waiting.priority
    ]
    gone = {one.uid for one in lower}
    if not fits(waiting, node_name, cache_of(pods, frozenset(gone))):
        return [], 0
    violating = [one for one in lower if one.labels["app"] == "a"][1:]
    for one in (*violating, *(one for one in lower if one not in violating)):
        if fits(waiting, node_name, cache_of(pods, frozenset(gone - {one.uid}))):
            gone.discard(one.uid)
    victims = [one for one in lower if one.uid in gone]
    return victims, sum(one in violating for one in victims)


def started(one: Pod) -> int:
    return int((one.status.start_time or "")[17:19])


def nomination_for(waiting: Pod, pods: list[Pod]) -> Nominate | None:
    """Ask for victims; None where the pod fits, or none are found."""
    cache = cache_of(pods)
    filtered = PROFILE.filter(waiting, cache)
    if filtered.feasible.any():
        return None
    what_if = WhatIf.of(PROFILE, waiting, cache, filtered.states)
    return PROFILE.post_filter(waiting, cache, filtered, what_if).nomination


def check(waiting: Pod, nomination: Nominate, pods: list[Pod]) -> None:
    """Compare with caches from which the victims were really removed."""
    gone = frozenset(victim.uid for victim in nomination.victims)
    assert gone
    assert all(victim.priority < waiting.priority for victim in nomination.victims)
    assert fits(waiting, nomination.node_name, cache_of(pods, gone))
    for uid in gone:
        assert not fits(waiting, nomination.node_name, cache_of(pods, gone - {uid}))
