"""Requests in somebody else's name, as `kubectl --as` sends them.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation.
    differs: only the verb `impersonate` allows it; the verbs `impersonate-on:...`, which allow it
    for some kinds of request, are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pilotfish.cluster.authentication import ANONYMOUS, AUTHENTICATED
from pilotfish.cluster.errors import bad_request
from pilotfish.cluster.rbac.attributes import ResourceAttributes
from pilotfish.cluster.rbac.authorizer import Authorizer
from pilotfish.cluster.requests import User
from pilotfish.cluster.validation.names import dns_label, dns_subdomain

_EXTRA_PREFIX: Final = "impersonate-extra-"
_ACCOUNT_PREFIX: Final = "system:serviceaccount:"
_GROUP: Final = "authentication.k8s.io"
_ESCAPED: Final = re.compile(rb"%([0-9a-fA-F]{2})")


def impersonated(authorizer: Authorizer, user: User, headers: Iterable[tuple[str, str]]) -> User:
    """Give the user in whose name a request is: the one whom its headers name, if any.

    Raises:
        StatusError: The user may not, or the headers name nobody.
    """
    wanted = _wanted(headers)
    if wanted is None:
        return user
    for attributes in _attributes(wanted):
        authorizer.require(user, attributes)
    return _complete(wanted)


def _wanted(headers: Iterable[tuple[str, str]]) -> User | None:
    """Give the user as the headers name him; None where they do not."""
    name = uid = ""
    groups: list[str] = []
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in headers:
        match header.lower():
            case "impersonate-user":
                name = name or value
            case "impersonate-uid":
                uid = uid or value
            case "impersonate-group":
                groups.append(value)
            case other if other.startswith(_EXTRA_PREFIX):
                key = _unescaped(other.removeprefix(_EXTRA_PREFIX))
                extra[key] = (*extra.get(key, ()), value)
    if name:
        return User(name, tuple(groups), uid, extra)
    if uid or groups or extra:
        raise bad_request("impersonation headers need Impersonate-User to name a user")
    return None


def _attributes(wanted: User) -> Iterator[ResourceAttributes]:
    """Give what one must be allowed in order to be this user."""
    if (account := _service_account(wanted.name)) is not None:
        namespace, name = account
        yield _impersonate("serviceaccounts", name, namespace=namespace)
    else:
        yield _impersonate("users", wanted.name)
    for group in wanted.groups:
        yield _impersonate("groups", group)
    for key, values in wanted.extra.items():
        for value in values:
            yield _impersonate("userextras", value, group=_GROUP, subresource=key)
    if wanted.uid:
        yield _impersonate("uids", wanted.uid, group=_GROUP)


def _complete(wanted: User) -> User:
    """Add the groups that come of themselves."""
    groups = wanted.groups
    if not groups and (account := _service_account(wanted.name)) is not None:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{account[0]}")
    everybody = (AUTHENTICATED, *ANONYMOUS.groups)
    if wanted.name == ANONYMOUS.name:
        groups = tuple(dict.fromkeys((*groups, *ANONYMOUS.groups)))
    elif not set(everybody) & set(groups):
        groups = (*groups, AUTHENTICATED)
    return User(wanted.name, groups, wanted.uid, wanted.extra)


def _impersonate(
    resource: str, name: str, *, group: str = "", subresource: str = "", namespace: str = ""
) -> ResourceAttributes:
    return ResourceAttributes(
        verb="impersonate",
        group=group,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )


def _service_account(user_name: str) -> tuple[str, str] | None:
    """Give the namespace and name in a ServiceAccount's user name."""
    namespace, _, name = user_name.removeprefix(_ACCOUNT_PREFIX).partition(":")
    if not user_name.startswith(_ACCOUNT_PREFIX) or dns_label(namespace) or dns_subdomain(name):
        return None
    return namespace, name


def _unescaped(key: str) -> str:
    raw = _ESCAPED.sub(lambda found: bytes((int(found[1], 16),)), key.encode())
    return raw.decode(errors="replace")
