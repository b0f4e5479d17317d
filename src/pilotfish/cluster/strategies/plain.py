"""Kinds whose rules are a few facts each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pilotfish.cluster.field_errors import FieldError, field_invalid, field_required
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE, requirement_errors
from pilotfish.cluster.validation.metadata import IMMUTABLE, label_errors, required_name_errors
from pilotfish.cluster.validation.names import NameRule, dns_label, path_segment
from pilotfish.cluster.validation.placement import toleration_errors


class ReturnedWhenDeleted(Strategy):
    """Answered to a delete as it was."""

    returns_deleted_object = True


class Generational(Strategy):
    """Counts the changes of what it says."""

    has_generation = True
    returns_deleted_object = True


class Versioned(Strategy):
    """Updated only by who names the resourceVersion that was read."""

    allow_unconditional_update = False


class VersionedAndReturned(Versioned):
    """As `Versioned`, and answered to a delete."""

    returns_deleted_object = True


class Fixed(Strategy):
    """Has fields that no update may change.

    Source: kubernetes v1.36 pkg/apis/{storage,node,resource}/validation/validation.go.
    """

    fixed: ClassVar[tuple[str, ...]] = ()
    """Their paths."""

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update."""
        yield from self.validate(new)
        for path in self.fixed:
            value = at(new, path)
            if value != at(old, path):
                yield field_invalid(path, value, IMMUTABLE)


class ControllerRevisionStrategy(Fixed):
    """Holds a template for good.

    Source: kubernetes v1.36 pkg/apis/apps/validation/validation.go.
    """

    fixed = ("data",)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a revision."""
        if obj.get("revision", 0) < 0:
            yield field_invalid("revision", obj["revision"], NOT_NEGATIVE)
        if not isinstance(obj.get("data"), dict):
            told = "data must be a valid JSON object" if obj.get("data") else "data is mandatory"
            yield field_required("data", told)


class LeaseStrategy(Versioned):
    """A Lease may be created by an update."""

    allow_create_on_update = True

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Drop what needs a feature that is off."""
        super().prepare_for_create(obj, now)
        _drop_coordination(obj)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Drop what needs a feature that is off."""
        super().prepare_for_update(new, old, now)
        _drop_coordination(new)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a Lease.

        Source: kubernetes v1.36 pkg/apis/coordination/validation/validation.go.
        """
        spec = obj.get("spec") or {}
        seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
        if seconds is not None and seconds <= 0:
            yield field_invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
        if transitions is not None and transitions < 0:
            detail = "must be greater than or equal to 0"
            yield field_invalid("spec.leaseTransitions", transitions, detail)


class RuntimeClassStrategy(Fixed, Versioned):
    """A RuntimeClass may be created by an update."""

    allow_create_on_update = True
    fixed = ("handler",)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a RuntimeClass.

        Source: kubernetes v1.36 pkg/apis/node/validation/validation.go.
        """
        yield from required_name_errors(obj.get("handler", ""), dns_label, "handler")
        overhead = (obj.get("overhead") or {}).get("podFixed")
        yield from requirement_errors({"limits": overhead}, "overhead")
        scheduling = obj.get("scheduling") or {}
        yield from label_errors(scheduling.get("nodeSelector"), "scheduling.nodeSelector")
        yield from toleration_errors(scheduling.get("tolerations"), "scheduling.tolerations")


class RbacStrategy(Strategy):
    """A role or binding: named by anything that fits in a URL, and created by updates too."""

    allow_create_on_update = True

    def name_rule(self) -> NameRule:
        """Give the rule for names of this kind."""
        return path_segment


def _drop_coordination(lease: JsonObject) -> None:
    """Forget who should lead, and by which rule (upstream's CoordinatedLeaderElection)."""
    spec = lease.get("spec") or {}
    spec.pop("strategy", None)
    spec.pop("preferredHolder", None)


def at(obj: JsonObject, path: str) -> Any:
    """Give the value at a path, None where nothing is."""
    value: Any = obj
    for key in path.split("."):
        value = (value or {}).get(key)
    return value
