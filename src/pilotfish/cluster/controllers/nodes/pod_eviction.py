"""Deleting pods for the cluster's sake, with the condition that says why.

Source: kubernetes v1.36 pkg/controller/{tainteviction/taint_eviction,podgc/gc_controller}.go.
"""

from __future__ import annotations

from pilotfish.cluster.conditions import condition, set_condition
from pilotfish.cluster.controllers.pod_index import PodInfo
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kinds import PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject


def disrupt(
    client: LoopbackClient,
    pod: PodInfo,
    reason: str,
    message: str,
    now: float,
    *,
    is_lost: bool = False,
) -> None:
    """Mark a pod with DisruptionTarget and delete it; a lost one fails and goes at once.

    Raises:
        StatusError: It was refused.
    """
    made = condition("DisruptionTarget", "True", reason, message, now)
    _delete(client, pod, made, now, is_lost=is_lost)


def give_up(client: LoopbackClient, pod: PodInfo, now: float) -> None:
    """Let a pod fail that no kubelet will end, and have it go at once.

    Raises:
        StatusError: It was refused.
    """
    _delete(client, pod, None, now, is_lost=True)


def _delete(
    client: LoopbackClient, pod: PodInfo, made: JsonObject | None, now: float, *, is_lost: bool
) -> None:
    obj = client.get(PODS, *pod.key)
    if obj is None or obj["metadata"]["uid"] != pod.uid:
        return
    status = obj.setdefault("status", {})
    changed = False
    if made is not None:
        generation = obj["metadata"].get("generation", 0)
        changed = set_condition(status, made | {"observedGeneration": generation})
    if is_lost and not pod.is_finished:
        status["phase"] = "Failed"
        changed = True
    if changed:
        client.update_status(PODS, obj, now)
    grace = 0 if is_lost else None
    try:
        client.delete(PODS, *pod.key, now, uid=pod.uid, grace_period_seconds=grace)
    except StatusError as error:
        if error.reason != "NotFound":
            raise
