"""Validation of references to a pod's own fields and amounts, in variables and volumes.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go and pkg/apis/core/pods/helpers.go.
    differs: divisors are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.names import qualified_name

IN_VARIABLES: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
IN_VOLUMES: Final = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
AMOUNTS: Final = tuple(
    f"{kind}.{name}"
    for kind in ("limits", "requests")
    for name in ("cpu", "ephemeral-storage", "memory")
)
_HUGE_PAGES: Final = ("limits.hugepages-", "requests.hugepages-")
_KNOWN: Final = frozenset(
    (*IN_VARIABLES, *IN_VOLUMES, "spec.host", "spec.restartPolicy", "spec.schedulerName")
) | {"status.phase"}
_SUBSCRIPT = re.compile(r"(.*)\['(.*)'\]", re.DOTALL)


def field_reference_errors(
    reference: JsonObject, allowed: Sequence[str], path: str
) -> Iterator[FieldError]:
    """Give what is wrong with a reference to a field, of which only some are allowed."""
    version, field = reference.get("apiVersion", ""), reference.get("fieldPath", "")
    subscripted = _SUBSCRIPT.fullmatch(field)
    if not version:
        yield field_required(f"{path}.apiVersion")
    elif not field:
        yield field_required(f"{path}.fieldPath")
    elif why := _unreadable(version, subscripted[1] if subscripted else "", field):
        yield field_invalid(f"{path}.fieldPath", field, f"error converting fieldPath: {why}")
    elif subscripted:
        key = subscripted[2]
        for problem in qualified_name(key if "labels" in subscripted[1] else key.lower()):
            yield field_invalid(path, key, problem)
    elif (plain := "spec.nodeName" if field == "spec.host" else field) not in allowed:
        yield field_not_supported(f"{path}.fieldPath", plain, allowed)


def amount_reference_errors(
    reference: JsonObject, path: str, *, in_volume: bool
) -> Iterator[FieldError]:
    """Give what is wrong with a reference to what a container requests or is limited to."""
    name = reference.get("resource", "")
    if in_volume and not reference.get("containerName"):
        yield field_required(f"{path}.containerName")
    elif not name:
        yield field_required(f"{path}.resource")
    elif name not in AMOUNTS and not name.startswith(_HUGE_PAGES):
        yield field_not_supported(f"{path}.resource", name, AMOUNTS)


def _unreadable(version: str, subscripted: str, field: str) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscripted:
        is_map = subscripted in ("metadata.annotations", "metadata.labels")
        return "" if is_map else f"field label does not support subscript: {field}"
    return "" if field in _KNOWN else f"field label not supported: {field}"
