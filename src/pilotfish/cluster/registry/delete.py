"""Deleting objects: grace periods, finalizers, propagation.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go and
    rest/delete.go.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.errors import GroupKind, invalid, not_found
from pilotfish.cluster.field_errors import field_invalid, field_not_supported
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.registry.answers import stored_answer, success
from pilotfish.cluster.registry.preconditions import check_preconditions
from pilotfish.cluster.registry.read import list_answer, select
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.requests import ApiAnswer, ApiRequest, Options
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.timestamps import seconds_of, timestamp
from pilotfish.cluster.validation.metadata import FOREGROUND, ORPHAN

_POLICIES: Final = ("Foreground", "Background", "Orphan")
_PENDING: Final = -1
ORPHANS: Final = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background "
    "to remove them or set propagationPolicy=Orphan to suppress this warning"
)


class Deletion(msgspec.Struct, frozen=True):
    """What a delete came to: the object's last state, and whether it is gone."""

    stored: Stored
    is_gone: bool


def delete(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Delete an object.

    Raises:
        StatusError: It is refused, or not there.
    """
    check_options(request.options)
    _warn_of_orphans(registry, request)
    resource = request.resource
    stored = registry.store.get(resource.storage, request.namespace, request.name)
    if stored is None:
        raise not_found(resource, request.name)
    deletion = delete_stored(registry, request, stored, now)
    if deletion.is_gone and not registry.strategy_of(resource).returns_deleted_object:
        return success(resource, name=stored.name, uid=stored.uid)
    return stored_answer(resource, deletion.stored)


def delete_collection(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Delete all selected objects, as far as none of them is refused; they are given as they were.

    Raises:
        StatusError: One is refused; those before it are deleted.
    """
    check_options(request.options)
    _warn_of_orphans(registry, request)
    resource = request.resource
    found = select(registry, request)
    version = registry.store.resource_version
    for stored in found:
        current = registry.store.get(resource.storage, stored.namespace, stored.name)
        if current is not None:
            delete_stored(registry, request, current, now)
    return list_answer(resource, found, version)


def _warn_of_orphans(registry: Registry, request: ApiRequest) -> None:
    options = request.options
    is_silent = options.propagation_policy is None and options.orphan_dependents is None
    if is_silent and registry.strategy_of(request.resource).orphans_by_default:
        request.warnings.append(ORPHANS)


def delete_stored(registry: Registry, request: ApiRequest, stored: Stored, now: float) -> Deletion:
    """Delete an object at rest, or mark it where something must be waited for.

    Raises:
        StatusError: It is refused.
    """
    resource, options = request.resource, request.options
    strategy = registry.strategy_of(resource)
    check_options(options)
    check_preconditions(resource, options, stored)
    obj = stored.decode()
    strategy.check_deletion(obj)
    registry.admit(
        Review(
            operation="delete",
            resource=resource,
            subresource="",
            namespace=stored.namespace,
            name=stored.name,
            user=request.user,
            now=now,
            old=obj,
        )
    )
    metadata = obj["metadata"]
    grace = _begin(strategy, obj, options.grace_period_seconds, now)
    if grace == _PENDING:
        return Deletion(stored, is_gone=False)
    _set_finalizers(metadata, strategy, options)
    waits = bool(metadata.get("finalizers")) or not strategy.may_be_removed(obj)
    if grace is None and waits:
        strategy.mark_deleting(obj, now)
    if grace is not None or waits:
        stored = _put(registry, request, stored, obj)
    if grace or waits:
        return Deletion(stored, is_gone=False)
    if options.dry_run:
        return Deletion(stored, is_gone=True)
    gone = registry.store.remove(resource.storage, stored.namespace, stored.name)
    return Deletion(gone, is_gone=True)


def check_options(options: Options) -> None:
    """See that the options of a delete make sense.

    Raises:
        StatusError: 422.
    """
    errors = []
    policy = options.propagation_policy
    if policy is not None and options.orphan_dependents is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(field_invalid("propagationPolicy", policy, detail))
    if policy is not None and policy not in _POLICIES:
        errors.append(field_not_supported("propagationPolicy", policy, (*_POLICIES, "nil")))
    if errors:
        raise invalid(GroupKind("meta.k8s.io", "DeleteOptions"), "", errors)


def _begin(strategy: Strategy, obj: JsonObject, asked: int | None, now: float) -> int | None:
    """Begin, or shorten, a graceful deletion, and give its length in seconds.

    None says that this kind has none or that it is over, `_PENDING` that a shorter one is going on.
    """
    metadata = obj["metadata"]
    if asked is not None and asked < 0:
        asked = 1
    if "deletionTimestamp" not in metadata:
        period = strategy.grace_period_seconds(obj, asked)
        if period is None:
            return None
        metadata["deletionTimestamp"] = timestamp(now + period)
        metadata["deletionGracePeriodSeconds"] = period
        if metadata.get("generation"):
            metadata["generation"] += 1
        return period
    current = metadata.get("deletionGracePeriodSeconds")
    if not current or strategy.grace_period_seconds(obj, asked) is None:
        return None
    if asked is None or asked >= current:
        return _PENDING
    end = seconds_of(metadata["deletionTimestamp"]) - current + asked
    if end < now:
        end, asked = now, min(asked, 1)
    metadata["deletionTimestamp"] = timestamp(end)
    metadata["deletionGracePeriodSeconds"] = asked
    return asked


def _set_finalizers(metadata: JsonObject, strategy: Strategy, options: Options) -> None:
    """Make the garbage collector's finalizers those that the propagation policy asks for."""
    if not strategy.is_garbage_collected:
        return
    old: list[str] = metadata.get("finalizers") or []
    match options.orphan_dependents, options.propagation_policy:
        case (True, _) | (None, "Orphan"):
            wanted = ORPHAN
        case None, "Foreground":
            wanted = FOREGROUND
        case (False, _) | (None, "Background"):
            wanted = ""
        case _:
            wanted = next((f for f in old if f in (ORPHAN, FOREGROUND)), "")
            if not wanted and strategy.orphans_by_default:
                wanted = ORPHAN
    new = [f for f in old if f not in (ORPHAN, FOREGROUND)] + ([wanted] if wanted else [])
    if set(new) != set(old):
        metadata["finalizers"] = new
        if not new:
            del metadata["finalizers"]


def _put(registry: Registry, request: ApiRequest, stored: Stored, obj: JsonObject) -> Stored:
    if request.options.dry_run:
        return msgspec.structs.replace(stored, body=msgspec.json.encode(obj))
    return registry.store.put(request.resource.storage, obj)
