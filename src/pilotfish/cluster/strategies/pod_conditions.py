"""Conditions in the status of pods."""

from __future__ import annotations

from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.timestamps import timestamp


def set_pod_condition(pod: JsonObject, condition: JsonObject, now: float) -> None:
    """Set a condition, named by its type; its transition is now where its status changes.

    Source: kubernetes v1.36 pkg/api/pod/util.go, UpdatePodCondition.
    """
    conditions: list[JsonObject] = pod["status"].setdefault("conditions", [])
    known = find_condition(pod["status"], condition["type"])
    new = {
        "type": condition["type"],
        "status": condition["status"],
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(now),
        **condition,
    }
    if known is None:
        conditions.append(new)
        return
    if known.get("status") == new["status"]:
        new["lastTransitionTime"] = known.get("lastTransitionTime")
    conditions[conditions.index(known)] = new
