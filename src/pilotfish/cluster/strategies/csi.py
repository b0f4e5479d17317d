"""What CSI drivers say of themselves, of nodes and of storage, and attachments of their volumes.

Source: kubernetes v1.36 pkg/apis/storage/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.plain import Fixed, Versioned, VersionedAndReturned, at
from pilotfish.cluster.strategies.strategy import count_generation
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE, amount_value_errors
from pilotfish.cluster.validation.metadata import (
    IMMUTABLE,
    driver_errors,
    label_key_errors,
    selector_errors,
)
from pilotfish.cluster.validation.names import dns_subdomain

GROUP_POLICIES: Final = ("File", "None", "ReadWriteOnceWithFSType")
LIFECYCLE_MODES: Final = ("Persistent", "Ephemeral")


class CsiDriverStrategy(Fixed, VersionedAndReturned):
    """Says for good how volumes are attached."""

    fixed = ("spec.attachRequired", "spec.fsGroupPolicy", "spec.volumeLifecycleModes")

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Count the changes, of which creating it is none."""
        super().prepare_for_update(new, old, now)
        count_generation(new, old)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a driver."""
        spec = obj["spec"]
        policy, modes = spec.get("fsGroupPolicy"), spec.get("volumeLifecycleModes") or ()
        if policy not in (None, *GROUP_POLICIES):
            yield field_not_supported("spec.fsGroupPolicy", policy, GROUP_POLICIES)
        for mode in modes:
            if mode not in LIFECYCLE_MODES:
                yield field_not_supported("spec.volumeLifecycleModes", mode, LIFECYCLE_MODES)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update; upstream misspells one field."""
        for error in super().validate_update(new, old):
            renamed = error.field.replace("attachRequired", "attachedRequired")
            yield msgspec.structs.replace(error, field=renamed)


class CsiNodeStrategy(VersionedAndReturned):
    """Lists drivers, which come and go but do not change."""

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the drivers of a node."""
        seen: set[str] = set()
        for i, driver in enumerate(at(obj, "spec.drivers") or ()):
            path, name = f"spec.drivers[{i}]", driver.get("name", "")
            yield from driver_errors(name, f"{path}.name")
            if not driver.get("nodeID"):
                yield field_required(f"{path}.nodeID")
            if (count := (driver.get("allocatable") or {}).get("count", 0)) < 0:
                yield field_invalid(f"{path}.allocatable.count", count, NOT_NEGATIVE)
            if name in seen:
                yield field_duplicate(f"{path}.name", name)
            seen.add(name)
            for key in driver.get("topologyKeys") or ():
                yield from label_key_errors(key, path)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update."""
        yield from self.validate(new)
        before = {driver["name"]: driver for driver in at(old, "spec.drivers") or ()}
        for driver in at(new, "spec.drivers") or ():
            known = before.get(driver["name"], driver)
            if {**known, "allocatable": None} != {**driver, "allocatable": None}:
                yield field_invalid("spec.drivers", driver, IMMUTABLE)


class CsiStorageCapacityStrategy(Fixed, Versioned):
    """Says for good what it measures."""

    fixed = ("nodeTopology", "storageClassName")

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a measurement."""
        yield from selector_errors(obj.get("nodeTopology"), "nodeTopology")
        name = obj.get("storageClassName", "")
        for problem in dns_subdomain(name):
            yield field_invalid("storageClassName", name, problem)
        if "capacity" in obj:
            yield from amount_value_errors("storage", obj["capacity"], "capacity")


class VolumeAttachmentStrategy(Fixed, VersionedAndReturned):
    """A VolumeAttachment begins unattached."""

    fixed = ("spec",)

    def initial_status(self) -> JsonObject:
        """Give the status of a new object."""
        return {"attached": False}

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an attachment."""
        spec = obj["spec"]
        yield from driver_errors(spec.get("attacher", ""), "spec.attacher")
        kinds = ("inlineVolumeSpec", "persistentVolumeName")
        source = spec.get("source") or {}
        given = [kind for kind in kinds if source.get(kind) is not None]
        if len(given) != 1:
            report = field_forbidden if given else field_required
            yield report("spec.source", f"must specify exactly one of {kinds[0]} and {kinds[1]}")
        elif source.get(kinds[1]) == "":
            yield field_required(f"spec.source.{kinds[1]}", f"must specify non empty {kinds[1]}")
        node_name, volume = spec.get("nodeName", ""), source.get(kinds[1])
        for problem in dns_subdomain(node_name):
            yield field_invalid("spec.nodeName", node_name, problem)
        for problem in dns_subdomain(volume) if volume is not None else ():
            yield field_invalid(f"spec.source.{kinds[1]}", volume, problem)
