"""Requests on a cluster, for tests: answers as plain objects, refusals as their Status."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.requests import (
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
    ApiRequest,
    Options,
    User,
    Verb,
)
from pilotfish.cluster.resources import TABLE, Resource
from pilotfish.cluster.settings import ClusterSettings

Json = dict[str, Any]

START = 1_000_000_000.0  # 2001-09-09T01:46:40Z
ADMIN = User("admin", ("system:masters", "system:authenticated"))
POD_SPEC: Json = {"containers": [{"name": "c", "image": "nginx"}]}


def pod(name: str = "p", **spec: Any) -> Json:
    """Make a pod of one container; `spec` wins over it."""
    return {"metadata": {"name": name}, "spec": POD_SPEC | spec}


def container(**fields: Any) -> Json:
    """Make a pod whose only container has these fields."""
    return pod(containers=[POD_SPEC["containers"][0] | fields])


def resource_of(name: str) -> Resource:
    """Find a resource by its plural, with its group where two are alike."""
    found = [r for r in TABLE if name in (r.qualified, r.plural)]
    return next((r for r in found if r.qualified == name), found[0])


class Api:
    """A cluster without nodes whose controllers have settled, and its admin."""

    def __init__(self, seed: int = 0, **settings: Any) -> None:
        chosen = ClusterSettings(node_groups=(), **settings)
        self.now = START
        self.cluster = Cluster(rng=random.Random(seed), settings=chosen, now=START)
        self.settle()

    def settle(self, seconds: float = 0.0) -> None:
        """Let time pass, and controllers act."""
        self.now += seconds
        self.cluster.advance(self.now)

    def ask(
        self,
        verb: Verb,
        resource: str,
        name: str = "",
        body: Any = None,
        *,
        namespace: str = "default",
        part: str = "",
        user: User = ADMIN,
        patch_type: str = "",
        **options: Any,
    ) -> Json:
        """Give what a request is answered, or the Status of its refusal."""
        found = resource_of(resource)
        request = ApiRequest(
            verb=verb,
            resource=found,
            user=user,
            namespace=namespace if found.namespaced else "",
            name=name,
            subresource=part,
            body=body,
            patch_type=patch_type,
            options=Options(**options),
        )
        try:
            answer = self.cluster.request(request, self.now)
        except StatusError as error:
            return error.status()
        content: Json = msgspec.json.decode(b"".join((answer.body, *(answer.more or ()))))
        return content

    def create(self, resource: str, body: Json, **rest: Any) -> Json:
        """Create an object."""
        return self.ask("create", resource, body=body, **rest)

    def get(self, resource: str, name: str, **rest: Any) -> Json:
        """Read an object."""
        return self.ask("get", resource, name, **rest)

    def update(self, resource: str, name: str, body: Json, **rest: Any) -> Json:
        """Replace an object."""
        return self.ask("update", resource, name, body, **rest)

    def merge(self, resource: str, name: str, body: Json, **rest: Any) -> Json:
        """Apply a merge patch."""
        return self.ask("patch", resource, name, body, patch_type=MERGE_PATCH, **rest)

    def strategic(self, resource: str, name: str, body: Json, **rest: Any) -> Json:
        """Apply a strategic merge patch."""
        return self.ask("patch", resource, name, body, patch_type=STRATEGIC_MERGE_PATCH, **rest)

    def json_patch(self, resource: str, name: str, body: list[Json], **rest: Any) -> Json:
        """Apply a JSON patch."""
        return self.ask("patch", resource, name, body, patch_type=JSON_PATCH, **rest)

    def delete(self, resource: str, name: str, **rest: Any) -> Json:
        """Delete an object."""
        return self.ask("delete", resource, name, **rest)

    def names(self, resource: str, **rest: Any) -> list[str]:
        """List the names of objects."""
        return [item["metadata"]["name"] for item in self.ask("list", resource, **rest)["items"]]

    def bind(self, name: str, node: str = "n", **metadata: Any) -> Json:
        """Bind a pod."""
        target = {"kind": "Node", "name": node}
        body = {"metadata": {"name": name} | metadata, "target": target}
        return self.ask("create", "pods", name, body, part="binding")


def message(status: Json, code: int) -> str:
    """Give the message of a refusal with this code."""
    assert status["kind"] == "Status", f"it was not refused: {status}"
    assert status["code"] == code, status
    text: str = status["message"]
    return text
