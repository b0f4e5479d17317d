"""Words for stories of one Job, `work`."""

from __future__ import annotations

from typing import Any

from pilotfish.cluster.kinds import JOBS, PODS
from pilotfish.cluster.timestamps import timestamp
from unit.cluster.controllers.world import Json, World, pod_spec

LABELS = {"batch.kubernetes.io/controller-uid": "x", "app": "work"}


def job(world: World, **spec: Any) -> None:
    made = {"metadata": {"labels": LABELS}, "spec": pod_spec(restartPolicy="Never")}
    content: Json = {"backoffLimit": 6, "template": made, **spec}
    content |= {"manualSelector": True, "selector": {"matchLabels": LABELS}}
    world.create(JOBS, {"metadata": {"name": "work"}, "spec": content})


def bound_template(world: World) -> Json:
    """Make a template whose pods are on a node from the start, where a kubelet ends them."""
    world.add_node("n1")
    return {"metadata": {"labels": LABELS}, "spec": pod_spec(restartPolicy="Never", nodeName="n1")}


def end_pods(world: World, phase: str) -> None:
    """Let all running pods end."""
    for pod in world.all(PODS):
        is_over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if "deletionTimestamp" not in pod["metadata"] and not is_over:
            world.set_pod(pod["metadata"]["name"], phase)


def status(world: World) -> Json:
    found: Json = world.get(JOBS, "work")["status"]
    return found


def conditions(world: World) -> list[str]:
    found = status(world).get("conditions") or []
    return [f"{c['type']}={c['status']} {c['reason']}" for c in found]


def active(world: World) -> list[str]:
    pods = world.all(PODS)
    return [
        pod["metadata"]["name"]
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]


def pods_of(world: World, index: int) -> list[Json]:
    """Give the pods of an index, the oldest first."""
    hostname = f"work-{index}"
    return [pod for pod in world.all(PODS) if pod["spec"].get("hostname") == hostname]


def fail_pod(world: World, name: str, code: int = 1, **condition: str) -> None:
    """Let a pod fail with an exit code, and with a condition where one is given."""
    world.set_pod(name, "Failed")

    def edit(pod: Json) -> None:
        ended = {"exitCode": code, "finishedAt": timestamp(world.now)}
        pod["status"]["containerStatuses"][0]["state"] = {"terminated": ended}
        if condition:
            pod["status"]["conditions"].append(condition)

    pod = world.get(PODS, name)
    edit(pod)
    world.client.update_status(PODS, pod, world.now)
