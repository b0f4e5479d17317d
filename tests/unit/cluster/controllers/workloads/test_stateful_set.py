"""StatefulSets: order, identity, claims, updates."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.cluster.kinds import (
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SERVICE_ACCOUNTS,
    STATEFUL_SETS,
)
from unit.cluster.controllers.world import Json, World, template, workload

CLAIM = {
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


def stateful_set(world: World, replicas: int, **spec: Any) -> None:
    given = {"serviceName": "web", "updateStrategy": {"type": "RollingUpdate"}, **spec}
    world.create(STATEFUL_SETS, workload("web", replicas=replicas, **given))


def scale(world: World, replicas: int) -> None:
    world.change(STATEFUL_SETS, "web", lambda s: s["spec"].update(replicas=replicas))


def images(world: World) -> dict[str, str]:
    pods = world.all(PODS)
    return {p["metadata"]["name"]: p["spec"]["containers"][0]["image"] for p in pods}


def status(world: World) -> Json:
    found: Json = world.get(STATEFUL_SETS, "web")["status"]
    return found


def test_pods_come_one_by_one_in_order() -> None:
    world = World()
    stateful_set(world, 3)
    world.settle()
    assert world.names(PODS) == ["web-0"]
    world.set_pod("web-0", "Running", ready=True)
    world.settle()
    assert world.names(PODS) == ["web-0", "web-1"]
    world.advance(1, world.run_pods)
    assert world.names(PODS) == ["web-0", "web-1", "web-2"]
    assert status(world)["readyReplicas"] == 3
    assert status(world)["currentRevision"] == status(world)["updateRevision"]
    assert world.events("SuccessfulCreate")[0] == "Create Pod web-0 in StatefulSet web successful"


def test_parallel_set_starts_all_pods_at_once() -> None:
    world = World()
    stateful_set(world, 3, podManagementPolicy="Parallel")
    world.settle()
    assert world.names(PODS) == ["web-0", "web-1", "web-2"]


def test_pod_has_its_name_as_hostname_and_labels() -> None:
    world = World()
    stateful_set(world, 1)
    world.settle()
    pod = world.get(PODS, "web-0")
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-0", "web")
    assert pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "web-0"
    assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "0"


def test_lost_pod_comes_back_under_its_name_with_its_claim() -> None:
    world = World()
    stateful_set(world, 2, volumeClaimTemplates=[CLAIM])
    world.advance(1, world.run_pods)
    assert world.names(PERSISTENT_VOLUME_CLAIMS) == ["data-web-0", "data-web-1"]
    uid = world.get(PODS, "web-0")["metadata"]["uid"]
    world.delete(PODS, "web-0")
    world.advance(1, world.run_pods)
    pod = world.get(PODS, "web-0")
    assert pod["metadata"]["uid"] != uid
    (volume, *_) = pod["spec"]["volumes"]
    assert volume == {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}
    assert world.names(PERSISTENT_VOLUME_CLAIMS) == ["data-web-0", "data-web-1"]


@pytest.mark.parametrize(
    ("when_scaled", "when_deleted", "after_scaling", "after_deletion"),
    [
        ("Retain", "Retain", ["data-web-0", "data-web-1"], ["data-web-0", "data-web-1"]),
        ("Delete", "Retain", ["data-web-0"], ["data-web-0"]),
        ("Retain", "Delete", ["data-web-0", "data-web-1"], []),
        ("Delete", "Delete", ["data-web-0"], []),
    ],
)
def test_claims_go_with_pods_scaled_away_and_with_the_set_as_it_says(
    when_scaled: str, when_deleted: str, after_scaling: list[str], after_deletion: list[str]
) -> None:
    world = World()
    policy = {"whenScaled": when_scaled, "whenDeleted": when_deleted}
    retention = {"persistentVolumeClaimRetentionPolicy": policy}
    stateful_set(world, 2, volumeClaimTemplates=[CLAIM], **retention)
    world.advance(1, world.run_pods)
    world.delete(PODS, "web-1")  # lost, not scaled away: its claim stays
    world.advance(1, world.run_pods)
    assert world.names(PERSISTENT_VOLUME_CLAIMS) == ["data-web-0", "data-web-1"]
    scale(world, 1)
    world.advance(1, world.run_pods)
    assert world.names(PERSISTENT_VOLUME_CLAIMS) == after_scaling
    world.delete(STATEFUL_SETS, "web")
    world.advance(1, world.run_pods)
    assert world.names(PERSISTENT_VOLUME_CLAIMS) == after_deletion


def test_claims_are_kept_once_the_set_says_so() -> None:
    world = World()
    policy = {"whenScaled": "Delete", "whenDeleted": "Delete"}
    retention = {"persistentVolumeClaimRetentionPolicy": policy}
    stateful_set(world, 1, volumeClaimTemplates=[CLAIM], **retention)
    world.advance(1, world.run_pods)
    (owner,) = world.get(PERSISTENT_VOLUME_CLAIMS, "data-web-0")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("StatefulSet", "web")
    keep = {"persistentVolumeClaimRetentionPolicy": dict.fromkeys(policy, "Retain")}
    world.change(STATEFUL_SETS, "web", lambda s: s["spec"].update(keep))
    world.settle()
    assert "ownerReferences" not in world.get(PERSISTENT_VOLUME_CLAIMS, "data-web-0")["metadata"]


def test_pod_waits_until_the_claim_of_an_earlier_one_is_gone() -> None:
    world = World()
    stateful_set(world, 1, volumeClaimTemplates=[CLAIM])
    world.advance(1, world.run_pods)
    hold = {"finalizers": ["test/hold"]}
    world.change(PERSISTENT_VOLUME_CLAIMS, "data-web-0", lambda c: c["metadata"].update(hold))
    world.delete(PERSISTENT_VOLUME_CLAIMS, "data-web-0")
    world.delete(PODS, "web-0")
    world.advance(1, world.run_pods)
    assert world.names(PODS) == []
    (why,) = set(world.events("FailedCreate"))
    assert why.endswith("failed error: pvc data-web-0 is being deleted")
    world.change(PERSISTENT_VOLUME_CLAIMS, "data-web-0", lambda c: c["metadata"].pop("finalizers"))
    world.advance(10, world.run_pods)
    assert world.names(PODS) == ["web-0"]
    assert "deletionTimestamp" not in world.get(PERSISTENT_VOLUME_CLAIMS, "data-web-0")["metadata"]


def test_scale_down_goes_from_the_highest_ordinal_one_at_a_time() -> None:
    world = World()
    stateful_set(world, 3)
    world.advance(1, world.run_pods)
    for name in world.names(PODS):
        world.change(PODS, name, lambda p: p["metadata"].update(finalizers=["test/hold"]))
    scale(world, 1)
    world.advance(1, world.run_pods)
    going = [p["metadata"]["name"] for p in world.all(PODS) if "deletionTimestamp" in p["metadata"]]
    assert going == ["web-2"]
    for name in world.names(PODS):
        world.change(PODS, name, lambda p: p["metadata"].pop("finalizers"))
    world.advance(1, world.run_pods)
    assert world.names(PODS) == ["web-0"]


def test_scale_down_waits_for_an_unhealthy_pod_below() -> None:
    world = World()
    stateful_set(world, 3)
    world.advance(1, world.run_pods)
    world.set_pod("web-0", "Running", ready=False)
    scale(world, 1)
    world.settle()
    assert world.names(PODS) == ["web-0", "web-1", "web-2"]
    assert all("deletionTimestamp" not in pod["metadata"] for pod in world.all(PODS))


def test_update_replaces_pods_from_the_highest_ordinal() -> None:
    world = World()
    stateful_set(world, 3)
    world.advance(1, world.run_pods)
    world.change(STATEFUL_SETS, "web", lambda s: s["spec"].update(template=template("app:v2")))
    seen: list[dict[str, str]] = []

    def tick() -> None:
        seen.append(images(world))
        world.run_pods()

    world.advance(1, tick)
    assert set(images(world).values()) == {"app:v2"}
    assert {"web-0": "app:v1", "web-1": "app:v1", "web-2": "app:v2"} in seen
    assert {"web-0": "app:v2", "web-1": "app:v1", "web-2": "app:v1"} not in seen
    assert status(world)["currentRevision"] == status(world)["updateRevision"]
    assert status(world)["updatedReplicas"] == 3


def test_partition_keeps_the_lower_ordinals_old() -> None:
    world = World()
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    stateful_set(world, 3, updateStrategy=strategy)
    world.advance(1, world.run_pods)
    world.change(STATEFUL_SETS, "web", lambda s: s["spec"].update(template=template("app:v2")))
    world.advance(1, world.run_pods)
    assert images(world) == {"web-0": "app:v1", "web-1": "app:v1", "web-2": "app:v2"}
    assert status(world)["updatedReplicas"] == 1
    assert status(world)["currentReplicas"] == 2
    old = world.get(PODS, "web-0")["metadata"]["labels"]
    world.delete(PODS, "web-0")
    world.advance(1, world.run_pods)
    assert images(world) == {"web-0": "app:v1", "web-1": "app:v1", "web-2": "app:v2"}
    assert world.get(PODS, "web-0")["metadata"]["labels"] == old


def test_failed_pod_is_replaced() -> None:
    world = World()
    stateful_set(world, 1)
    world.advance(1, world.run_pods)
    uid = world.get(PODS, "web-0")["metadata"]["uid"]
    world.set_pod("web-0", "Failed")
    world.advance(1, world.run_pods)
    assert world.get(PODS, "web-0")["metadata"]["uid"] != uid


def test_only_orphans_with_a_name_of_the_set_are_adopted() -> None:
    world = World()
    world.add_pod("stranger")
    world.add_pod("web-1")
    stateful_set(world, 2)
    world.advance(1, world.run_pods)
    assert "ownerReferences" not in world.get(PODS, "stranger")["metadata"]
    assert world.get(PODS, "web-1")["metadata"]["ownerReferences"][0]["name"] == "web"
    assert world.names(PODS) == ["stranger", "web-0", "web-1"]


def test_on_delete_keeps_the_old_pods_until_the_user_deletes_them() -> None:
    world = World()
    stateful_set(world, 1, updateStrategy={"type": "OnDelete"})
    world.advance(1, world.run_pods)
    world.change(STATEFUL_SETS, "web", lambda s: s["spec"].update(template=template("app:v2")))
    world.advance(1, world.run_pods)
    assert images(world) == {"web-0": "app:v1"}
    world.delete(PODS, "web-0")
    world.advance(1, world.run_pods)
    assert images(world) == {"web-0": "app:v2"}


def test_refused_pod_is_told_and_tried_again() -> None:
    world = World()
    stateful_set(world, 1, template=template(serviceAccountName="robot"))
    world.settle()
    (message, *_) = world.events("FailedCreate")
    assert message.startswith("Create Pod web-0 in StatefulSet web failed error: ")
    world.create(SERVICE_ACCOUNTS, {"metadata": {"name": "robot"}})
    world.advance(2)
    assert world.names(PODS) == ["web-0"]
