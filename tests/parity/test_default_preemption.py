"""DefaultPreemption rule by rule, as kubernetes v1.36.3 has it.

The plugin and its tests are pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go
and default_preemption_test.go, with pkg/scheduler/framework/preemption/preemption.go; each test
names the rule's own there.
"""

from __future__ import annotations

from typing import Any

import pytest

from make import budget, node, pod
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import PodDisruptionBudget
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.post_filter import PostFiltered
from pilotfish.framework.what_if import WhatIf
from pilotfish.plugins.default import default_profile
from unit.plugins.deciding import cluster

PREEMPTION = "no new claims to deallocate, preemption: "
IMPORTANT = pod("important", cpu="3", priority=10)


def bound(name: str, node_name: str = "n1", *, started: int | None = 1, **rest: Any) -> Pod:
    """Make a pod in place; `started` is the minute of its start."""
    status = {} if started is None else {"startTime": f"2026-01-01T00:{started:02}:00Z"}
    rest.setdefault("cpu", "1")
    return pod(name, node_name=node_name, status=status, **rest)


def asked(
    waiting: Pod,
    *pods: Pod,
    nodes: tuple[Node, ...] = (node("n1"),),
    budgets: tuple[PodDisruptionBudget, ...] = (),
) -> PostFiltered:
    """Ask what can be done for a pod that fits nowhere."""
    cache = cluster(nodes, pods)
    for one in budgets:
        cache.set_budget(one)
    return ask(waiting, cache)


def ask(waiting: Pod, cache: ClusterCache) -> PostFiltered:
    profile = default_profile("my-scheduler")
    alone = profile.filter(waiting, cache)
    what_if = WhatIf.of(profile, waiting, cache, alone.states)
    filtered = what_if.beside_nominated(alone)
    assert not filtered.feasible.any()
    return profile.post_filter(waiting, cache, filtered, what_if)


def victims(done: PostFiltered) -> tuple[str, list[str]]:
    assert done.nomination is not None, done.message
    return done.nomination.node_name, [victim.name for victim in done.nomination.victims]


def test_only_as_many_pods_go_as_are_needed_and_the_least_important_ones() -> None:
    """TestDryRunPreemption: mixed priorities."""
    pods = [bound(f"p{i}", priority=i) for i in range(4)]
    assert victims(asked(IMPORTANT, *pods)) == ("n1", ["p2", "p1", "p0"])
    assert victims(asked(pod("two", cpu="2", priority=10), *pods)) == ("n1", ["p1", "p0"])


def test_of_equal_priority_those_stay_that_run_for_longer() -> None:
    """TestDryRunPreemption: the later start time."""
    pods = [
        bound("young", started=3),
        bound("new", started=None),
        bound("old"),
        bound("b", cpu="1"),
    ]
    assert victims(asked(pod("one", cpu="1", priority=1), *pods)) == ("n1", ["new"])


def test_pods_of_equal_or_higher_priority_stay() -> None:
    """TestPostFilter: tied priority; isPreemptionAllowed."""
    done = asked(IMPORTANT, bound("equal", cpu="2", priority=10), bound("higher", priority=11))
    assert done.nomination is None
    assert done.message == (
        f"{PREEMPTION}0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
    assert done.forget_nomination


def test_node_on_which_the_pod_would_not_fit_even_so_tells_why() -> None:
    """TestPostFilter: not enough after removing low priority pods."""
    done = asked(IMPORTANT, bound("equal", cpu="2", priority=10), bound("lower"))
    assert done.message == f"{PREEMPTION}0/1 nodes are available: 1 Insufficient cpu."


def test_nodes_that_evictions_do_not_help_are_left_alone() -> None:
    """TestPostFilter: filteredNodesStatuses."""
    nodes = (node("n1", taints=["x:NoSchedule"]), node("n2", cpu="2"))
    done = asked(IMPORTANT, bound("lower"), bound("other", "n2"), nodes=nodes)
    assert done.message == (
        f"{PREEMPTION}0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )


def test_policy_never_asks_for_nothing() -> None:
    """TestPodEligibleToPreemptOthers: PreemptNever."""
    never = pod("never", cpu="3", priority=10, preemption_policy="Never")
    done = asked(never, bound("lower", cpu="3"))
    assert done.message == f"{PREEMPTION}not eligible due to preemptionPolicy=Never."
    assert not done.forget_nomination


def test_pod_rejected_before_the_filters_is_not_found() -> None:
    """dynamicresources.go PostFilter, getStateData."""
    two = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in ("n1", "n2")]
    terms = {"nodeSelectorTerms": [{"matchFields": two}]}
    torn = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    done = asked(pod("torn", affinity=torn, priority=10), bound("lower"))
    assert done == PostFiltered(None, "not found")


@pytest.mark.parametrize(
    ("budgets", "expected"),
    [
        pytest.param((), "young", id="without a budget the younger one goes"),
        pytest.param((budget("b", allowed=0, labels={"app": "a"}),), "old", id="it is spared"),
        pytest.param((budget("b", allowed=1, labels={"app": "a"}),), "young", id="it may go"),
        pytest.param((budget("b", allowed=0, labels={}),), "young", id="an empty one selects none"),
        pytest.param((budget("b", allowed=0, labels=None),), "young", id="an absent one does too"),
        pytest.param(
            (budget("b", allowed=0, labels={"app": "a"}, disrupted=["young"]),),
            "young",
            id="it is counted already",
        ),
    ],
)
def test_pods_whose_budget_would_break_are_given_back_first(
    budgets: tuple[PodDisruptionBudget, ...], expected: str
) -> None:
    """TestDryRunPreemption: pdb; filterPodsWithPDBViolation."""
    pods = [bound("old", cpu="2"), bound("young", cpu="2", started=5, labels={"app": "a"})]
    done = asked(pod("two", cpu="2", priority=1), *pods, budgets=budgets)
    assert victims(done) == ("n1", [expected])


NO_BUDGET: tuple[PodDisruptionBudget, ...] = ()


@pytest.mark.parametrize(
    ("on_n1", "on_n2"),
    [
        pytest.param([{"labels": {"app": "a"}}], [{"priority": 5}], id="fewest broken budgets"),
        pytest.param([{"priority": 6}], [{"priority": 5}] * 2, id="lowest highest priority"),
        pytest.param(
            [{"priority": 6}, {"priority": 5}], [{"priority": 6}, {"priority": 4}], id="lowest sum"
        ),
        pytest.param([{"priority": -1}] * 2, [{"priority": -1}], id="fewest pods"),
        pytest.param([{"started": 1}], [{"started": 2}], id="latest start"),
        pytest.param([{"started": 1}], [{"started": None}], id="no start is the latest"),
    ],
)
def test_the_node_is_chosen_by_what_goes(
    on_n1: list[dict[str, Any]], on_n2: list[dict[str, Any]]
) -> None:
    """TestSelectBestCandidate; pickOneNodeForPreemption."""
    pods = []
    for node_name, of_node in (("n1", on_n1), ("n2", on_n2)):
        for i, options in enumerate(of_node):
            cpu = str(4 // len(of_node))
            pods.append(bound(f"{node_name}-{i}", node_name, **({"cpu": cpu} | options)))
    budgets = (budget("b", allowed=0, labels={"app": "a"}),)
    whole = pod("whole", cpu="4", priority=10)
    done = asked(whole, *pods, nodes=(node("n1"), node("n2")), budgets=budgets)
    assert victims(done)[0] == "n2"


def test_equally_good_nodes_are_all_told() -> None:
    """preemption.go pickOneNodeForPreemption: the first of a map's keys."""
    nodes = tuple(node(f"n{i}") for i in range(3))
    done = asked(IMPORTANT, *(bound(f"p{i}", f"n{i}", cpu="3") for i in range(3)), nodes=nodes)
    assert done.nomination is not None
    assert {one.node_name for one in done.nomination.ties} == {"n1", "n2"}


def test_while_a_victim_is_on_its_way_out_no_other_pod_has_to_go() -> None:
    """TestPodEligibleToPreemptOthers: podTerminatingByPreemption."""
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    why = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    victim = pod("v", cpu="3", node_name="n1", status={"conditions": [why]}, metadata=going)
    cache = cluster([node("n1"), node("n2")], [victim, bound("other", "n2", cpu="3")])
    cache.nominations.nominate(cache.pod_info(IMPORTANT, "n1"))
    done = ask(IMPORTANT, cache)
    assert (
        done.message == f"{PREEMPTION}not eligible due to a terminating pod on the nominated node."
    )
    assert not done.forget_nomination


def test_room_made_for_a_more_important_pod_is_not_taken() -> None:
    """runtime/framework.go RunFilterPluginsWithNominatedPods."""
    cache = cluster([node("n1")], [bound("lower")])
    cache.nominations.nominate(cache.pod_info(pod("other", cpu="3", priority=10), "n1"))
    done = ask(pod("two", cpu="2", priority=10), cache)
    assert done.message == f"{PREEMPTION}0/1 nodes are available: 1 Insufficient cpu."


def test_room_made_on_a_node_that_pre_filter_leaves_out_changes_no_reason() -> None:
    """schedule_one.go findNodesThatFitPod: the nodes of a PreFilterResult alone are filtered."""
    cache = cluster([node("n1"), node("n2", cpu="1")])
    cache.nominations.nominate(cache.pod_info(pod("other", cpu="3", priority=10), "n1"))
    field = {"key": "metadata.name", "operator": "In", "values": ["n2"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    waiting, profile = pod("pinned", cpu="2", affinity=affinity), default_profile("my-scheduler")
    alone = profile.filter(waiting, cache)
    filtered = WhatIf.of(profile, waiting, cache, alone.states).beside_nominated(alone)
    assert [(one.plugin, one.reason) for one in filtered.rejections] == [
        ("NodeAffinity", "node(s) didn't satisfy plugin(s) [NodeAffinity]"),
        ("NodeResourcesFit", "Insufficient cpu"),
    ]


def test_pod_of_middling_priority_goes_where_a_lower_one_is_too_small_to_help() -> None:
    """TestDryRunPreemption: medium priority pod is preempted, lower priority one stays."""
    pods = [bound("small", cpu="500m", priority=1), bound("medium", cpu="3", priority=5)]
    assert victims(asked(pod("p", cpu="3500m", priority=10), *pods)) == ("n1", ["medium"])


WEB = {"labelSelector": {"matchLabels": {"app": "web"}}}
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [{**WEB, "topologyKey": "zone"}]
    }
}
EVEN = {**WEB, "topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"affinity": APART}, id="pods that it does not stand"),
        pytest.param({"topology_spread_constraints": [EVEN]}, id="pods that are too many there"),
    ],
)
def test_pods_go_that_are_in_the_way_by_what_they_are(rule: dict[str, Any]) -> None:
    """TestDryRunPreemption: anti-affinity, topology spread; the plugins' RemovePod."""
    nodes = (node("n1", labels={"zone": "a"}), node("n2", labels={"zone": "b"}, cpu="1"))
    web: dict[str, Any] = {"labels": {"app": "web"}, "cpu": "100m"}
    pods = [
        bound("other", cpu="100m"),
        bound("web", **web),
        bound("fixed", "n2", **web, priority=99),
    ]
    waiting = pod("p", labels={"app": "web"}, cpu="2", priority=10, **rule)
    if "affinity" not in rule:
        pods.append(bound("second", **web, priority=99))
    assert victims(asked(waiting, *pods, nodes=nodes)) == ("n1", ["web"])


@pytest.mark.parametrize(
    ("nodes", "leaving", "expected"),
    [
        pytest.param(
            (node("n1", unschedulable=True), node("n2")),
            ["DisruptionTarget"],
            "n2",
            id="its node is hopeless by now",
        ),
        pytest.param((node("n1"), node("n2")), [], "n2", id="the pod goes for another reason"),
    ],
)
def test_preemptor_may_try_elsewhere(
    nodes: tuple[Node, ...], leaving: list[str], expected: str
) -> None:
    """TestPodEligibleToPreemptOthers: Pod with nominated node."""
    conditions = [
        {"type": kind, "status": "True", "reason": "PreemptionByScheduler"} for kind in leaving
    ]
    going = pod(
        "v",
        cpu="3",
        priority=9,
        node_name="n1",
        metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"},
        status={"conditions": conditions, "startTime": "2026-01-01T00:00:00Z"},
    )
    cache = cluster(nodes, [going, bound("other", "n2", cpu="3")])
    cache.nominations.nominate(cache.pod_info(IMPORTANT, "n1"))
    assert victims(ask(IMPORTANT, cache)) == (expected, ["other"])


def test_a_host_port_that_two_pods_have_is_taken_until_both_are_gone() -> None:
    """differs: upstream keeps a set (HostPortInfo), so one pod goes and another shares its port."""
    held = [
        bound(name, priority=priority, host_ports=[80]) for name, priority in (("a", 0), ("b", 20))
    ]
    done = asked(pod("important", priority=10, host_ports=[80]), *held)
    assert done.nomination is None
    assert "1 node(s) didn't have free ports for the requested pod ports" in done.message
