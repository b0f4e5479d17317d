"""What a request asks for, as authorization sees it, and the words that refuse it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from pilotfish.api.selectors import MalformedSelectorError, parse_field_selector
from pilotfish.cluster import errors
from pilotfish.cluster.errors import GroupResource, StatusError, quote
from pilotfish.cluster.requests import ApiRequest, User

_NOT_LIKE_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class ResourceAttributes(msgspec.Struct, frozen=True, kw_only=True):
    """A request on a resource; without a namespace it is at the cluster scope."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def qualified(self) -> str:
        """The resource with its subresource, as in `pods/status`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class PathAttributes(msgspec.Struct, frozen=True, kw_only=True):
    """A request on a path that is no resource, such as `/healthz`; the verb is HTTP's."""

    verb: str
    path: str = ""


Attributes: TypeAlias = ResourceAttributes | PathAttributes


def request_attributes(request: ApiRequest) -> ResourceAttributes:
    """Give what a request is authorized by.

    A namespace lies in itself, and a list or watch of one name asks for that name.

    Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
    """
    resource = request.resource
    path_name = "" if request.verb == "create" and not request.subresource else request.name
    name = path_name
    if not name and request.verb in {"list", "watch"} and request.options.field_selector:
        name = _selected_name(request.options.field_selector)
    is_namespace = resource.plural == "namespaces" and not resource.group
    return ResourceAttributes(
        verb=request.verb,
        group=resource.group,
        resource=resource.plural,
        subresource=request.subresource,
        namespace=path_name if is_namespace else request.namespace,
        name=name,
    )


def _selected_name(field_selector: str) -> str:
    try:
        selector = parse_field_selector(field_selector)
    except MalformedSelectorError:
        return ""
    names = [r.value for r in selector.requirements if r.field == "metadata.name" and r.equal]
    return names[0] if names and not set(names[0]) & set("/%") else ""


def forbidden(user: User, attributes: Attributes, reason: str) -> StatusError:
    """Make the refusal of a request, with the reason that the authorizer gave.

    Source: kubernetes v1.36
        staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
    """
    who = f"User {quote(user.name)} cannot {attributes.verb}"
    match attributes:
        case PathAttributes(path=path):
            resource, name, what = None, "", f"{who} path {quote(path)}"
        case ResourceAttributes(group=group, namespace=namespace, name=name):
            resource = GroupResource(group, attributes.resource) if attributes.resource else None
            where = f"in the namespace {quote(namespace)}" if namespace else "at the cluster scope"
            what = (
                f"{who} resource {quote(attributes.qualified)} in API group {quote(group)} {where}"
            )
    why = what.translate(_NOT_LIKE_HTML)
    return errors.forbidden(resource, name, f"{why}: {reason}" if reason else why)
