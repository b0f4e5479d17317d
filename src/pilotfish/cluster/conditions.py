"""Conditions of objects, in lists under `status`."""

from __future__ import annotations

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.timestamps import timestamp


def find_condition(status: JsonObject, kind: str) -> JsonObject | None:
    """Give the condition of a type."""
    conditions: list[JsonObject] = status.get("conditions") or []
    return next((c for c in conditions if c["type"] == kind), None)


def is_true(status: JsonObject, kind: str) -> bool:
    """Say whether there is a condition of a type, and it is True."""
    condition = find_condition(status, kind)
    return condition is not None and condition["status"] == "True"


def condition(kind: str, status: str, reason: str, message: str, now: float) -> JsonObject:
    """Make a condition that became so now."""
    made = {"type": kind, "status": status, "lastTransitionTime": timestamp(now)}
    texts = {"reason": reason, "message": message}
    return made | {key: text for key, text in texts.items() if text}


def set_condition(status: JsonObject, new: JsonObject) -> bool:
    """Put a condition in its place; False where the same status and reason are there.

    The time of the last transition stays where the status does.
    """
    old = find_condition(status, new["type"])
    if old is not None:
        if (old["status"], old.get("reason")) == (new["status"], new.get("reason")):
            return False
        if old["status"] == new["status"]:
            new = new | {"lastTransitionTime": old.get("lastTransitionTime")}
    remove_condition(status, new["type"])
    status["conditions"] = [*(status.get("conditions") or []), new]
    return True


def remove_condition(status: JsonObject, kind: str) -> None:
    """Drop the condition of a type; no empty list stays."""
    rest = [c for c in status.get("conditions") or [] if c["type"] != kind]
    if rest:
        status["conditions"] = rest
    else:
        status.pop("conditions", None)
