"""What a Deployment's status says: counts, availability, progress.

Source: kubernetes v1.36 pkg/controller/deployment/{sync,progress}.go, util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pilotfish.cluster.conditions import (
    condition,
    find_condition,
    remove_condition,
    set_condition,
)
from pilotfish.cluster.controllers.times import parse_time, seconds_since
from pilotfish.cluster.controllers.workloads.deployment_rollout import (
    bounds,
)
from pilotfish.cluster.controllers.workloads.replica_counts import replicas_of, status_count
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.timestamps import timestamp

NO_DEADLINE: Final = 2**31 - 1
PROGRESSING: Final = "Progressing"
COMPLETE: Final = "NewReplicaSetAvailable"
TIMED_OUT: Final = "ProgressDeadlineExceeded"
PAUSED: Final = "DeploymentPaused"


def has_progress_deadline(deployment: JsonObject) -> bool:
    """Say whether lack of progress is to be told."""
    return bool(deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE)


def rollout_status(
    deployment: JsonObject,
    everyone: Sequence[JsonObject],
    new: JsonObject | None,
    now: float,
) -> JsonObject:
    """Count replicas and tell availability; other conditions stay."""
    available = sum(status_count(rs, "availableReplicas") for rs in everyone)
    wanted = replicas_of(deployment)
    counts = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": sum(status_count(rs, "replicas") for rs in everyone),
        "updatedReplicas": status_count(new, "replicas"),
        "readyReplicas": sum(status_count(rs, "readyReplicas") for rs in everyone),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(replicas_of, everyone)) - available),
    }
    status: JsonObject = {name: count for name, count in counts.items() if count}
    if all("terminatingReplicas" in (rs.get("status") or {}) for rs in everyone):
        status["terminatingReplicas"] = sum(
            status_count(rs, "terminatingReplicas") for rs in everyone
        )
    for field in ("collisionCount", "conditions"):
        if deployment["status"].get(field):
            status[field] = deployment["status"][field]
    if available >= wanted - bounds(deployment)[1]:
        made = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        text = "Deployment does not have minimum availability."
        made = ("False", "MinimumReplicasUnavailable", text)
    set_condition(status, _updated("Available", *made, now))
    return status


def is_complete(deployment: JsonObject, status: JsonObject) -> bool:
    """Say whether all pods are new and available."""
    wanted = replicas_of(deployment)
    counts = [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    generation = deployment["metadata"].get("generation", 0)
    return counts == [wanted] * 3 and status.get("observedGeneration", 0) >= generation


def progressing(
    deployment: JsonObject,
    reason: str,
    message: str,
    now: float,
    *,
    status: str = "True",
    only_first: bool = False,
) -> None:
    """Set the condition Progressing of a deployment that has a deadline."""
    if not has_progress_deadline(deployment):
        return
    if only_first and find_condition(deployment["status"], PROGRESSING) is not None:
        return
    set_condition(deployment["status"], _updated(PROGRESSING, status, reason, message, now))


def note_pause(deployment: JsonObject, now: float) -> None:
    """Tell that the deployment was paused or resumed, unless it has timed out."""
    found = find_condition(deployment["status"], PROGRESSING)
    reason = found.get("reason") if found else None
    if reason == TIMED_OUT:
        return
    is_paused = deployment["spec"].get("paused", False)
    if is_paused and reason != PAUSED:
        progressing(deployment, PAUSED, "Deployment is paused", now, status="Unknown")
    elif not is_paused and reason == PAUSED:
        message = "Deployment is resumed"
        progressing(deployment, "DeploymentResumed", message, now, status="Unknown")


def note_progress(
    deployment: JsonObject, status: JsonObject, new: JsonObject | None, now: float
) -> None:
    """Tell whether the rollout is complete, goes on, or has stopped for too long."""
    if not has_progress_deadline(deployment):
        remove_condition(status, PROGRESSING)
        return
    current = find_condition(status, PROGRESSING)
    is_settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if is_settled and current is not None and current.get("reason") == COMPLETE:
        return
    name = (new or deployment)["metadata"]["name"]
    subject = f'{"ReplicaSet" if new else "Deployment"} "{name}"'
    if is_complete(deployment, status):
        message = f"{subject} has successfully progressed."
        set_condition(status, _updated(PROGRESSING, "True", COMPLETE, message, now))
    elif _has_moved(deployment["status"], status):
        message = f"{subject} is progressing."
        made = _updated(PROGRESSING, "True", "ReplicaSetUpdated", message, now)
        if current is not None and current["status"] == "True":
            made["lastTransitionTime"] = current["lastTransitionTime"]
        remove_condition(status, PROGRESSING)
        set_condition(status, made)
    elif _is_late(deployment, current, now):
        message = f"{subject} has timed out progressing."
        set_condition(status, _updated(PROGRESSING, "False", TIMED_OUT, message, now))


def note_failures(
    status: JsonObject, everyone: Sequence[JsonObject], new: JsonObject | None
) -> None:
    """Show why a ReplicaSet cannot create or delete pods, the new one's reason first."""
    failures = (
        find_condition(rs.get("status") or {}, "ReplicaFailure")
        for rs in (*([new] if new else []), *everyone)
    )
    found = next((failure for failure in failures if failure is not None), None)
    if found is None:
        remove_condition(status, "ReplicaFailure")
    else:
        set_condition(status, found | {"lastUpdateTime": found["lastTransitionTime"]})


def next_progress_check(deployment: JsonObject, now: float) -> float | None:
    """Give when lack of progress becomes a failure."""
    status = deployment["status"]
    current = find_condition(status, PROGRESSING)
    if not has_progress_deadline(deployment) or current is None:
        return None
    if is_complete(deployment, status) or current.get("reason") in (TIMED_OUT, COMPLETE):
        return None
    updated = parse_time(current.get("lastUpdateTime")) or now
    # a second later, as the times of conditions are whole seconds
    return max(updated + float(deployment["spec"]["progressDeadlineSeconds"]), now) + 1.0


def _has_moved(before: JsonObject, after: JsonObject) -> bool:
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    old_after = after.get("replicas", 0) - after.get("updatedReplicas", 0)
    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old_after < old_before or any(after.get(name, 0) > before.get(name, 0) for name in grown)


def _is_late(deployment: JsonObject, current: JsonObject | None, now: float) -> bool:
    if current is None or current.get("reason") == COMPLETE:
        return False
    if current.get("reason") == TIMED_OUT:
        return True
    deadline = deployment["spec"]["progressDeadlineSeconds"]
    return bool(seconds_since(current.get("lastUpdateTime"), now) > deadline)


def _updated(kind: str, status: str, reason: str, message: str, now: float) -> JsonObject:
    made = condition(kind, status, reason, message, now)
    return made | {"lastUpdateTime": timestamp(now)}
