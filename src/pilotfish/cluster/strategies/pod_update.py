"""What may change in the spec of a pod.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, ValidatePodUpdate. differs: the
    difference that a refusal shows is between the specs as JSON, not as upstream's internal type.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import copy_field
from pilotfish.cluster.validation.placement import REQUIRED

MAX_INT32: Final = 2**31 - 1
UPDATABLE: Final = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)


def pod_update_errors(new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
    """Give what may not change so between two specs that differ."""
    for field in ("containers", "initContainers"):
        containers = new.get(field) or []
        if len(containers) != len(old.get(field) or ()):
            detail = "pod updates may not add or remove containers"
            yield field_forbidden(f"spec.{field}", detail)
            return
        yield from _image_errors(containers, f"spec.{field}")
    yield from _deadline_errors(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"))
    yield from _toleration_errors(new.get("tolerations") or [], old.get("tolerations") or [])
    yield from _gate_errors(new.get("schedulingGates") or [], old.get("schedulingGates") or [])
    if old.get("schedulingGates"):
        yield from _selector_errors(new.get("nodeSelector") or {}, old.get("nodeSelector") or {})
        yield from _affinity_errors(new, old)
    rest = _with_old_updatable_fields(new, old)
    if rest != old:
        fields = ",".join(UPDATABLE)
        detail = f"pod updates may not change fields other than {fields}\n{difference(old, rest)}"
        yield field_forbidden("spec", detail)


def difference(old: JsonObject, new: JsonObject) -> str:
    """Write the difference of two objects as a unified diff of their JSON."""
    before, after = (json.dumps(each, indent=1, sort_keys=True).splitlines() for each in (old, new))
    lines = list(difflib.unified_diff(before, after, lineterm=""))[2:]
    return "\n".join(lines) + "\n"


def _with_old_updatable_fields(new: JsonObject, old: JsonObject) -> JsonObject:
    rest = {field: new[field] for field in new}
    for field in ("containers", "initContainers"):
        if field in rest:
            pairs = zip(new[field], old[field], strict=True)
            rest[field] = [container | {"image": known["image"]} for container, known in pairs]
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        copy_field(field, old, rest)
    grace = "terminationGracePeriodSeconds"
    if old.get(grace, 0) < 0 and new.get(grace) == 1:
        rest[grace] = old[grace]
    if old.get("schedulingGates"):
        copy_field("nodeSelector", old, rest)
        affinity = dict(new.get("affinity") or {})
        copy_field("nodeAffinity", old.get("affinity") or {}, affinity)
        rest["affinity"] = affinity
        if not affinity:
            copy_field("affinity", old, rest)
    return rest


def _image_errors(containers: list[JsonObject], path: str) -> Iterator[FieldError]:
    for i, container in enumerate(containers):
        image = container.get("image", "")
        if not image:
            yield field_required(f"{path}[{i}].image")
        if image.strip() != image:
            detail = "must not have leading or trailing whitespace"
            yield field_invalid(f"{path}[{i}].image", image, detail)


def _deadline_errors(new: int | None, old: int | None) -> Iterator[FieldError]:
    path = "spec.activeDeadlineSeconds"
    if new is None and old is not None:
        yield field_invalid(path, None, "must not update from a positive integer to nil value")
    elif new is not None and not 0 <= new <= MAX_INT32:
        yield field_invalid(path, new, f"must be between 0 and {MAX_INT32}, inclusive")
    elif new is not None and old is not None and old < new:
        yield field_invalid(path, new, "must be less than or equal to previous value")


def _toleration_errors(new: list[JsonObject], old: list[JsonObject]) -> Iterator[FieldError]:
    def timeless(toleration: JsonObject) -> dict[str, Any]:
        return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}

    kept = [timeless(toleration) for toleration in new]
    if any(timeless(toleration) not in kept for toleration in old):
        detail = "existing toleration can not be modified except its tolerationSeconds"
        yield field_forbidden("spec.tolerations", detail)


def _gate_errors(new: list[JsonObject], old: list[JsonObject]) -> Iterator[FieldError]:
    known = {gate.get("name") for gate in old}
    for i, gate in enumerate(new):
        if gate.get("name") not in known:
            detail = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            yield field_forbidden(f"spec.schedulingGates[{i}].name", detail)


def _selector_errors(new: dict[str, str], old: dict[str, str]) -> Iterator[FieldError]:
    if any(new.get(key) != value for key, value in old.items()):
        detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield field_invalid("spec.nodeSelector", new, detail)


def _affinity_errors(new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
    path = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
    new_terms, old_terms = _terms(new), _terms(old)
    if not old_terms:
        return
    if len(new_terms) != len(old_terms):
        detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield field_invalid(path, new_terms, detail)
        return
    for i, (term, known) in enumerate(zip(new_terms, old_terms, strict=True)):
        if not _only_adds(term, known):
            detail = "only additions are allowed (no mutations or deletions)"
            yield field_invalid(f"{path}[{i}]", term, detail)


def _terms(spec: JsonObject) -> list[JsonObject]:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: list[JsonObject] = (affinity.get(REQUIRED) or {}).get("nodeSelectorTerms") or []
    return terms


def _only_adds(new: JsonObject, old: JsonObject) -> bool:
    """Say whether a term only has more conditions, at the end, than it had."""
    if not old:
        return new == old
    fields = ("matchExpressions", "matchFields")
    return all((new.get(f) or [])[: len(old.get(f) or ())] == (old.get(f) or []) for f in fields)
