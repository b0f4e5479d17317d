"""Pods whose volumes are bound, or made, only when their node is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_story import MakeNodes, Plane, Story
from controlplane import wait_until
from scheduler_process import SchedulerProcess
from volume_story import Storage, using

SERVERS = ("real", "embedded")


def test_local_volumes_are_bound_where_the_pod_goes(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    storage: Storage,
) -> None:
    """Two claims of a pod get the smallest volumes of one node; the next pod gets what is left."""
    first, second, _ = make_nodes(3)
    story = Story(control_plane, namespace)
    local = storage.make_class("WaitForFirstConsumer")
    storage.make_volume("alone", local, first)
    small = storage.make_volume("small", local, second)
    large = storage.make_volume("large", local, second, size="5Gi")
    for name in ("a", "b", "c"):
        storage.make_claim(name, local)
    with SchedulerProcess(scheduler_kubeconfig):
        story.create(["pair"], spec=using("a", "b"))
        assert story.wait_bound(["pair"]) == {"pair": second}
        story.create(["single"], spec=using("c"))
        assert story.wait_bound(["single"]) == {"single": first}

    bound = {storage.claim(name)["spec"]["volumeName"] for name in ("a", "b")}
    assert bound == {small, large}
    of_small = storage.volume(small)
    assert (
        of_small["spec"]["claimRef"]["uid"]
        == storage.claim(
            next(n for n in ("a", "b") if storage.claim(n)["spec"]["volumeName"] == small)
        )["metadata"]["uid"]
    )
    assert of_small["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] == "yes"


@pytest.mark.parametrize("mode", ["watch", "polling"])
def test_a_volume_is_made_for_the_chosen_node(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    storage: Storage,
    mode: str,
) -> None:
    """The pod is bound only when its volume is."""
    make_nodes(2)
    story = Story(control_plane, namespace)
    storage.make_claim("data", storage.make_class("WaitForFirstConsumer", "csi.example.com"))
    with SchedulerProcess(scheduler_kubeconfig, "--mode", mode, "--interval", "1"):
        story.create(["writer"], spec=using("data"))
        node = storage.provision("data")
        assert story.wait_bound(["writer"]) == {"writer": node}
        assert storage.claim("data")["status"]["phase"] == "Bound"


def test_claims_that_are_missing_or_unbound_are_named_and_waited_for(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    storage: Storage,
) -> None:
    """The pod is tried again when its claim comes, and when that is bound."""
    (node,) = make_nodes(1)
    story = Story(control_plane, namespace)
    at_once = storage.make_class("Immediate")
    tail = ". not found"
    with SchedulerProcess(scheduler_kubeconfig):
        story.create(["early"], spec=using("late"))
        missing = f'0/1 nodes are available: persistentvolumeclaim "late" not found{tail}'
        assert story.wait_condition("early")["message"] == missing
        storage.make_claim("late", at_once)
        unbound = "pod has unbound immediate PersistentVolumeClaims"
        wait_until(lambda: unbound in story.wait_condition("early")["message"], "the next reason")
        storage.make_volume("late", at_once, node)
        assert story.wait_bound(["early"]) == {"early": node}


def test_a_claim_for_one_pod_is_used_by_one_pod(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    storage: Storage,
) -> None:
    """The second pod waits until the first is gone."""
    (node,) = make_nodes(1)
    story = Story(control_plane, namespace)
    late = storage.make_class("WaitForFirstConsumer")
    storage.make_volume("one", late, node, accessModes=["ReadWriteOncePod"])
    storage.make_claim("one", late, accessModes=["ReadWriteOncePod"])
    with SchedulerProcess(scheduler_kubeconfig):
        story.create(["first"], spec=using("one"))
        story.wait_bound(["first"])
        story.create(["second"], spec=using("one"))
        message = story.wait_condition("second")["message"]
        reason = "PersistentVolumeClaim with ReadWriteOncePod access mode already in-use"
        assert f"1 node(s) unavailable due to {reason} by another pod" in message
        control_plane.api.delete(f"{story.path}/first", grace_seconds=0)
        assert story.wait_bound(["second"]) == {"second": node}
