"""The rules of a kind; the default ones are those of kinds that nothing acts on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pilotfish.cluster.field_errors import FieldError
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.timestamps import seconds_of, timestamp
from pilotfish.cluster.validation.names import NameRule, dns_subdomain
from pilotfish.cluster.validation.status_counts import StatusCounts


class Strategy:
    """What a kind adds to the life of its objects.

    After the schema's defaults and admission, a create runs `prepare_for_create` and `validate`, an
    update `prepare_for_update` and `validate_update`, a write of the status subresource
    `prepare_for_status_update` and `validate_status_update`. Methods named prepare change the
    object in place; those named validate yield what is wrong with it. All must be free of other
    effects: a dry run calls them too.

    Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/registry/rest.
    """

    has_generation: ClassVar[bool] = False
    """Whether `metadata.generation` counts the changes outside metadata and status."""
    status_counts: ClassVar[StatusCounts] = StatusCounts()
    """What the counts in the status may be."""
    allow_create_on_update: ClassVar[bool] = False
    allow_unconditional_update: ClassVar[bool] = True
    """Whether an update may leave out the resourceVersion."""
    orphans_by_default: ClassVar[bool] = False
    """Whether dependents stay when a delete names no propagation policy."""
    is_garbage_collected: ClassVar[bool] = True
    """Whether a delete may wait for dependents."""
    returns_deleted_object: ClassVar[bool] = False
    """Whether a delete is answered with the object, rather than with a Status."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.has_status = "status" in resource.subresources
        """Whether writes of the object leave its status alone."""

    def name_rule(self) -> NameRule:
        """Give the rule for names of this kind."""
        return dns_subdomain

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Clear what clients may not set, and set what the server sets."""
        del now
        if self.has_status:
            obj["status"] = self.initial_status()
        if self.has_generation:
            obj["metadata"]["generation"] = 1

    def initial_status(self) -> JsonObject:
        """Give the status of a new object."""
        return {}

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a new object beside its metadata."""
        del obj
        yield from ()

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Undo what an update may not change silently."""
        del now
        if self.has_status:
            copy_field("status", old, new)
        if self.has_generation:
            count_generation(new, old)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update, beside the common rules for metadata."""
        del old
        yield from self.validate(new)

    def prepare_for_status_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Keep everything but status, labels, annotations and finalizers."""
        del now
        for field in {*new, *old} - {"status", "metadata"}:
            copy_field(field, old, new)
        copy_field("deletionTimestamp", old["metadata"], new["metadata"])
        copy_field("ownerReferences", old["metadata"], new["metadata"])

    def prepare_for_finalize(self, new: JsonObject, old: JsonObject) -> None:
        """Undo what a write of the finalize subresource may not change; only namespaces have it."""
        del new, old

    def validate_status_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update of the status."""
        yield from self.status_counts.errors(new.get("status") or {}, old.get("status") or {})

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what the client should be told about an object that is accepted."""
        del obj
        yield from ()

    def update_warnings(self, new: JsonObject, old: JsonObject) -> Iterator[str]:
        """Yield what the client should be told about an update that is accepted."""
        del new, old
        yield from ()

    def grace_period_seconds(self, obj: JsonObject, asked: int | None) -> int | None:
        """Give how long a deletion waits for someone to finish it; None for kinds that never do."""
        del obj, asked
        return None

    def check_deletion(self, obj: JsonObject) -> None:
        """See that an object may be deleted.

        Raises:
            StatusError: It may not.
        """

    def mark_deleting(self, obj: JsonObject, now: float) -> None:
        """Set what says that an object is being deleted and waits for its finalizers."""
        metadata = obj["metadata"]
        if "deletionTimestamp" not in metadata:
            if metadata.get("generation"):
                metadata["generation"] += 1
            metadata["deletionTimestamp"] = timestamp(now)
        elif seconds_of(metadata["deletionTimestamp"]) > now:
            metadata["deletionTimestamp"] = timestamp(now)
        metadata["deletionGracePeriodSeconds"] = 0

    def may_be_removed(self, obj: JsonObject) -> bool:
        """Say whether an object without finalizers, being deleted, may go."""
        del obj
        return True


def copy_field(field: str, source: JsonObject, target: JsonObject) -> None:
    """Make a field of the target what it is in the source, absent where it is absent."""
    if field in source:
        target[field] = source[field]
    else:
        target.pop(field, None)


def count_generation(new: JsonObject, old: JsonObject) -> None:
    """Raise the generation when an update changes more than metadata and status."""
    fields = {*new, *old} - {"metadata", "status"}
    if any(new.get(field) != old.get(field) for field in fields):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
