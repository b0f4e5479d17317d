"""Requests that the scheduler's effects become, and what the answers mean. Pure."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import msgspec

from pilotfish.api.codec import decode_list
from pilotfish.api.pod import DISRUPTION_TARGET, PREEMPTION_BY_SCHEDULER, Pod
from pilotfish.client import ApiError, ConnectionFailed, CredentialsError
from pilotfish.core.effects import Bind, EvictPod, PatchCondition, PatchNomination, ReadPod
from pilotfish.core.inputs import BindAnswered, PodRead
from pilotfish.framework import Patch

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

_NOT_FOUND, _TIMED_OUT, _CONFLICT = 404, 408, 409
_SERVER_ERROR = 500
_CLIENT_ERROR = 400

_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request to the API server."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str = JSON


class _Metadata(msgspec.Struct, frozen=True, gc=False):
    uid: str


class _BindingMetadata(msgspec.Struct, frozen=True, gc=False):
    name: str
    namespace: str
    uid: str  # a precondition: a namesake made since is not bound


class _Target(msgspec.Struct, frozen=True, gc=False):
    name: str
    kind: str = "Node"


class _Binding(msgspec.Struct, frozen=True, rename="camel"):
    metadata: _BindingMetadata
    target: _Target
    api_version: str = "v1"
    kind: str = "Binding"


class _Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    reason: str
    message: str
    observed_generation: int
    last_transition_time: str | msgspec.UnsetType
    type: str = "PodScheduled"
    status: str = "False"


class _Status(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    conditions: tuple[_Condition, ...] = ()
    nominated_node_name: str | msgspec.UnsetType | None = msgspec.UNSET  # null deletes it


class _StatusPatch(msgspec.Struct, frozen=True):
    metadata: _Metadata  # the uid is a precondition here too
    status: _Status


class _Preconditions(msgspec.Struct, frozen=True):
    uid: str


class _DeleteOptions(msgspec.Struct, frozen=True, rename="camel"):
    preconditions: _Preconditions
    api_version: str = "v1"
    kind: str = "DeleteOptions"


def bind_request(bind: Bind) -> Request:
    """Make the request for a Binding of the pod of this uid."""
    binding = _Binding(
        _BindingMetadata(bind.name, bind.namespace, bind.uid), _Target(bind.node_name)
    )
    path = f"/api/v1/namespaces/{bind.namespace}/pods/{bind.name}/binding"
    return Request("POST", path, _encode(binding))


def read_request(read: ReadPod) -> Request:
    """Make the request for a pod as it is in the store.

    It is a list of one, so that schedulers need no permission to get pods; without a
    resourceVersion it is not answered from a cache that lags behind.
    """
    selector = quote(f"metadata.name={read.name}", safe="")
    return Request("GET", f"/api/v1/namespaces/{read.namespace}/pods?fieldSelector={selector}")


def condition_request(patch: PatchCondition, now: str) -> Request:
    """Make the request that sets PodScheduled=False.

    Args:
        patch: what to set.
        now: RFC 3339 text, the time of the transition if it is one.
    """
    since = now if patch.is_transition else msgspec.UNSET
    condition = _Condition(patch.reason, patch.message, patch.observed_generation, since)
    nominated: str | msgspec.UnsetType | None = msgspec.UNSET
    if patch.nominated_node_name is not None:
        nominated = patch.nominated_node_name or None
    return _status_request(patch, _Status((condition,), nominated))


def nomination_request(patch: PatchNomination) -> Request:
    """Make the request that sets or clears the pod's nominated node."""
    return _status_request(patch, _Status(nominated_node_name=patch.node_name or None))


def disruption_request(evict: EvictPod, now: str) -> Request:
    """Make the request that says why a pod is about to be deleted.

    Source: kubernetes v1.36 pkg/scheduler/framework/preemption/executor.go.
    """
    condition = _Condition(
        PREEMPTION_BY_SCHEDULER,
        evict.message,
        evict.observed_generation,
        now,
        DISRUPTION_TARGET,
        "True",
    )
    return _status_request(evict, _Status((condition,)))


def delete_request(evict: EvictPod) -> Request:
    """Make the request that deletes the pod of this uid, in its own time."""
    path = f"/api/v1/namespaces/{evict.namespace}/pods/{evict.name}"
    return Request("DELETE", path, _encode(_DeleteOptions(_Preconditions(evict.uid))))


def patch_request(patch: Patch) -> Request:
    """Make the request that a plugin asks for."""
    group = "api" if "/" not in patch.api_version else "apis"
    within = f"/namespaces/{patch.namespace}" if patch.namespace else ""
    path = f"/{group}/{patch.api_version}{within}/{patch.kind}/{patch.name}"
    preconditions = {"uid": patch.uid, "resourceVersion": patch.resource_version}
    given = {name: value for name, value in preconditions.items() if value}
    body = {**patch.body, "metadata": {**patch.body.get("metadata", {}), **given}}
    return Request("PATCH", path, _encode(body), MERGE_PATCH)


def _status_request(
    effect: PatchCondition | PatchNomination | EvictPod, status: _Status
) -> Request:
    path = f"/api/v1/namespaces/{effect.namespace}/pods/{effect.name}/status"
    body = _StatusPatch(_Metadata(effect.uid), status)
    return Request("PATCH", path, _encode(body), STRATEGIC_MERGE_PATCH)


def bind_failure(bind: Bind, error: Exception) -> BindAnswered:
    """Say what a failed bind means: did it surely not happen, or is that not known?"""
    status = error.status if isinstance(error, ApiError) else 0
    return BindAnswered(bind.uid, bind.node_name, _outcome(error), status, text_of(error))


def text_of(error: Exception) -> str:
    """Say what went wrong, in the server's own words where it has some."""
    return (error.message or str(error)) if isinstance(error, ApiError) else describe(error)


def _outcome(error: Exception) -> Literal["refused", "unknown"]:
    match error:
        case ApiError(status=status):
            # 409 also answers a request that a proxy sent twice: the first one may have bound.
            is_certain = _CLIENT_ERROR <= status < _SERVER_ERROR
            return "refused" if is_certain and status not in (_TIMED_OUT, _CONFLICT) else "unknown"
        case ConnectionFailed(outcome_unknown=False) | CredentialsError():
            return "refused"
        case _:
            return "unknown"


def pod_read(read: ReadPod, body: bytes) -> PodRead:
    """Say what a read found; a pod of another uid is another pod."""
    try:
        page = decode_list(Pod, body)
    except msgspec.DecodeError as error:
        return PodRead(read.uid, error=f"the answer is no list: {error}")
    for broken in page.malformed:
        if broken.uid in ("", read.uid):
            return PodRead(read.uid, error=str(broken))
    return PodRead(read.uid, next((pod for pod in page.items if pod.uid == read.uid), None))


def is_gone(error: Exception) -> bool:
    """Whether there is no such pod any more."""
    return isinstance(error, ApiError) and error.status == _NOT_FOUND


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later: no answer, 408, or the server's own trouble."""
    if isinstance(error, ApiError):
        return error.status >= _SERVER_ERROR or error.status == _TIMED_OUT
    return isinstance(error, ConnectionFailed)


def describe(error: BaseException) -> str:
    """Return a failure in few words: the system's own where it was the system that said no."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        cause = getattr(cause, "os_error", None) or cause.__cause__
    return str(error) or type(error).__name__
