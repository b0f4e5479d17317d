"""The client of the cluster's own controllers and kubelets, named after upstream's loopback client.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/server/config.go, LoopbackClientConfig.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.requests import (
    MERGE_PATCH,
    SYSTEM,
    ApiAnswer,
    ApiRequest,
    Options,
)
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.cluster.store import Store


class LoopbackClient:
    """Typed requests as SYSTEM, which nothing is forbidden to; refusals are raised as StatusError.

    Objects are read and answered without `kind` and `apiVersion`, as they are at rest.

    Args:
        store: what is read, without a request.
        request: the cluster's way in, through which all writes go.
        settings: how the cluster is set up.
    """

    def __init__(
        self,
        store: Store,
        request: Callable[[ApiRequest, float], ApiAnswer],
        settings: ClusterSettings,
    ) -> None:
        self.store = store
        self.settings = settings
        self._request = request

    def get(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        """Give a fresh copy of an object, or None."""
        stored = self.store.get(resource.storage, namespace, name)
        return None if stored is None else msgspec.json.decode(stored.body)

    def list(self, resource: Resource, namespace: str = "") -> Iterator[JsonObject]:
        """Give fresh copies of all objects, of one namespace or of all."""
        for stored in self.store.list(resource.storage, namespace).items:
            yield msgspec.json.decode(stored.body)

    def create(self, resource: Resource, obj: JsonObject, now: float) -> JsonObject:
        """Create an object; its namespace is read from its metadata."""
        namespace = obj["metadata"].get("namespace", "")
        return self._ask("create", resource, now, namespace=namespace, body=obj)

    def create_subresource(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        subresource: str,
        body: JsonObject,
        now: float,
    ) -> JsonObject:
        """Create what an object's subresource takes, such as a ServiceAccount's `token`."""
        return self._ask(
            "create",
            resource,
            now,
            namespace=namespace,
            name=name,
            subresource=subresource,
            body=body,
        )

    def update(self, resource: Resource, obj: JsonObject, now: float) -> JsonObject:
        """Replace an object; its resourceVersion, where set, must be the current one."""
        return self._update(resource, obj, "", now)

    def update_status(self, resource: Resource, obj: JsonObject, now: float) -> JsonObject:
        """Replace an object's status."""
        return self._update(resource, obj, "status", now)

    def update_subresource(
        self, resource: Resource, obj: JsonObject, subresource: str, now: float
    ) -> JsonObject:
        """Replace what an object's subresource holds, such as a namespace's `finalize`."""
        return self._update(resource, obj, subresource, now)

    def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonObject, now: float
    ) -> JsonObject:
        """Apply a JSON merge patch."""
        return self._patch(resource, namespace, name, "", patch, now)

    def patch_status(
        self, resource: Resource, namespace: str, name: str, patch: JsonObject, now: float
    ) -> JsonObject:
        """Apply a JSON merge patch, `{"status": ...}`, to an object's status."""
        return self._patch(resource, namespace, name, "status", patch, now)

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        now: float,
        *,
        uid: str | None = None,
        grace_period_seconds: int | None = None,
        propagation_policy: str | None = None,
    ) -> None:
        """Delete an object as a client would: finalizers and grace periods are kept."""
        options = Options(
            grace_period_seconds=grace_period_seconds,
            propagation_policy=propagation_policy,
            precondition_uid=uid,
        )
        self._request(
            ApiRequest(
                verb="delete",
                resource=resource,
                namespace=namespace,
                name=name,
                user=SYSTEM,
                options=options,
            ),
            now,
        )

    def _update(
        self, resource: Resource, obj: JsonObject, subresource: str, now: float
    ) -> JsonObject:
        metadata = obj["metadata"]
        return self._ask(
            "update",
            resource,
            now,
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            subresource=subresource,
            body=obj,
        )

    def _patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        subresource: str,
        patch: Any,
        now: float,
    ) -> JsonObject:
        return self._ask(
            "patch",
            resource,
            now,
            namespace=namespace,
            name=name,
            subresource=subresource,
            body=patch,
            patch_type=MERGE_PATCH,
        )

    def _ask(self, verb: Any, resource: Resource, now: float, **rest: Any) -> JsonObject:
        request = ApiRequest(verb=verb, resource=resource, user=SYSTEM, **rest)
        obj: JsonObject = msgspec.json.decode(self._request(request, now).body)
        return obj
