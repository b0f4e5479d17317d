"""Binding, provisioning, reclaiming and protecting volumes."""

from __future__ import annotations

from typing import Any

from pilotfish.cluster.kinds import (
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
)
from unit.cluster.controllers.world import Json, World

SELECTED_NODE = "volume.kubernetes.io/selected-node"


def volume(world: World, name: str, size: str = "1Gi", class_name: str = "", **spec: Any) -> None:
    content = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/data"},
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": class_name,
        **spec,
    }
    labels = {"name": name}
    world.create(
        PERSISTENT_VOLUMES, {"metadata": {"name": name, "labels": labels}, "spec": content}
    )


def claim(world: World, size: str = "1Gi", class_name: str = "", **spec: Any) -> None:
    content = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": class_name,
        **spec,
    }
    world.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": "data"}, "spec": content})


def storage_class(world: World, mode: str = "Immediate", provisioner: str = "sim.test") -> None:
    content = {"provisioner": provisioner, "volumeBindingMode": mode, "reclaimPolicy": "Delete"}
    world.create(STORAGE_CLASSES, {"metadata": {"name": "fast"}, **content})


def bound_to(world: World) -> str | None:
    name: str | None = world.get(PERSISTENT_VOLUME_CLAIMS, "data")["spec"].get("volumeName")
    return name


def phase(world: World) -> str | None:
    found = world.get(PERSISTENT_VOLUME_CLAIMS, "data").get("status") or {}
    value: str | None = found.get("phase")
    return value


def volume_phase(world: World, name: str) -> str:
    value: str = world.get(PERSISTENT_VOLUMES, name)["status"]["phase"]
    return value


def only_volume(world: World) -> Json:
    (found,) = world.all(PERSISTENT_VOLUMES)
    return found


def test_claim_takes_the_smallest_volume_that_suits_it() -> None:
    world = World()
    volume(world, "small", "1Gi")
    volume(world, "huge", "100Gi")
    volume(world, "right", "5Gi")
    volume(world, "other-class", "3Gi", "slow")
    volume(world, "other-mode", "3Gi", accessModes=["ReadOnlyMany"])
    claim(world, "3Gi")
    world.settle()
    assert bound_to(world) == "right"
    found = world.get(PERSISTENT_VOLUME_CLAIMS, "data")
    assert found["status"]["phase"] == "Bound"
    assert found["status"]["capacity"] == {"storage": "5Gi"}
    assert found["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    assert volume_phase(world, "right") == "Bound"
    assert volume_phase(world, "huge") == "Available"
    reference = world.get(PERSISTENT_VOLUMES, "right")["spec"]["claimRef"]
    assert reference["uid"] == found["metadata"]["uid"]


def test_claim_waits_for_a_volume() -> None:
    world = World()
    claim(world)
    world.settle()
    assert phase(world) == "Pending"
    assert world.events("FailedBinding") == [
        "no persistent volumes available for this claim and no storage class is set"
    ]
    volume(world, "late")
    world.settle()
    assert bound_to(world) == "late"


def test_volume_that_only_speaks_of_a_claim_is_free() -> None:
    world = World()
    volume(world, "labelled", hostPath={"path": "/elsewhere"})
    world.change(
        PERSISTENT_VOLUMES, "labelled", lambda v: v["metadata"].update(labels={"claimRef": "no"})
    )
    claim(world)
    world.settle()
    assert bound_to(world) == "labelled"


def test_selector_of_a_claim_counts() -> None:
    world = World()
    volume(world, "a", "1Gi")
    volume(world, "b", "9Gi")
    claim(world, selector={"matchLabels": {"name": "b"}})
    world.settle()
    assert bound_to(world) == "b"


def test_claim_that_names_its_volume_gets_it_or_waits() -> None:
    world = World()
    volume(world, "small", "1Gi")
    claim(world, "2Gi", volumeName="small")
    world.settle()
    assert phase(world) == "Pending"
    assert world.events("VolumeMismatch") == [
        'Cannot bind to requested volume "small": requested PV is too small'
    ]


def test_volume_that_names_a_claim_is_kept_for_it() -> None:
    world = World()
    volume(world, "mine", "9Gi", claimRef={"namespace": "default", "name": "data"})
    volume(world, "free", "1Gi")
    claim(world)
    world.settle()
    assert bound_to(world) == "mine"
    assert volume_phase(world, "free") == "Available"


def test_immediate_class_provisions_at_once() -> None:
    world = World()
    storage_class(world)
    claim(world, "3Gi", "fast")
    world.settle()
    made = only_volume(world)
    assert bound_to(world) == made["metadata"]["name"]
    assert made["spec"]["capacity"] == {"storage": "3Gi"}
    assert "nodeAffinity" not in made["spec"]
    assert phase(world) == "Bound"
    (message,) = world.events("ProvisioningSucceeded")
    assert message == f"Successfully provisioned volume {made['metadata']['name']}"


def test_waiting_class_provisions_in_the_zone_of_the_selected_node() -> None:
    world = World()
    world.add_node("n", **{"topology.kubernetes.io/zone": "z1"})
    storage_class(world, "WaitForFirstConsumer")
    claim(world, "3Gi", "fast")
    world.settle()
    assert world.all(PERSISTENT_VOLUMES) == []
    assert world.events("WaitForFirstConsumer") == [
        "waiting for first consumer to be created before binding"
    ]
    world.change(
        PERSISTENT_VOLUME_CLAIMS,
        "data",
        lambda c: c["metadata"].update(annotations={SELECTED_NODE: "n"}),
    )
    world.settle()
    assert phase(world) == "Bound"
    (term,) = only_volume(world)["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    (expression,) = term["matchExpressions"]
    assert (expression["key"], expression["values"]) == ("topology.kubernetes.io/zone", ["z1"])


def test_waiting_class_does_not_bind_a_free_volume_before_the_scheduler_chose() -> None:
    world = World()
    storage_class(world, "WaitForFirstConsumer", "kubernetes.io/no-provisioner")
    volume(world, "local", class_name="fast")
    claim(world, class_name="fast")
    world.settle()
    assert phase(world) == "Pending"
    uid = world.get(PERSISTENT_VOLUME_CLAIMS, "data")["metadata"]["uid"]
    reference = {"namespace": "default", "name": "data", "uid": uid}
    world.change(PERSISTENT_VOLUMES, "local", lambda v: v["spec"].update(claimRef=reference))
    world.settle()
    assert bound_to(world) == "local"


def test_class_that_does_not_exist_is_told() -> None:
    world = World()
    claim(world, class_name="fast")
    world.settle()
    assert world.events("ProvisioningFailed") == ['storageclass.storage.k8s.io "fast" not found']
    storage_class(world)
    world.settle()
    assert phase(world) == "Bound"


def test_provisioned_volume_goes_with_its_claim() -> None:
    world = World()
    storage_class(world)
    claim(world, class_name="fast")
    world.settle()
    world.delete(PERSISTENT_VOLUME_CLAIMS, "data")
    world.settle()
    assert world.all(PERSISTENT_VOLUME_CLAIMS) == []
    assert world.all(PERSISTENT_VOLUMES) == []


def test_retained_volume_is_released_and_not_bound_again() -> None:
    world = World()
    volume(world, "kept")
    claim(world)
    world.settle()
    world.delete(PERSISTENT_VOLUME_CLAIMS, "data")
    world.settle()
    assert volume_phase(world, "kept") == "Released"
    claim(world)
    world.settle()
    assert phase(world) == "Pending"


def test_claim_whose_volume_is_gone_is_lost() -> None:
    world = World()
    volume(world, "v")
    claim(world)
    world.settle()
    world.change(PERSISTENT_VOLUMES, "v", lambda v: v["metadata"].update(finalizers=[]))
    world.delete(PERSISTENT_VOLUMES, "v")
    world.settle()
    assert phase(world) == "Lost"


def test_claim_in_use_is_deleted_when_its_pod_has_ended() -> None:
    world = World()
    world.add_node("n")
    volume(world, "v")
    claim(world)
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    world.add_pod("user", node="n", volumes=volumes)
    world.settle()
    world.delete(PERSISTENT_VOLUME_CLAIMS, "data")
    world.settle()
    assert "deletionTimestamp" in world.get(PERSISTENT_VOLUME_CLAIMS, "data")["metadata"]
    world.delete(PODS, "user", grace_period_seconds=0)
    world.settle()
    assert world.all(PERSISTENT_VOLUME_CLAIMS) == []


def test_bound_volume_is_deleted_when_its_claim_is_gone() -> None:
    world = World()
    volume(world, "v")
    claim(world)
    world.settle()
    world.delete(PERSISTENT_VOLUMES, "v")
    world.settle()
    assert "deletionTimestamp" in world.get(PERSISTENT_VOLUMES, "v")["metadata"]
    world.delete(PERSISTENT_VOLUME_CLAIMS, "data")
    world.settle()
    assert world.all(PERSISTENT_VOLUMES) == []


def test_volume_of_another_claim_cannot_be_named() -> None:
    world = World()
    volume(world, "taken", claimRef={"namespace": "default", "name": "other", "uid": "u"})
    claim(world, volumeName="taken")
    world.settle()
    assert phase(world) == "Pending"
    assert world.events("FailedBinding") == ['volume "taken" already bound to a different claim.']


def test_provisioner_that_is_no_csi_driver_provisions_too() -> None:
    world = World()
    storage_class(world, provisioner="rancher.io/local-path")
    claim(world, class_name="fast")
    world.settle()
    assert phase(world) == "Bound"
    (made,) = world.all(PERSISTENT_VOLUMES)
    assert made["spec"]["hostPath"]["path"].endswith(made["metadata"]["name"])


def test_class_without_a_provisioner_provisions_nothing() -> None:
    world = World()
    storage_class(world, provisioner="kubernetes.io/no-provisioner")
    claim(world, class_name="fast")
    world.settle()
    assert phase(world) == "Pending"
    assert world.all(PERSISTENT_VOLUMES) == []


def test_claim_that_names_a_volume_waits_for_it() -> None:
    world = World()
    claim(world, volumeName="later")
    world.settle()
    assert phase(world) == "Pending"
    volume(world, "later")
    world.settle()
    assert phase(world) == "Bound"
