"""Deployments: rollouts, scaling, history, status."""

from __future__ import annotations

import time
from typing import Any

from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.kinds import DEPLOYMENTS, PODS, REPLICA_SETS
from unit.cluster.controllers.world import Json, World, template, workload

REVISION = "deployment.kubernetes.io/revision"


def rolling(surge: int | str, unavailable: int | str) -> Json:
    limits = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"type": "RollingUpdate", "rollingUpdate": limits}


def deploy(world: World, replicas: int, strategy: Json | None = None, **spec: Any) -> None:
    given = {"progressDeadlineSeconds": 600, "revisionHistoryLimit": 10, **spec}
    strategy = strategy or rolling("25%", "25%")
    world.create(DEPLOYMENTS, workload("web", replicas=replicas, strategy=strategy, **given))


def set_image(world: World, image: str) -> None:
    world.change(DEPLOYMENTS, "web", lambda d: d["spec"].update(template=template(image)))


def scale(world: World, replicas: int) -> None:
    world.change(DEPLOYMENTS, "web", lambda d: d["spec"].update(replicas=replicas))


def sizes(world: World) -> list[int]:
    """Give the sizes of the ReplicaSets, by revision."""
    found = world.all(REPLICA_SETS)
    found.sort(key=lambda rs: int(rs["metadata"]["annotations"][REVISION]))
    return [rs["spec"]["replicas"] for rs in found]


def status(world: World) -> Json:
    found: Json = world.get(DEPLOYMENTS, "web")["status"]
    return found


def reason(world: World, kind: str) -> str:
    found = find_condition(status(world), kind)
    assert found is not None
    return f"{found['status']} {found['reason']}"


def test_deployment_makes_a_replica_set_and_its_pods() -> None:
    world = World()
    deploy(world, 3)
    world.settle()
    (replica_set,) = world.all(REPLICA_SETS)
    digest = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{digest}"
    assert replica_set["spec"]["selector"]["matchLabels"]["pod-template-hash"] == digest
    assert all(name.startswith(f"web-{digest}-") for name in world.names(PODS))
    assert len(world.names(PODS)) == 3
    assert world.events("ScalingReplicaSet") == [f"Scaled up replica set web-{digest} from 0 to 3"]
    assert reason(world, "Progressing") == "True ReplicaSetUpdated"
    assert reason(world, "Available") == "False MinimumReplicasUnavailable"


def test_status_is_complete_once_all_pods_are_ready() -> None:
    world = World()
    deploy(world, 3)
    world.advance(1, world.run_pods)
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    assert [status(world).get(name) for name in counts] == [3, 3, 3, 3]
    assert "unavailableReplicas" not in status(world)
    assert reason(world, "Progressing") == "True NewReplicaSetAvailable"
    assert reason(world, "Available") == "True MinimumReplicasAvailable"


def test_rolling_update_stays_within_surge_and_unavailability() -> None:
    world = World()
    deploy(world, 4, rolling(1, 1))
    world.advance(1, world.run_pods)
    set_image(world, "app:v2")
    totals, available = [], []

    def tick() -> None:
        alive = [p for p in world.all(PODS) if "deletionTimestamp" not in p["metadata"]]
        totals.append(sum(sizes(world)))
        available.append(
            sum(
                (find_condition(p.get("status") or {}, "Ready") or {}).get("status") == "True"
                for p in alive
            )
        )
        for pod in world.all(PODS):
            if "deletionTimestamp" in pod["metadata"]:
                world.run_pods()
                return
        world.run_pods()

    world.advance(5, tick)
    assert sizes(world) == [0, 4]
    assert max(totals) <= 5
    assert min(available) >= 3
    assert {p["spec"]["containers"][0]["image"] for p in world.all(PODS)} == {"app:v2"}


def test_rollout_with_no_unavailability_waits_for_new_pods() -> None:
    world = World()
    deploy(world, 4, rolling(1, 0))
    world.advance(1, world.run_pods)
    set_image(world, "app:v2")
    world.settle()
    assert sizes(world) == [4, 1]
    world.advance(1, world.run_pods)
    assert sizes(world) == [0, 4]


def bind_all(world: World) -> None:
    """Bind the pods that there are to one node."""
    world.add_node("n1")
    world.settle()
    for name in world.names(PODS):
        binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": "n1"}}
        key = (world.namespace, name)
        world.client.create_subresource(PODS, *key, "binding", binding, world.now)


def test_recreate_stops_all_old_pods_before_it_starts_new_ones() -> None:
    world = World()
    deploy(world, 2, {"type": "Recreate"})
    bind_all(world)
    world.advance(1, world.run_pods)
    for name in world.names(PODS):
        world.change(PODS, name, lambda p: p["metadata"].update(finalizers=["test/hold"]))
    set_image(world, "app:v2")
    world.advance(1, world.run_pods)
    assert sizes(world) == [0]
    assert all("deletionTimestamp" in pod["metadata"] for pod in world.all(PODS))
    for name in world.names(PODS):
        world.change(PODS, name, lambda p: p["metadata"].pop("finalizers"))
    world.advance(1, world.run_pods)
    assert sizes(world) == [0, 2]


def test_going_back_to_an_old_template_reuses_its_replica_set() -> None:
    world = World()
    deploy(world, 2)
    world.advance(1, world.run_pods)
    (first,) = world.names(REPLICA_SETS)
    set_image(world, "app:v2")
    world.advance(1, world.run_pods)
    set_image(world, "app:v1")
    world.advance(1, world.run_pods)
    assert len(world.names(REPLICA_SETS)) == 2
    annotations = world.get(REPLICA_SETS, first)["metadata"]["annotations"]
    assert annotations[REVISION] == "3"
    assert annotations["deployment.kubernetes.io/revision-history"] == "1"
    assert world.get(DEPLOYMENTS, "web")["metadata"]["annotations"][REVISION] == "3"
    assert world.get(REPLICA_SETS, first)["spec"]["replicas"] == 2


def test_old_replica_sets_beyond_the_history_limit_are_deleted() -> None:
    world = World()
    deploy(world, 1, revisionHistoryLimit=1)
    for image in ("app:v1", "app:v2", "app:v3", "app:v4"):
        set_image(world, image)
        world.advance(1, world.run_pods)
    revisions = {rs["metadata"]["annotations"][REVISION] for rs in world.all(REPLICA_SETS)}
    assert revisions == {"3", "4"}


def test_scaling_resizes_the_replica_set_without_a_new_revision() -> None:
    world = World()
    deploy(world, 2)
    world.advance(1, world.run_pods)
    scale(world, 5)
    world.advance(1, world.run_pods)
    assert sizes(world) == [5]
    scale(world, 1)
    world.advance(1, world.run_pods)
    assert sizes(world) == [1]
    assert len(world.names(PODS)) == 1


def test_scaling_in_the_middle_of_a_rollout_is_proportional() -> None:
    """As upstream's example: 10 replicas with surge 3, stuck at 8 old and 5 new, scaled to 15."""
    world = World()
    deploy(world, 10, rolling(3, 2))
    world.advance(1, world.run_pods)
    set_image(world, "app:v2")
    world.advance(1, lambda: world.run_pods(ready=False))
    assert sizes(world) == [8, 5]
    scale(world, 15)
    world.settle()
    assert sizes(world) == [11, 7]


def test_paused_deployment_scales_but_does_not_roll_out() -> None:
    world = World()
    deploy(world, 2)
    world.advance(1, world.run_pods)
    world.change(DEPLOYMENTS, "web", lambda d: d["spec"].update(paused=True))
    set_image(world, "app:v2")
    scale(world, 3)
    world.advance(1, world.run_pods)
    assert sizes(world) == [3]
    assert reason(world, "Progressing") == "Unknown DeploymentPaused"
    world.change(DEPLOYMENTS, "web", lambda d: d["spec"].update(paused=False))
    world.advance(1, world.run_pods)
    assert sizes(world) == [0, 3]
    assert reason(world, "Progressing") == "True NewReplicaSetAvailable"


def test_lack_of_progress_is_told_after_the_deadline() -> None:
    world = World()
    deploy(world, 1, progressDeadlineSeconds=60)
    world.advance(59)
    assert reason(world, "Progressing") == "True ReplicaSetUpdated"
    world.advance(5)
    assert reason(world, "Progressing") == "False ProgressDeadlineExceeded"


def test_unready_old_pods_are_removed_first() -> None:
    world = World()
    deploy(world, 3, rolling(1, 0))
    world.advance(1, world.run_pods)
    broken = world.names(PODS)[0]
    world.set_pod(broken, "Running", ready=False)
    set_image(world, "app:v2")
    world.advance(0.2)
    assert world.get(PODS, broken) is not None
    for name in world.names(PODS):
        if world.get(PODS, name)["spec"]["containers"][0]["image"] == "app:v2":
            world.set_pod(name, "Running", ready=True)
    world.settle()
    found = world.find(PODS, broken)
    assert found is None or "deletionTimestamp" in found["metadata"]


def test_orphaned_replica_set_with_the_same_template_is_adopted() -> None:
    world = World()
    deploy(world, 2)
    world.advance(1, world.run_pods)
    (name,) = world.names(REPLICA_SETS)
    world.delete(DEPLOYMENTS, "web", propagation_policy="Orphan")
    world.advance(1, world.run_pods)
    assert not world.get(REPLICA_SETS, name)["metadata"].get("ownerReferences")
    deploy(world, 2)
    world.advance(1, world.run_pods)
    assert world.names(REPLICA_SETS) == [name]
    (reference,) = world.get(REPLICA_SETS, name)["metadata"]["ownerReferences"]
    assert reference["uid"] == world.get(DEPLOYMENTS, "web")["metadata"]["uid"]


def test_same_seed_gives_the_same_names() -> None:
    def story() -> list[str]:
        world = World(seed=7)
        deploy(world, 5)
        world.advance(1, world.run_pods)
        scale(world, 2)
        world.advance(1, world.run_pods)
        return world.names(PODS)

    assert story() == story()


def test_a_thousand_replicas_settle_in_about_a_second() -> None:
    world = World()
    began = time.process_time()
    deploy(world, 1000)
    world.advance(5, world.run_pods)
    assert status(world)["availableReplicas"] == 1000
    assert time.process_time() - began < 4  # the pods' own writes included, on a busy machine


def test_another_name_is_taken_when_a_foreign_replica_set_has_the_first() -> None:
    world = World()
    deploy(world, 1)
    world.settle()
    (name,) = world.names(REPLICA_SETS)
    world.delete(DEPLOYMENTS, "web")
    world.advance(1, world.run_pods)
    foreign = workload(name, replicas=0, selector={"matchLabels": {"app": "other"}})
    foreign["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    world.create(REPLICA_SETS, foreign)
    deploy(world, 1)
    world.advance(1, world.run_pods)
    assert status(world)["collisionCount"] == 1
    assert len(world.names(REPLICA_SETS)) == 2
    assert reason(world, "Progressing") == "True NewReplicaSetAvailable"


def test_deployment_without_a_deadline_tells_no_progress() -> None:
    world = World()
    deploy(world, 1, progressDeadlineSeconds=2**31 - 1)
    world.advance(1, world.run_pods)
    assert find_condition(status(world), "Progressing") is None
    assert reason(world, "Available") == "True MinimumReplicasAvailable"


def test_refused_pods_show_in_the_status_of_the_deployment() -> None:
    world = World()
    made = template(serviceAccountName="robot")
    deploy(world, 1, template=made)
    world.settle()
    assert reason(world, "ReplicaFailure") == "True FailedCreate"


def test_numbers_that_nobody_can_read_do_not_stop_a_deployment() -> None:
    world = World()
    deploy(world, 3, rolling("9" * 5000 + "%", 1))
    world.settle()
    many = {REVISION: "9" * 5000, "deployment.kubernetes.io/desired-replicas": "9" * 5000}
    (name,) = world.names(REPLICA_SETS)
    world.change(REPLICA_SETS, name, lambda rs: rs["metadata"].update(annotations=dict(many)))
    world.settle()
    scale(world, 5)
    world.settle()
    assert len(world.names(PODS)) == 5
