"""Permissions: a scheduler that may not bind says so at its start, not pod by pod."""

from __future__ import annotations

import msgspec

from pilotfish.client import ApiClient, ApiError
from pilotfish.runtime.trouble import StartError

PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
MAY_I_BIND = msgspec.json.encode(
    {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {"verb": "create", "resource": "pods", "subresource": "binding"}
        },
    }
)


class _Status(msgspec.Struct, frozen=True):
    allowed: bool


class _Review(msgspec.Struct, frozen=True):
    status: _Status


async def require_permission_to_bind(client: ApiClient) -> None:
    """Raise unless pods of every namespace may be bound; a server that cannot tell is believed.

    Raises:
        StartError: they may not.
        ConnectionFailed: the API server does not answer.
    """
    try:
        response = await client.request("POST", PATH, body=MAY_I_BIND)
    except ApiError:
        return
    if not msgspec.json.decode(response.body, type=_Review).status.allowed:
        raise StartError(
            "the credentials may not bind pods: create on pods/binding is forbidden",
            hint="grant the verb create on pods/binding with a ClusterRole and a "
            "ClusterRoleBinding, so that it holds in every namespace; --dry-run needs none",
        )
