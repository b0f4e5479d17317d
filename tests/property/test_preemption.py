"""Whatever the cluster: no equal or higher priority goes, and every victim was needed."""

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


@given(clusters(), st.sampled_from(CPUS), st.integers(0, 3))
def test_every_victim_is_less_important_and_needed(
    pods: list[Pod], cpu: str, priority: int
) -> None:
    waiting = pod("waiting", cpu=cpu, priority=priority, host_ports=(80,))
    cache = cache_of(pods)
    filtered = PROFILE.filter(waiting, cache)
    if filtered.feasible.any():
        return
    what_if = WhatIf.of(PROFILE, waiting, cache, filtered.states)
    nomination = PROFILE.post_filter(waiting, cache, filtered, what_if).nomination
    if nomination is None:
        lower = frozenset(one.uid for one in pods if one.priority < priority)
        assert not PROFILE.filter(waiting, cache_of(pods, lower)).feasible.any()
        return
    for one in (nomination, *nomination.ties):
        check(waiting, one, pods)


def check(waiting: Pod, nomination: Nominate, pods: list[Pod]) -> None:
    """Compare with caches from which the victims were really removed."""
    gone = frozenset(victim.uid for victim in nomination.victims)
    assert gone
    assert all(victim.priority < waiting.priority for victim in nomination.victims)
    assert fits(waiting, nomination.node_name, cache_of(pods, gone))
    for uid in gone:
        assert not fits(waiting, nomination.node_name, cache_of(pods, gone - {uid}))
