"""Kinds whose rules are a few facts each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from pilotfish.cluster.field_errors import FieldError, field_invalid, field_required
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy, count_generation
from pilotfish.cluster.timestamps import timestamp
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE
from pilotfish.cluster.validation.metadata import IMMUTABLE
from pilotfish.cluster.validation.names import NameRule, path_segment


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
            value = _at(new, path)
            if value != _at(old, path):
                yield field_invalid(path, value, IMMUTABLE)


class CsiDriverStrategy(Fixed, VersionedAndReturned):
    """Says for good how volumes are attached."""

    fixed = ("spec.attachRequired", "spec.fsGroupPolicy", "spec.volumeLifecycleModes")

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Count the changes, of which creating it is none."""
        super().prepare_for_update(new, old, now)
        count_generation(new, old)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update; upstream misspells one field."""
        for error in super().validate_update(new, old):
            renamed = error.field.replace("attachRequired", "attachedRequired")
            yield msgspec.structs.replace(error, field=renamed)


class CsiNodeStrategy(VersionedAndReturned):
    """Lists drivers, which come and go but do not change."""

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update."""
        yield from self.validate(new)
        before = {driver["name"]: driver for driver in _at(old, "spec.drivers") or ()}
        for driver in _at(new, "spec.drivers") or ():
            known = before.get(driver["name"], driver)
            if {**known, "allocatable": None} != {**driver, "allocatable": None}:
                yield field_invalid("spec.drivers", driver, IMMUTABLE)


class CsiStorageCapacityStrategy(Fixed, Versioned):
    """Says for good what it measures."""

    fixed = ("nodeTopology", "storageClassName")


class ResourceClaimStrategy(Fixed, ReturnedWhenDeleted):
    """A claim, or a template of claims, asks for what it was made for."""

    fixed = ("spec",)


class ResourceSliceStrategy(Fixed, Generational):
    """Belongs to one driver and one node."""

    fixed = ("spec.driver", "spec.nodeName")

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Note when devices were tainted."""
        super().prepare_for_create(obj, now)
        _date_taints(obj, now)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Note when devices were tainted, before changes are counted."""
        _date_taints(new, now)
        super().prepare_for_update(new, old, now)


def _date_taints(resource_slice: JsonObject, now: float) -> None:
    for device in _at(resource_slice, "spec.devices") or ():
        for taint in device.get("taints") or ():
            taint.setdefault("timeAdded", timestamp(now))


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


class VolumeAttachmentStrategy(Fixed, VersionedAndReturned):
    """A VolumeAttachment begins unattached."""

    fixed = ("spec",)

    def initial_status(self) -> JsonObject:
        """Give the status of a new object."""
        return {"attached": False}


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


def _at(obj: JsonObject, path: str) -> Any:
    """Give the value at a path, None where nothing is."""
    value: Any = obj
    for key in path.split("."):
        value = (value or {}).get(key)
    return value
