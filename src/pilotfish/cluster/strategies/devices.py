"""Devices, what asks for them, and their classes.

Source: kubernetes v1.36 pkg/apis/resource/validation/validation.go and pkg/registry/resource.
"""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.cluster.field_errors import FieldError, field_forbidden, field_invalid
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.plain import Fixed, Generational, ReturnedWhenDeleted, at
from pilotfish.cluster.timestamps import timestamp
from pilotfish.cluster.validation.amounts import is_extended
from pilotfish.cluster.validation.devices import (
    claim_errors,
    configuration_errors,
    selector_errors,
    slice_errors,
)
from pilotfish.cluster.validation.metadata import IMMUTABLE, template_metadata_errors


class ResourceClaimStrategy(Fixed, ReturnedWhenDeleted):
    """A claim asks for what it was made for."""

    fixed = ("spec",)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a claim."""
        yield from claim_errors(obj["spec"], "spec")

    def validate_status_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a new status: devices stay, and are had before they are used."""
        status, known = new.get("status") or {}, old.get("status") or {}
        allocation, before = status.get("allocation"), known.get("allocation")
        if status.get("reservedFor") and allocation is None:
            detail = "may not be specified when `allocated` is not set"
            yield field_forbidden("status.reservedFor", detail)
        if None not in (allocation, before) and allocation != before:
            yield field_invalid("status.allocation", allocation, IMMUTABLE)


class ResourceClaimTemplateStrategy(Fixed, ReturnedWhenDeleted):
    """A template of claims asks for what it was made for."""

    fixed = ("spec",)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a template."""
        yield from template_metadata_errors(obj["spec"].get("metadata"), "spec.metadata")
        yield from claim_errors(obj["spec"]["spec"], "spec.spec")


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

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a slice."""
        yield from slice_errors(obj["spec"], "spec")


class DeviceClassStrategy(Generational):
    """Says which devices are of a class."""

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a class."""
        spec = obj["spec"]
        yield from selector_errors(spec.get("selectors"), "spec.selectors")
        yield from configuration_errors(spec.get("config"), "spec.config")
        name = spec.get("extendedResourceName")
        if name is not None and not is_extended(name):
            detail = "must be a valid extended resource name"
            yield field_invalid("spec.extendedResourceName", name, detail)


def _date_taints(resource_slice: JsonObject, now: float) -> None:
    for device in at(resource_slice, "spec.devices") or ():
        for taint in device.get("taints") or ():
            taint.setdefault("timeAdded", timestamp(now))
