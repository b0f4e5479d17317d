"""What is said of a pod for which no node is feasible, as kubernetes v1.36.3 words it.

The message is put together in pkg/scheduler/framework/types.go (FitError) and schedule_one.go
(schedulingAlgorithm); its end is what DynamicResources and DefaultPreemption say. Rows that are
marked as seen were read off a kube-scheduler v1.36.3 on the same objects.
Nodes: big (4 CPU, of which a pod of priority 10 takes 3), small (1 CPU), tainted.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

import make
from dialogue import NAME, Dialogue, of
from pilotfish.api.pod import Pod
from pilotfish.core.decision import Decision
from pilotfish.core.effects import EvictPod
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.rejection import Reject
from pilotfish.plugins.default import default_profile

NODES: Final = (
    make.node("big"),
    make.node("small", cpu="1"),
    make.node("tainted", taints=["k:NoSchedule"]),
)
TAKEN: Final = make.pod("taken", cpu="3", priority=10, node_name="big")
FULL: Final = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu."
NO_CLAIMS: Final = "no new claims to deallocate, preemption:"
NONE: Final = "0/3 nodes are available:"
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling."
CLAIM: Final[dict[str, Any]] = {"resource_claims": [{"name": "c", "resourceClaimName": "mine"}]}
GROUP: Final[dict[str, Any]] = {"scheduling_group": {"podGroupName": "g"}}


def on(*terms: list[str]) -> dict[str, Any]:
    """Make an affinity to the nodes that all names of a term name."""
    fields = [
        [{"key": "metadata.name", "operator": "In", "values": [name]} for name in names]
        for names in terms
    ]
    required = {"nodeSelectorTerms": [{"matchFields": one} for one in fields]}
    wishes = {"requiredDuringSchedulingIgnoredDuringExecution": required}
    return {"affinity": {"nodeAffinity": wishes}}


def told(world: Dialogue, asked: Pod) -> str:
    world.apply(asked)
    (decision,) = of(Decision, world.decide())
    return decision.message


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(
            make.pod("p", cpu="99"), f"{FULL} {NO_CLAIMS} {NONE} 3 {NOT_HELPFUL}",
            id="all nodes are unresolvable (seen)",
        ),
        pytest.param(
            make.pod("p", cpu="2"),
            f"{FULL} {NO_CLAIMS} {NONE} 1 No preemption victims found for incoming pod, "
            f"2 {NOT_HELPFUL}",
            id="no pod has a lower priority (seen)",
        ),
        pytest.param(
            make.pod("p", cpu="2", priority=10),
            f"{FULL} {NO_CLAIMS} {NONE} 1 No preemption victims found for incoming pod, "
            f"2 {NOT_HELPFUL}",
            id="an equal priority is not lower (seen)",
        ),
        pytest.param(
            make.pod("p", cpu="2", priority=500, preemption_policy="Never"),
            f"{FULL} {NO_CLAIMS} not eligible due to preemptionPolicy=Never.",
            id="the pod may not preempt (seen)",
        ),
        pytest.param(
            make.pod("p", cpu="2", priority=500), FULL, id="the pod preempts: nothing more (seen)"
        ),
        pytest.param(
            make.pod("p", **on(["big", "small"])),
            f"{NONE} pod affinity terms conflict. not found",
            id="a pre_filter before DynamicResources rejects the pod (seen)",
        ),
        pytest.param(
            make.pod("p", cpu="3", **on(["small"])),
            f"{NONE} 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
            f"{NO_CLAIMS} {NONE} 3 {NOT_HELPFUL}",
            id="a pre_filter leaves nodes out, which preemption does not look at (seen)",
        ),
        pytest.param(
            make.pod("p", **on(["gone"])),
            f"{NONE} 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
            f"{NO_CLAIMS} {NONE} 3 {NOT_HELPFUL}",
            id="a pre_filter names only nodes that do not exist (seen)",
        ),
        pytest.param(
            make.pod("p", **CLAIM),
            f"{NONE} resource claims are not supported by this scheduler. still not schedulable, "
            f"preemption: {NONE} 3 {NOT_HELPFUL}",
            id="differs: claims are not allocated; the end is upstream's for claims (seen)",
        ),
        pytest.param(
            make.pod("p", **CLAIM, **on(["big", "small"])),
            f"{NONE} pod affinity terms conflict. not found",
            id="an earlier pre_filter is told before the claims",
        ),
        pytest.param(
            make.pod("p", requests={"example.com/gpu": "1"}),
            f"{NONE} 1 node(s) had untolerated taint(s), 2 Insufficient example.com/gpu. "
            f"{NO_CLAIMS} {NONE} 3 {NOT_HELPFUL}",
            id="no node offers an extended resource (seen; differs with a DeviceClass for it)",
        ),
        pytest.param(
            make.pod("p", **GROUP),
            f"{NONE} pod groups are not supported by this scheduler.",
            id="differs: groups are not scheduled, upstream takes the pod alone",
        ),
    ],
)  # fmt: skip
def test_message_of_a_pod_that_fits_nowhere(asked: Pod, expected: str) -> None:
    world = Dialogue(*NODES)
    world.apply(TAKEN)
    assert told(world, asked) == expected


@pytest.mark.parametrize("spec", [CLAIM, GROUP])
def test_no_news_of_the_cluster_wakes_a_pod_that_is_not_supported(spec: dict[str, Any]) -> None:
    world = Dialogue(*NODES)
    assert "not supported" in told(world, make.pod("p", **spec))
    world.now = 60.0  # its back-off is over
    world.apply_nodes(make.node("fresh"))
    world.apply(make.pod("other", node_name="fresh"))
    assert of(Decision, world.decide()) == []


def test_without_nodes_nobody_is_asked() -> None:
    """schedule_one.go ErrNoNodesAvailable (seen)."""
    assert told(Dialogue(), make.pod("p")) == "no nodes available to schedule pods"


def test_what_is_in_the_way_once_the_victims_are_gone_is_told_per_node() -> None:
    """TestPostFilter: no candidate, with mixed reasons."""
    world = Dialogue(make.node("a"), make.node("b"), make.node("c", cpu="1"))
    world.apply(
        make.pod("low", cpu="1", node_name="a"),
        make.pod("high", cpu="3", priority=9, node_name="a"),
        make.pod("equal", cpu="4", priority=5, node_name="b"),
    )
    assert told(world, make.pod("p", cpu="2", priority=5)) == (
        f"{NONE} 3 Insufficient cpu. {NO_CLAIMS} {NONE} 1 Insufficient cpu, "
        f"1 No preemption victims found for incoming pod, 1 {NOT_HELPFUL}"
    )


def test_without_plugins_that_preempt_the_message_ends_early() -> None:
    """schedule_one.go schedulingAlgorithm, HasPostFilterPlugins."""
    without = ("DefaultPreemption", "DynamicResources")
    enabled = [one for one in default_profile(NAME).enabled if one.plugin.name not in without]
    world = Dialogue(make.node("n"), profile=Profile(NAME, enabled))
    message = told(world, make.pod("p", cpu="9"))
    assert message == "0/1 nodes are available: 1 Insufficient cpu."


def test_preemption_that_would_need_no_victim_is_an_error() -> None:
    """preemption.go DryRunPreemption: of several nodes upstream lists them in any order."""

    class Moody(Plugin):
        """Rejects every pod as if evictions could help."""

        name = "Moody"
        requeue_on = frozenset({ClusterEvent.NODE_ADDED})

        def pre_filter(self) -> Reject:
            """Reject."""
            return Reject(None, "not today")

    profile = Profile(NAME, [*default_profile(NAME).enabled, EnabledPlugin(Moody())])
    world = Dialogue(make.node("a"), make.node("b"), profile=profile)
    world.apply(*(make.pod(f"low-{name}", node_name=name) for name in "ba"))
    asked = make.pod("p", priority=9)
    world.apply(asked)
    effects = world.decide()
    (decision,) = of(Decision, effects)
    assert decision.message == (
        "0/2 nodes are available: not today. preemption: "
        '[expected at least one victim pod on node "a", '
        'expected at least one victim pod on node "b"]'
    )
    assert of(EvictPod, effects) == []
