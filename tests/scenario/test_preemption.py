"""Preemption on the real control plane: whom it evicts, whom it spares, and what people see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_story import MakeNodes, Story, make_priority_class
from controlplane import ControlPlane, wait_until
from scheduler_process import SchedulerProcess
from scheduler_role import grant

pytestmark = pytest.mark.controlplane

IMPORTANT = {"priorityClassName": "preemption-important"}
SLOW = {"pilotfish/terminate-after": "6s"}
HOLD = "example.com/hold"


@pytest.fixture(autouse=True)
def _priority_class(control_plane: ControlPlane) -> Iterator[None]:
    """Make a priority class that goes with the test."""
    make_priority_class(control_plane, "preemption-important", 1000)
    yield
    control_plane.api.delete("/apis/scheduling.k8s.io/v1/priorityclasses/preemption-important")


def budget(namespace: str, labels: dict[str, str], min_available: int) -> dict[str, Any]:
    """Make a PodDisruptionBudget."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "keep", "namespace": namespace},
        "spec": {"minAvailable": min_available, "selector": {"matchLabels": labels}},
    }


def is_leaving(story: Story, name: str) -> bool:
    """Say whether a pod is being deleted, or gone."""
    pod = story.pods().get(name)
    return pod is None or "deletionTimestamp" in pod["metadata"]


def hold(story: Story, name: str, finalizers: list[str]) -> None:
    """Have finalizers keep a pod that is deleted, or let it go."""
    story.api.patch(f"{story.path}/{name}", {"metadata": {"finalizers": finalizers}}, kind="merge")


def test_pods_under_a_budget_are_spared_and_people_are_told(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
) -> None:
    """Of two full nodes the one without a budget has to give; nobody else is touched."""
    kept, given = make_nodes(1, labels={"for": "kept"}), make_nodes(1, labels={"for": "given"})
    story = Story(control_plane, namespace)
    control_plane.create([budget(namespace, {"app": "kept"}, 1)], concurrency=1)
    with SchedulerProcess(scheduler_kubeconfig) as scheduler:
        on_kept, on_given = {"nodeSelector": {"for": "kept"}}, {"nodeSelector": {"for": "given"}}
        story.create(["kept"], cpu="3", labels={"app": "kept"}, spec=on_kept)
        story.create(["given"], cpu="3", spec=on_given)
        story.wait_bound(["kept", "given"])
        uid = story.create(["important"], cpu="3", spec=IMPORTANT)[0]["metadata"]["uid"]

        assert story.wait_bound(["important"]) == {"important": given[0]}
        assert story.node_of("kept") == kept[0]
        assert not is_leaving(story, "kept")
        wait_until(lambda: story.events("given", "Preempted"), "the Event on the victim")
        (event,) = story.events("given", "Preempted")
        assert event["note"] == f"Preempted by pod {uid} on node {given[0]}"
        assert event["related"]["name"] == "important"
        why = "0/2 nodes are available: 2 Insufficient cpu."

        def is_told() -> bool:
            return why in {one["note"] for one in story.events("important", "FailedScheduling")}

        wait_until(is_told, f"an Event that says {why}")
        preempts = rf"{namespace}/important preempts {namespace}/given on"
        scheduler.wait_for(preempts)
        assert scheduler.count(preempts) == 1


def test_a_victim_takes_its_time_and_others_are_placed_meanwhile(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
) -> None:
    """The preemptor waits on its nominated node, and its room is not given to others."""
    (node_name,) = make_nodes(1, cpu="4")
    (aside,) = make_nodes(1, cpu="1")
    story = Story(control_plane, namespace)
    with SchedulerProcess(scheduler_kubeconfig):
        story.create(["slow"], cpu="3")
        hold(story, "slow", [HOLD])
        story.wait_bound(["slow"])
        story.create(["important"], cpu="3", spec=IMPORTANT)

        def is_nominated() -> bool:
            nominated = story.pods()["important"]["status"].get("nominatedNodeName")
            return bool(nominated == node_name) and is_leaving(story, "slow")

        wait_until(is_nominated, "a nominated node, and a victim that leaves")
        slow = story.pods()["slow"]
        (condition,) = (
            one for one in slow["status"]["conditions"] if one["type"] == "DisruptionTarget"
        )
        assert (condition["status"], condition["reason"]) == ("True", "PreemptionByScheduler")
        assert condition["message"] == (
            "my-scheduler: preempting to accommodate a higher priority pod"
        )
        story.create(["small"], cpu="500m")
        story.create(["rival"], cpu="2")
        assert story.wait_bound(["small"]) == {"small": aside}
        story.wait_condition("rival")
        assert not story.node_of("important")

        hold(story, "slow", [])
        assert story.wait_bound(["important"]) == {"important": node_name}
        assert not story.node_of("rival")
        assert not story.overfilled_nodes()


def test_the_preemptor_is_deleted_midway_and_its_room_is_free_again(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
) -> None:
    """Its nomination ends with it: whoever waits gets the room."""
    (node_name,) = make_nodes(1, cpu="4")
    story = Story(control_plane, namespace)
    with SchedulerProcess(scheduler_kubeconfig) as scheduler:
        story.create(["slow"], cpu="3", annotations=SLOW)
        story.wait_bound(["slow"])
        story.create(["important"], cpu="3", spec=IMPORTANT)
        wait_until(lambda: is_leaving(story, "slow"), "the end of the victim")
        story.create(["rival"], cpu="2")
        story.wait_condition("rival")

        control_plane.api.delete(f"{story.path}/important", grace_seconds=0)

        assert story.wait_bound(["rival"]) == {"rival": node_name}
        assert scheduler.is_running


def test_without_permission_to_delete_nobody_is_evicted(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
) -> None:
    """What is missing is said once, and the pod waits."""
    make_nodes(1, cpu="4")
    kubeconfig = control_plane.service_account_kubeconfig("kube-system", "harmless")
    grant(control_plane, "harmless", without=("pods:delete",))
    story = Story(control_plane, namespace)
    with SchedulerProcess(kubeconfig) as scheduler:
        story.create(["tenant"], cpu="3")
        story.wait_bound(["tenant"])
        story.create(["important"], cpu="3", spec=IMPORTANT)

        scheduler.wait_for("grant the verb delete on pods")
        assert not is_leaving(story, "tenant")
        assert scheduler.is_running
