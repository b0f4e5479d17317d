"""What the cluster is asked and what it answers, free of HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import msgspec

from pilotfish.cluster.objects import Stored
from pilotfish.cluster.resources import Resource

Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
FieldValidation = Literal["Strict", "Warn", "Ignore"]

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"


class User(msgspec.Struct, frozen=True):
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


SYSTEM: Final = User("system:apiserver", ("system:masters", "system:authenticated"))
"""The cluster itself, its controllers and kubelets; known by identity, allowed everything."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says beside its object: query parameters, and the body of a delete."""

    dry_run: bool = False
    field_validation: FieldValidation = "Strict"
    field_manager: str = ""
    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    grace_period_seconds: int | None = None
    """Seconds until a pod is gone; None takes the pod's own, 0 deletes at once."""
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None
    precondition_uid: str | None = None
    precondition_resource_version: str | None = None
    allow_watch_bookmarks: bool = False
    send_initial_events: bool | None = None
    timeout_seconds: int | None = None


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request on one resource."""

    verb: Verb
    resource: Resource
    user: User
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: Any = None
    """The decoded JSON: an object, or a list where it is a JSON patch; None without a body."""
    duplicates: frozenset[str] = frozenset()
    """Paths of the fields that the body's text named twice."""
    patch_type: str = ""
    options: Options = Options()
    warnings: list[str] = msgspec.field(default_factory=list)
    """What the client is to be told beside the answer, also beside a refusal."""


class ApiAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request came to; refusals are raised as StatusError instead."""

    code: int
    resource: Resource
    body: bytes
    """The JSON of an object, a list or a Status; of a long list the beginning."""
    more: Iterator[bytes] | None = None
    """The rest of a long list's JSON, made as it is sent."""
    items: Sequence[Stored] | None = None
    """What was read or written, for Tables; None for a Status or what is not stored."""
