"""Validation of the volumes that a container mounts, or has as devices.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, ValidateVolumeMounts and
    ValidateVolumeDevices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_found,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.volumes import descending_path_errors

PROPAGATIONS: Final = ("Bidirectional", "HostToContainer", "None")
RECURSIONS: Final = ("Disabled", "Enabled", "IfPossible")
NOT_UNIQUE: Final = "must be unique"

Volumes = Mapping[str, JsonObject]
"""The sound volumes of a pod by name."""


def mount_errors(container: JsonObject, volumes: Volumes, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the mounts of a container."""
    devices: list[JsonObject] = container.get("volumeDevices") or []
    names = {device.get("name", "") for device in devices}
    places = {device.get("devicePath", "") for device in devices}
    taken = set()
    for i, mount in enumerate(container["volumeMounts"] or ()):
        at, name, place = f"{path}[{i}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield field_required(f"{at}.name")
        if name not in volumes:
            yield field_not_found(f"{at}.name", name)
        if not place:
            yield field_required(f"{at}.mountPath")
        if place in taken:
            yield field_invalid(f"{at}.mountPath", place, NOT_UNIQUE)
        taken.add(place)
        if name in names:
            yield field_invalid(f"{at}.name", name, "must not already exist in volumeDevices")
        if place in places:
            detail = "must not already exist as a path in volumeDevices"
            yield field_invalid(f"{at}.mountPath", place, detail)
        yield from _part_errors(mount, at, path)
        yield from _mode_errors(mount, container, path)


def _part_errors(mount: JsonObject, at: str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the part of a volume that is mounted."""
    part, pattern = mount.get("subPath"), mount.get("subPathExpr")
    if part:
        yield from descending_path_errors(part, f"{path}.subPath")
    if pattern:
        if part:
            detail = "subPathExpr and subPath are mutually exclusive"
            yield field_invalid(f"{at}.subPathExpr", pattern, detail)
        yield from descending_path_errors(pattern, f"{path}.subPathExpr")


def _mode_errors(mount: JsonObject, container: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with what is seen of mounts below a mount; upstream leaves out which."""
    propagation, recursion = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    if propagation not in (None, *PROPAGATIONS):
        yield field_not_supported(f"{path}.mountPropagation", propagation, PROPAGATIONS)
    context = container.get("securityContext") or {}
    if propagation == "Bidirectional" and not context.get("privileged"):
        detail = "Bidirectional mount propagation is available only to privileged containers"
        yield field_forbidden(f"{path}.mountPropagation", detail)
    if recursion not in (None, *RECURSIONS):
        yield field_not_supported(f"{path}.recursiveReadOnly", recursion, RECURSIONS)
    elif recursion not in (None, "Disabled"):
        if not mount.get("readOnly"):
            detail = "may only be specified when readOnly is true"
            yield field_forbidden(f"{path}.recursiveReadOnly", detail)
        if propagation not in (None, "None"):
            detail = "may only be specified when mountPropagation is None or not specified"
            yield field_forbidden(f"{path}.recursiveReadOnly", detail)


def device_errors(container: JsonObject, volumes: Volumes, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the block devices of a container."""
    mounts: list[JsonObject] = container.get("volumeMounts") or []
    mounted = {mount.get("name", "") for mount in mounts}
    places = {mount.get("mountPath", "") for mount in mounts}
    names, taken = set(), set()
    for i, device in enumerate(container["volumeDevices"] or ()):
        at, name, place = f"{path}[{i}]", device.get("name", ""), device.get("devicePath", "")
        volume = volumes.get(name)
        if not name:
            yield field_required(f"{at}.name")
        if name in names:
            yield field_invalid(f"{at}.name", name, NOT_UNIQUE)
        if volume is None:
            yield field_not_found(f"{at}.name", name)
        elif not {"persistentVolumeClaim", "ephemeral"} & volume.keys():
            detail = (
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block "
                "mode"
            )
            yield field_invalid(f"{at}.name", name, detail)
        if not place:
            yield field_required(f"{at}.devicePath")
        if place in taken:
            yield field_invalid(f"{at}.devicePath", place, NOT_UNIQUE)
        if ".." in place.split("/"):
            yield field_invalid(f"{at}.devicePath", place, "can not contain backsteps ('..')")
        else:
            taken.add(place)
        if name in mounted:
            yield field_invalid(f"{at}.name", name, "must not already exist in volumeMounts")
        if place in places:
            detail = "must not already exist as a path in volumeMounts"
            yield field_invalid(f"{at}.devicePath", place, detail)
        if name:
            names.add(name)
