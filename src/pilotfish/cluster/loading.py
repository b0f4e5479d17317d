"""Objects from files: new ones are created, recorded ones are put back as they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError, invalid
from pilotfish.cluster.events.versions import EVENTS_GROUP, to_core
from pilotfish.cluster.kinds import EVENTS, NAMESPACES
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.requests import SYSTEM, ApiRequest
from pilotfish.cluster.resources import TABLE, Resource
from pilotfish.cluster.timestamps import timestamp
from pilotfish.cluster.validation.metadata import metadata_errors

_FIRST: Final = ("Namespace", "PriorityClass", "RuntimeClass", "StorageClass", "Node")


class Loaded(msgspec.Struct):
    """What became of the objects.

    Attributes:
        count: how many are in the cluster now.
        unserved: how many are of kinds that it does not serve, by kind.
        refused: what is wrong with the others.
    """

    count: int = 0
    unserved: dict[str, int] = msgspec.field(default_factory=dict)
    refused: list[str] = msgspec.field(default_factory=list)


def load_objects(cluster: Cluster, objects: Iterable[JsonObject], now: float) -> Loaded:
    """Put objects into a cluster.

    One with a uid was recorded in a cluster: it keeps uid, status and all else. One without is
    created as a user would create it. Namespaces that are missing are made.
    """
    loaded = Loaded()
    found = list(_in_order(objects, loaded))
    _make_namespaces(cluster, found, now)
    for resource, obj in found:
        metadata = obj["metadata"]
        try:
            if metadata.get("uid"):
                _restore(cluster, resource, obj, now)
            elif resource.kind != "Namespace" or not _is_there(cluster, resource, metadata):
                _create(cluster, resource, obj, now)
        except StatusError as error:
            loaded.refused.append(f"{resource.kind} {_key(metadata)}: {error.message}")
        else:
            loaded.count += 1
    return loaded


def _in_order(
    objects: Iterable[JsonObject], loaded: Loaded
) -> Iterator[tuple[Resource, JsonObject]]:
    """Yield the objects of kinds that are stored; first those that others refer to."""
    found = []
    for obj in objects:
        kind, version = obj.get("kind", ""), obj.get("apiVersion", "")
        resource = TABLE.of_kind(version, kind)
        if resource is None or not resource.storage:
            name = f"{version} {kind}"
            loaded.unserved[name] = loaded.unserved.get(name, 0) + 1
        elif not isinstance(metadata := obj.get("metadata"), dict):
            loaded.refused.append(f"{kind}: metadata is missing")
        elif not isinstance(metadata.get("namespace") or "", str):
            loaded.refused.append(f"{kind} {_key(metadata)}: the namespace is no text")
        else:
            found.append((resource, obj))
    order = {kind: place for place, kind in enumerate(_FIRST)}
    yield from sorted(found, key=lambda pair: order.get(pair[0].kind, len(_FIRST)))


def _make_namespaces(
    cluster: Cluster, objects: Iterable[tuple[Resource, JsonObject]], now: float
) -> None:
    """Make what the objects are in, and let the controllers furnish it with ServiceAccounts."""
    names = {
        _namespace_of(obj["metadata"]): None for resource, obj in objects if resource.namespaced
    }
    for name in names:
        if cluster.store.get(NAMESPACES.storage, "", name) is None:
            cluster.client.create(NAMESPACES, {"metadata": {"name": name}}, now)
    cluster.advance(now)


def _namespace_of(metadata: JsonObject) -> str:
    """Return an object's namespace, and give it one where it has none."""
    namespace: str = metadata.get("namespace") or "default"
    metadata["namespace"] = namespace
    return namespace


def _restore(cluster: Cluster, resource: Resource, obj: JsonObject, now: float) -> None:
    schema = cluster.registry.schema
    if resource.group == EVENTS_GROUP:
        obj, resource = to_core(obj), EVENTS
    content, _ = schema.check(resource, obj, "Ignore")
    schema.apply_defaults(resource, content)
    metadata = content["metadata"]
    for field in ("managedFields", "selfLink", "resourceVersion"):
        metadata.pop(field, None)
    strategy = cluster.registry.strategy_of(resource)
    namespaced = resource.namespaced
    errors = [*metadata_errors(metadata, strategy.name_rule(), namespaced=namespaced)]
    if errors := [*errors, *strategy.validate(content)]:
        raise invalid(resource, metadata.get("name", ""), errors)
    metadata.setdefault("creationTimestamp", timestamp(now))
    cluster.store.put(resource.storage, content)


def _create(cluster: Cluster, resource: Resource, obj: JsonObject, now: float) -> None:
    metadata = obj["metadata"]
    cluster.request(
        ApiRequest(
            verb="create",
            resource=resource,
            user=SYSTEM,
            namespace=metadata.get("namespace", "") if resource.namespaced else "",
            body=obj,
        ),
        now,
    )


def _is_there(cluster: Cluster, resource: Resource, metadata: JsonObject) -> bool:
    return cluster.store.get(resource.storage, "", metadata.get("name", "")) is not None


def _key(metadata: JsonObject) -> str:
    namespace, name = metadata.get("namespace", ""), metadata.get("name", "")
    return f"{namespace}/{name}" if namespace else str(name)
