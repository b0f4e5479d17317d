"""Creating objects.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go and
    rest/create.go.
"""

from __future__ import annotations

from itertools import chain
from typing import Final

from pilotfish.api.selectors import int64
from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.errors import (
    StatusError,
    already_exists,
    bad_request,
    invalid,
    name_not_generated,
)
from pilotfish.cluster.field_errors import first_errors
from pilotfish.cluster.generated_names import new_name, new_uid
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.registry.answers import CREATED, object_answer, stored_answer
from pilotfish.cluster.registry.decode import decode_body
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.requests import ApiAnswer, ApiRequest
from pilotfish.cluster.timestamps import timestamp
from pilotfish.cluster.validation.metadata import metadata_errors

NAME_ATTEMPTS: Final = 8  # upstream's maxNameGenerationCreateAttempts
SYSTEM_FIELDS: Final = (
    "uid",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def create(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Create an object.

    Raises:
        StatusError: It is refused, or exists.
    """
    return create_object(registry, request, decode_body(registry, request), now)


def create_object(
    registry: Registry, request: ApiRequest, obj: JsonObject, now: float
) -> ApiAnswer:
    """Create an object that is decoded already.

    Raises:
        StatusError: It is refused, or exists.
    """
    resource, metadata = request.resource, obj["metadata"]
    for field in SYSTEM_FIELDS:
        metadata.pop(field, None)
    ensure_namespace(request, obj)
    version = metadata.pop("resourceVersion", "")
    if (int64(version) or 0) > 0:  # anything else upstream passes over
        raise StatusError(500, "", "resourceVersion should not be set on objects to be created")
    registry.admit(
        Review(
            operation="create",
            resource=resource,
            subresource="",
            namespace=request.namespace,
            name=metadata.get("name", ""),
            user=request.user,
            now=now,
            new=obj,
        )
    )
    metadata["uid"] = new_uid(registry.rng)
    metadata["creationTimestamp"] = timestamp(now)
    _name(registry, request, metadata)
    strategy = registry.strategy_of(resource)
    strategy.prepare_for_create(obj, now)
    of_metadata = metadata_errors(metadata, strategy.name_rule(), namespaced=resource.namespaced)
    if errors := first_errors(chain(of_metadata, strategy.validate(obj))):
        raise invalid(resource, metadata.get("name", ""), errors)
    request.warnings.extend(strategy.warnings(obj))
    if registry.store.get(resource.storage, request.namespace, metadata["name"]):
        refusal = name_not_generated if metadata.get("generateName") else already_exists
        raise refusal(resource, metadata["name"])
    if request.options.dry_run:
        return object_answer(resource, obj, CREATED)
    stored = registry.store.put(resource.storage, obj, expected_rv=0)
    return stored_answer(resource, stored, CREATED)


def ensure_namespace(request: ApiRequest, obj: JsonObject) -> None:
    """See that an object lies in the namespace of its request.

    Raises:
        StatusError: 400: it names another one.
    """
    metadata, wanted = obj["metadata"], request.namespace
    if not request.resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.get("namespace") in (None, "", wanted):
        metadata["namespace"] = wanted
    else:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _name(registry: Registry, request: ApiRequest, metadata: JsonObject) -> None:
    """Give an object with a generateName a name that no other one has."""
    if metadata.get("name") or not (prefix := metadata.get("generateName")):
        return
    for _ in range(NAME_ATTEMPTS):
        name = metadata["name"] = new_name(prefix, registry.rng)
        if registry.store.get(request.resource.storage, request.namespace, name) is None:
            return
    raise name_not_generated(request.resource, metadata["name"])
