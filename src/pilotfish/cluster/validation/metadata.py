"""Validation of metadata, labels and label selectors.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go and
    pkg/apis/meta/v1/validation/validation.go. differs: managedFields, never kept, are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_required,
    field_too_long,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.names import (
    NameRule,
    dns_label,
    dns_subdomain,
    generated_prefix,
    label_value,
    qualified_name,
)

ORPHAN: Final = "orphan"
FOREGROUND: Final = "foregroundDeletion"
STANDARD_FINALIZERS: Final = frozenset((ORPHAN, FOREGROUND, "kubernetes"))
MAX_ANNOTATION_BYTES: Final = 256 * 1024
MAX_DRIVER: Final = 63
FIELDS: Final = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation",
    "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels",
    "annotations", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip
"""The fields of metadata in the order of upstream's type."""
IMMUTABLE: Final = "field is immutable"


def metadata_errors(
    metadata: JsonObject, name_rule: NameRule, *, namespaced: bool, path: str = "metadata"
) -> Iterator[FieldError]:
    """Give what is wrong with the metadata of an object that is to be created."""
    prefix, name = metadata.get("generateName", ""), metadata.get("name", "")
    if prefix:
        for problem in name_rule(generated_prefix(prefix)):
            yield field_invalid(f"{path}.generateName", prefix, problem)
    if not name:
        yield field_required(f"{path}.name", "name or generateName is required")
    for problem in name_rule(name) if name else ():
        yield field_invalid(f"{path}.name", name, problem)
    yield from _namespace_errors(
        metadata.get("namespace", ""), f"{path}.namespace", namespaced=namespaced
    )
    yield from label_errors(metadata.get("labels"), f"{path}.labels")
    yield from annotation_errors(metadata.get("annotations"), f"{path}.annotations")
    yield from _owner_errors(metadata.get("ownerReferences"), f"{path}.ownerReferences")
    yield from _finalizer_errors(metadata.get("finalizers"), f"{path}.finalizers")


def metadata_update_errors(new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
    """Give what may not change so in an object's metadata."""
    if "deletionTimestamp" in old:
        known = old.get("finalizers", ())
        extra = sorted({f for f in new.get("finalizers", ()) if f not in known})
        if extra:
            listed = ", ".join(f'"{finalizer}"' for finalizer in extra)
            yield field_forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{listed}}}",
            )
    for key in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"):
        if new.get(key) != old.get(key):
            yield field_invalid(f"metadata.{key}", new.get(key, ""), IMMUTABLE)
    key = "deletionGracePeriodSeconds"
    if new.get(key) != old.get(key):
        yield field_invalid(f"metadata.{key}", new.get(key), IMMUTABLE)
    yield from label_errors(new.get("labels"), "metadata.labels")
    yield from annotation_errors(new.get("annotations"), "metadata.annotations")
    yield from _owner_errors(new.get("ownerReferences"), "metadata.ownerReferences")


def label_errors(labels: Mapping[str, str] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a map of labels."""
    for key, value in (labels or {}).items():
        yield from label_key_errors(key, path)
        for problem in label_value(value):
            yield field_invalid(path, value, problem)


def label_key_errors(key: str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a label's key."""
    for problem in qualified_name(key):
        yield field_invalid(path, key, problem)


def required_name_errors(name: str, rule: NameRule, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a name that must be there."""
    if not name:
        yield field_required(path)
    for problem in rule(name) if name else ():
        yield field_invalid(path, name, problem)


def driver_errors(name: str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the name of a driver: a short DNS subdomain of any case.

    Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, ValidateCSIDriverName.
    """
    if not name:
        yield field_required(path)
        return
    if len(name.encode()) > MAX_DRIVER:
        yield field_too_long(path, MAX_DRIVER)
    for problem in dns_subdomain(name.lower()):
        yield field_invalid(path, name, problem)


def template_metadata_errors(metadata: JsonObject | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the metadata of what a template makes: more than labels.

    Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, ValidateTemplateObjectMeta.
    """
    metadata = metadata or {}
    yield from annotation_errors(metadata.get("annotations"), f"{path}.annotations")
    yield from label_errors(metadata.get("labels"), f"{path}.labels")
    for field in sorted(metadata.keys() - {"annotations", "labels"}, key=FIELDS.index):
        yield field_forbidden(f"{path}.{field}", "cannot be set")


def annotation_errors(annotations: Mapping[str, str] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with annotations; keys are label keys of any case."""
    if not annotations:
        return
    for key in annotations:
        for problem in qualified_name(key.lower()):
            yield field_invalid(path, key, problem)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > MAX_ANNOTATION_BYTES:
        yield field_too_long(path, MAX_ANNOTATION_BYTES)


def selector_errors(selector: JsonObject | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a label selector."""
    if not selector:
        return
    yield from label_errors(selector.get("matchLabels"), f"{path}.matchLabels")
    for i, requirement in enumerate(selector.get("matchExpressions") or ()):
        yield from _requirement_errors(requirement, f"{path}.matchExpressions[{i}]")


def _requirement_errors(requirement: JsonObject, path: str) -> Iterator[FieldError]:
    values: list[str] = requirement.get("values") or []
    match operator := requirement.get("operator", ""):
        case "In" | "NotIn":
            if not values:
                yield field_required(
                    f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"
                )
        case "Exists" | "DoesNotExist":
            if values:
                yield field_forbidden(
                    f"{path}.values",
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                )
        case _:
            yield field_invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from label_key_errors(requirement.get("key", ""), f"{path}.key")
    for i, value in enumerate(values):
        for problem in label_value(value):
            yield field_invalid(f"{path}.values[{i}]", value, problem)


def _namespace_errors(namespace: str, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not namespaced:
        if namespace:
            yield field_forbidden(path, "not allowed on this type")
    elif not namespace:
        yield field_required(path)
    else:
        for problem in dns_label(namespace):
            yield field_invalid(path, namespace, problem)


def _owner_errors(owners: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    controller = ""
    for owner in owners or ():
        if not owner.get("apiVersion"):
            yield field_invalid(f"{path}.apiVersion", "", "version must not be empty")
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                yield field_invalid(f"{path}.{key}", "", "must not be empty")
        if owner.get("controller"):
            this = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if controller:
                yield field_invalid(
                    path,
                    owners,
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {this}',
                )
            else:
                controller = this


def _finalizer_errors(finalizers: list[str] | None, path: str) -> Iterator[FieldError]:
    if not finalizers:
        return
    for i, finalizer in enumerate(finalizers):
        for problem in qualified_name(finalizer):
            yield field_invalid(path, finalizer, problem)
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            yield field_invalid(f"{path}[{i}]", finalizer, detail)
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        detail = f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"
        yield field_invalid(path, finalizers, detail)
