"""PriorityClasses and PodDisruptionBudgets.

Source: kubernetes v1.36 pkg/apis/scheduling/validation/validation.go,
    pkg/apis/scheduling/v1/helpers.go and pkg/apis/policy/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.errors import forbidden
from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_supported,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.validation.int_or_percent import count_errors
from pilotfish.cluster.validation.metadata import IMMUTABLE, selector_errors
from pilotfish.cluster.validation.status_counts import BUDGET_COUNTS

MAX_USER_PRIORITY: Final = 1_000_000_000
SYSTEM_PREFIX: Final = "system-"
SYSTEM_CLASSES: Final = {
    "system-node-critical": 2_000_001_000,
    "system-cluster-critical": 2_000_000_000,
}
PREEMPTION_POLICIES: Final = ("PreemptLowerPriority", "Never")
EVICTION_POLICIES: Final = ("AlwaysAllow", "IfHealthyBudget")


class PriorityClassStrategy(Strategy):
    """The rules of PriorityClasses."""

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Set the generation, which nothing raises."""
        del now
        obj["metadata"]["generation"] = 1

    def check_deletion(self, obj: JsonObject) -> None:
        """Keep the classes that the system's own pods have.

        Raises:
            StatusError: 403.
        """
        name = obj["metadata"]["name"]
        if name in SYSTEM_CLASSES:
            why = "this is a system priority class and cannot be deleted"
            raise forbidden(self.resource, name, why)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a PriorityClass."""
        name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
        if name.startswith(SYSTEM_PREFIX):
            if problem := _system_problem(name, value, is_default=bool(obj.get("globalDefault"))):
                yield field_forbidden(
                    "metadata.name",
                    f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system "
                    f"use only. error: {problem}",
                )
        elif value > MAX_USER_PRIORITY:
            yield field_forbidden(
                "value",
                f"maximum allowed value of a user defined priority is {MAX_USER_PRIORITY}",
            )
        policy = obj.get("preemptionPolicy")
        if policy not in (None, *PREEMPTION_POLICIES):
            yield field_not_supported("preemptionPolicy", policy, PREEMPTION_POLICIES)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: what pods got from it stays."""
        if new.get("value", 0) != old.get("value", 0):
            yield field_forbidden("value", "may not be changed in an update.")
        if (policy := new.get("preemptionPolicy")) != old.get("preemptionPolicy"):
            yield field_invalid("preemptionPolicy", policy, IMMUTABLE)


class PodDisruptionBudgetStrategy(Strategy):
    """The rules of PodDisruptionBudgets."""

    has_generation = True
    allow_unconditional_update = False
    status_counts = BUDGET_COUNTS

    def initial_status(self) -> JsonObject:
        """Begin without any allowance."""
        return {
            "disruptionsAllowed": 0,
            "currentHealthy": 0,
            "desiredHealthy": 0,
            "expectedPods": 0,
        }

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a budget."""
        spec = obj.get("spec") or {}
        counts = [field for field in ("minAvailable", "maxUnavailable") if field in spec]
        if len(counts) > 1:
            detail = "minAvailable and maxUnavailable cannot be both set"
            yield field_invalid("spec", spec, detail)
        for field in counts:
            yield from count_errors(spec[field], f"spec.{field}")
        yield from selector_errors(spec.get("selector"), "spec.selector")
        policy, field = spec.get("unhealthyPodEvictionPolicy"), "unhealthyPodEvictionPolicy"
        if policy not in (None, *EVICTION_POLICIES):
            yield field_not_supported(f"spec.{field}", policy, EVICTION_POLICIES)


def _system_problem(name: str, value: int, *, is_default: bool) -> str:
    """Say why a class with a system name is none of the system's; empty where it is."""
    if name not in SYSTEM_CLASSES:
        return f"{name} is not a known system priority class"
    if value != SYSTEM_CLASSES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_CLASSES[name]}"
    if is_default:
        return f"globalDefault of {name} PriorityClass must be false"
    return ""
