"""Replacing and patching objects and their status.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go,
    rest/update.go and pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.errors import GroupKind, bad_request, conflict, invalid, not_found
from pilotfish.cluster.field_errors import FieldError, field_invalid, first_errors
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.registry.answers import object_answer, stored_answer
from pilotfish.cluster.registry.create import create_object, ensure_namespace
from pilotfish.cluster.registry.decode import decode_body, decode_patched
from pilotfish.cluster.registry.preconditions import check_identity
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.requests import ApiAnswer, ApiRequest
from pilotfish.cluster.strategies.strategy import Strategy, copy_field
from pilotfish.cluster.validation.metadata import metadata_errors, metadata_update_errors
from pilotfish.cluster.validation.names import path_segment


def update(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Replace an object, or its status.

    Raises:
        StatusError: It is refused.
    """
    resource = request.resource
    new = decode_body(registry, request)
    check_name(request, new)
    stored = registry.store.get(resource.storage, request.namespace, request.name)
    if stored is None:
        strategy = registry.strategy_of(resource)
        if not strategy.allow_create_on_update or request.subresource:
            raise not_found(resource, request.name)
        return create_object(registry, request, new, now)
    check_identity(resource, stored, uid=new["metadata"].get("uid"))
    return write(registry, request, stored, new, now)


def patch(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Patch an object, or its status.

    Raises:
        StatusError: It is refused.
    """
    resource = request.resource
    stored = registry.store.get(resource.storage, request.namespace, request.name)
    if stored is None:
        raise not_found(resource, request.name)
    new = decode_patched(registry, request, stored)
    check_name(request, new)
    return write(registry, request, stored, new, now)


def check_name(request: ApiRequest, obj: JsonObject) -> None:
    """See that an object's name and namespace are those of its request.

    Raises:
        StatusError: 400.
    """
    name = obj["metadata"].get("name")
    if not name:
        raise bad_request(
            f"the name of the object ({request.name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if name != request.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({request.name})"
        )
    ensure_namespace(request, obj)


def write(
    registry: Registry, request: ApiRequest, stored: Stored, new: JsonObject, now: float
) -> ApiAnswer:
    """Put a new state of an object in place of the one at rest.

    Raises:
        StatusError: It is refused.
    """
    resource, strategy = request.resource, registry.strategy_of(request.resource)
    old = stored.decode()
    _check_resource_version(request, strategy, stored, new)
    registry.admit(
        Review(
            operation="update",
            resource=resource,
            subresource=request.subresource,
            namespace=request.namespace,
            name=request.name,
            user=request.user,
            now=now,
            new=new,
            old=old,
        )
    )
    _prepare(strategy, request, new, old, now)
    if errors := first_errors(_errors(strategy, request, new, old)):
        raise invalid(resource, request.name, errors)
    if not request.subresource:
        request.warnings.extend(strategy.update_warnings(new, old))
    if new == old:
        return stored_answer(resource, stored)
    if request.options.dry_run:
        return object_answer(resource, new)
    if _is_finished(strategy, new, old):
        registry.store.remove(resource.storage, request.namespace, request.name)
        return object_answer(resource, new)
    return stored_answer(resource, registry.store.put(resource.storage, new))


def _check_resource_version(
    request: ApiRequest, strategy: Strategy, stored: Stored, new: JsonObject
) -> None:
    wanted = new["metadata"].get("resourceVersion")
    if wanted in (None, "", "0"):
        if not strategy.allow_unconditional_update:
            detail = "must be specified for an update"
            error = field_invalid("metadata.resourceVersion", 0, detail)
            kind = GroupKind(request.resource.group, request.resource.plural)  # upstream's words
            raise invalid(kind, request.name, [error])
    elif wanted != str(stored.resource_version):
        raise conflict(request.resource, request.name)
    new["metadata"]["resourceVersion"] = str(stored.resource_version)


def _prepare(
    strategy: Strategy, request: ApiRequest, new: JsonObject, old: JsonObject, now: float
) -> None:
    copy_field("generation", old["metadata"], new["metadata"])
    if request.subresource == "status":
        strategy.prepare_for_status_update(new, old, now)
    elif request.subresource == "finalize":
        strategy.prepare_for_finalize(new, old)
    else:
        strategy.prepare_for_update(new, old, now)
    metadata, known = new["metadata"], old["metadata"]
    metadata.setdefault("uid", known["uid"])
    copy_field("creationTimestamp", known, metadata)
    if "deletionTimestamp" in known:
        copy_field("deletionTimestamp", known, metadata)
    if "deletionGracePeriodSeconds" in known:
        metadata.setdefault("deletionGracePeriodSeconds", known["deletionGracePeriodSeconds"])


def _errors(
    strategy: Strategy, request: ApiRequest, new: JsonObject, old: JsonObject
) -> Iterator[FieldError]:
    namespaced = request.resource.namespaced
    metadata = new["metadata"]
    for name_rule in (path_segment, strategy.name_rule()):  # upstream's strategies look again
        yield from metadata_errors(metadata, name_rule, namespaced=namespaced)
        yield from metadata_update_errors(metadata, old["metadata"])
    if request.subresource == "status":
        yield from strategy.validate_status_update(new, old)
    elif not request.subresource:
        yield from strategy.validate_update(new, old)


def _is_finished(strategy: Strategy, new: JsonObject, old: JsonObject) -> bool:
    """Say whether an update takes away the last thing that a deletion waited for."""
    return (
        "deletionTimestamp" in old["metadata"]
        and not new["metadata"].get("finalizers")
        and not old["metadata"].get("deletionGracePeriodSeconds")
        and strategy.may_be_removed(new)
    )
