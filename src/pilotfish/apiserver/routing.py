"""From a method and a path to a verb on a resource that is served.

Source: kubernetes v1.36 k8s.io/apiserver/pkg/endpoints/installer.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pilotfish.apiserver.paths import ResourcePath
from pilotfish.cluster.errors import (
    bad_request,
    method_not_allowed,
    no_such_path,
    not_implemented,
)
from pilotfish.cluster.requests import Verb
from pilotfish.cluster.resources import Resource, ResourceTable
from pilotfish.cluster.subresources import SUBRESOURCES
from pilotfish.cluster.validation.names import path_segment

_COLLECTION_VERBS: Final[Mapping[str, Verb]] = {
    "GET": "list",
    "POST": "create",
    "DELETE": "deletecollection",
}
_OBJECT_VERBS: Final[Mapping[str, Verb]] = {
    "GET": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_SUBRESOURCE_VERBS: Final[Mapping[str, Verb]] = {**_OBJECT_VERBS, "POST": "create"}
_NO_PROCESSES: Final = "the containers of simulated nodes are no processes that one could reach"
_UNSERVED: Final = {
    **dict.fromkeys(("exec", "attach", "portforward", "proxy"), _NO_PROCESSES),
    "resize": "the resources of simulated containers stay as they are created",
}
"""What a pod has upstream and not here, and why."""
_PARTS_OF_PATH: Final = 3


class Route(msgspec.Struct, frozen=True):
    """What a request wants, and of what."""

    verb: Verb
    resource: Resource
    namespace: str
    name: str
    subresource: str


def find_route(table: ResourceTable, method: str, path: ResourcePath) -> Route:
    """Find what serves a request.

    Raises:
        StatusError: 404 for what is not there, 405 for a method that it does not have, 400 for a
            name that is none, 501 for what only real containers could answer.
    """
    resource = table.get(path.group, path.version, path.plural)
    most_parts = 1 if path.is_watch else _PARTS_OF_PATH
    if resource is None or path.parts > most_parts:
        raise no_such_path()
    namespace = path.namespace if resource.namespaced else ""
    if path.namespace and not resource.namespaced and resource.plural != "namespaces":
        raise no_such_path()
    if resource.namespaced and not namespace and path.parts > 1:
        raise no_such_path()
    if path.subresource and path.subresource not in resource.subresources:
        why = _UNSERVED.get(path.subresource)
        if why and resource.plural == "pods" and not resource.group:
            raise not_implemented(f"pods/{path.subresource} is not served: {why}")
        raise no_such_path()
    verb = _verb(resource, method, path)
    if path.name and (problems := path_segment(path.name)):
        raise bad_request(f'Name parameter invalid: "{path.name}": {"; ".join(problems)}')
    return Route(verb, resource, namespace, path.name, path.subresource)


def _verb(resource: Resource, method: str, path: ResourcePath) -> Verb:
    if path.subresource:
        verb = _SUBRESOURCE_VERBS.get(method)
        served = SUBRESOURCES[path.subresource].verbs
    else:
        verb = (_OBJECT_VERBS if path.name else _COLLECTION_VERBS).get(method)
        served = resource.verbs
    needs_namespace = resource.namespaced and not path.namespace
    if verb not in served or (needs_namespace and verb != "list"):
        raise method_not_allowed()
    return verb


def verb_of(method: str, path: ResourcePath) -> str:
    """Return the verb by which a request is authorized, also where nothing serves it."""
    if method == "POST":
        return "create"
    verbs = _OBJECT_VERBS if path.name else _COLLECTION_VERBS
    return verbs.get("GET" if method == "HEAD" else method, method.lower())
