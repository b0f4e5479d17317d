"""Validation of claims of storage, by themselves and as part of others.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: that both
    sources of data are one is not checked, since defaults see to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.api.quantity import Quantity
from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.metadata import selector_errors
from pilotfish.cluster.validation.names import dns_subdomain
from pilotfish.cluster.validation.placement import POSITIVE

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES: Final = ("Block", "Filesystem")


def claim_spec_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the spec of a claim, or of a template of claims."""
    yield from access_errors(spec, path, "at least 1 access mode is required")
    yield from selector_errors(spec.get("selector"), f"{path}.selector")
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        yield field_required(f"{path}.resources[storage]")
    else:
        yield from _size_errors(size, f"{path}.resources[storage]")
    yield from class_errors(spec, path)
    if (mode := spec.get("volumeMode")) not in (None, *VOLUME_MODES):
        yield field_not_supported(f"{path}.volumeMode", mode, VOLUME_MODES)
    for field in ("dataSource", "dataSourceRef"):
        if (source := spec.get(field)) is not None:
            yield from _source_errors(source, f"{path}.{field}")


def _source_errors(source: JsonObject, path: str) -> Iterator[FieldError]:
    for field in ("name", "kind"):
        if not source.get(field):
            yield field_required(f"{path}.{field}")
    group, kind = source.get("apiGroup"), source.get("kind", "")
    if not group and kind != "PersistentVolumeClaim":
        detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield field_invalid(path, kind, detail)
    for problem in dns_subdomain(group) if group else ():
        yield field_invalid(f"{path}.apiGroup", group, problem)


def access_errors(spec: JsonObject, path: str = "spec", detail: str = "") -> Iterator[FieldError]:
    """Give what is wrong with access modes."""
    modes: list[str] = spec.get("accessModes") or []
    if not modes:
        yield field_required(f"{path}.accessModes", detail)
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield field_not_supported(f"{path}.accessModes", mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and set(modes) & set(ACCESS_MODES[:3]):
        words = "may not use ReadWriteOncePod with other access modes"
        yield field_forbidden(f"{path}.accessModes", words)


def amount_errors(text: str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the capacity of a volume."""
    if (amount := Quantity.parse(text)).nano < 0:
        yield field_invalid(path, amount.value(), "must be a valid resource quantity")
    yield from _size_errors(text, path)


def _size_errors(text: str, path: str) -> Iterator[FieldError]:
    if Quantity.parse(text).nano <= 0:
        yield field_invalid(path, text, POSITIVE)


def class_errors(spec: JsonObject, path: str = "spec") -> Iterator[FieldError]:
    """Give what is wrong with the name of a StorageClass."""
    name = spec.get("storageClassName")
    for problem in dns_subdomain(name) if name else ():
        yield field_invalid(f"{path}.storageClassName", name, problem)
