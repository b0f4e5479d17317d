"""What the counts in a status may be, kind by kind.

Source: kubernetes v1.36 pkg/apis/{apps,batch,core,policy}/validation/validation.go, the functions
    named Validate...Status. differs: of Jobs only counts and completedIndexes are checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from pilotfish.cluster.field_errors import FieldError, field_invalid
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE


class StatusCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for the counts in a kind's status; an absent one is 0."""

    counts: tuple[str, ...] = ()
    """May not be negative."""
    limits: tuple[tuple[str, str, str], ...] = ()
    """Of each count that has one: its name, which other it may not exceed, what is said then."""
    growing: Mapping[str, str] = {}
    """Once set, it may not sink: its name, and what is said then."""

    def errors(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a new status."""
        for field in self.counts:
            if new.get(field, 0) < 0:
                yield field_invalid(f"status.{field}", new[field], NOT_NEGATIVE)
        for field, limit, detail in self.limits:
            if (count := new.get(field, 0)) > new.get(limit, 0):
                yield field_invalid(f"status.{field}", count, detail)
        for field, detail in self.growing.items():
            if field in old and new.get(field, -1) < old[field]:
                yield field_invalid(f"status.{field}", new.get(field, 0), detail)


OVER_REPLICAS: Final = "cannot be greater than status.replicas"
COLLISIONS: Final = {"collisionCount": "cannot be decremented"}
REPLICA_COUNTS: Final = StatusCounts(
    counts=(
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
        "terminatingReplicas",
    ),
    limits=(
        ("fullyLabeledReplicas", "replicas", OVER_REPLICAS),
        ("readyReplicas", "replicas", OVER_REPLICAS),
        ("availableReplicas", "replicas", OVER_REPLICAS),
        ("availableReplicas", "readyReplicas", "cannot be greater than readyReplicas"),
    ),
)
DEPLOYMENT_COUNTS: Final = StatusCounts(
    counts=(
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ),
    limits=(
        ("updatedReplicas", "replicas", OVER_REPLICAS),
        ("readyReplicas", "replicas", OVER_REPLICAS),
        ("availableReplicas", "replicas", OVER_REPLICAS),
        ("availableReplicas", "readyReplicas", "cannot be greater than readyReplicas"),
    ),
    growing=COLLISIONS,
)
STATEFUL_SET_COUNTS: Final = StatusCounts(
    counts=(
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ),
    limits=(
        ("readyReplicas", "replicas", OVER_REPLICAS),
        ("currentReplicas", "replicas", OVER_REPLICAS),
        ("updatedReplicas", "replicas", OVER_REPLICAS),
        ("availableReplicas", "replicas", OVER_REPLICAS),
        ("availableReplicas", "readyReplicas", "cannot be greater than status.readyReplicas"),
    ),
    growing=COLLISIONS,
)
DAEMON_SET_COUNTS: Final = StatusCounts(
    counts=(
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ),
    growing=COLLISIONS,
)
FEWER_SUCCEEDED: Final = "cannot decrease the succeeded counter"
JOB_COUNTS: Final = StatusCounts(
    counts=("active", "succeeded", "failed", "ready", "terminating"),
    growing={
        "succeeded": FEWER_SUCCEEDED,
        "failed": "cannot decrease the failed counter",
    },
)
BUDGET_COUNTS: Final = StatusCounts(
    counts=("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
)
