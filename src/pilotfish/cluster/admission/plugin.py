"""The interface of admission plugins.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/admission/interfaces.go. differs: one
    call, before the object is prepared and validated; upstream's second call sees the final object.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from pilotfish.cluster.errors import Cause, StatusError, forbidden
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.requests import User
from pilotfish.cluster.resources import Resource

Operation = Literal["create", "update", "delete"]


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A write that is looked at."""

    operation: Operation
    resource: Resource
    subresource: str
    namespace: str
    name: str
    """Empty for a create whose name is yet to be generated."""
    user: User
    now: float
    new: JsonObject | None = None
    """The object as it is to be; plugins may change it. None for a delete."""
    old: JsonObject | None = None
    """The object as it is, not to be changed. None for a create."""


class AdmissionPlugin(Protocol):
    """Looks at every write."""

    def admit(self, review: Review) -> None:
        """Let a write pass, perhaps changed.

        Raises:
            StatusError: The write is refused.
        """
        ...


def refuse(review: Review, why: str, causes: tuple[Cause, ...] = ()) -> StatusError:
    """Make the refusal of a write; one that is yet to be named goes by its generateName."""
    metadata = (review.new or {}).get("metadata") or {}
    name = review.name or metadata.get("name") or metadata.get("generateName") or "Unknown"
    error = forbidden(review.resource, name, why)
    if causes and error.details is not None:
        error.details = msgspec.structs.replace(error.details, causes=causes)
    return error
