"""What plugins say between the choice of a node and the bind: see `Plugin` for when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.rejection import Rejection


class Assume(msgspec.Struct, frozen=True):
    """From `reserve`: these objects count from now on as if the API server had said so.

    Each counts until the API server says something newer of it, or the pod is unreserved. It keeps
    the resourceVersion of the object that it is made of: that is what "newer" is measured by.

    Attributes:
        objects: each with its kind, in the plural; the kind is one of the plugin's `assumes`.
    """

    objects: tuple[tuple[str, KubernetesObject], ...]


class WaitingPod(msgspec.Struct, frozen=True):
    """A pod that waits at a plugin's `permit`; it counts on its node meanwhile."""

    pod: Pod
    node_name: str

    @property
    def uid(self) -> str:
        """The pod's identity."""
        return self.pod.metadata.uid


class Wait(msgspec.Struct, frozen=True):
    """From `permit`: the pod waits until this plugin allows or denies it, or the time is over.

    Attributes:
        timeout_seconds: at most 15 minutes; a longer one is cut to that.
    """

    timeout_seconds: float


class Allow(msgspec.Struct, frozen=True):
    """From `permit`: the pod need not wait, and those that wait at this plugin need no longer.

    Attributes:
        uids: of the pods that waited; others are passed over.
    """

    uids: tuple[str, ...]


class Deny(msgspec.Struct, frozen=True):
    """From `unreserve`: pods that wait at this plugin have waited in vain.

    Attributes:
        uids: of the pods; others are passed over.
        reason: as in a Rejection.
    """

    uids: tuple[str, ...]
    reason: str


class Patch(msgspec.Struct, frozen=True):
    """A JSON merge patch of one object. A server that refuses it fails the binding cycle.

    Attributes:
        kind: the plural of the API: "persistentvolumeclaims".
        body: what changes; a null deletes.
        namespace: empty for cluster-scoped kinds.
        api_version: "v1", "apps/v1", "example.com/v1".
        uid: of the object, as a precondition; empty leaves it out.
        resource_version: that the object must still have; empty leaves it out.
    """

    kind: str
    name: str
    body: Mapping[str, Any]
    namespace: str = ""
    api_version: str = "v1"
    uid: str = ""
    resource_version: str = ""


class PreBind(msgspec.Struct, frozen=True):
    """From `pre_bind`: what is to be written, and what is to be waited for, before the bind.

    Attributes:
        writes: one after the other; the first that fails ends it.
        until: asked with the cluster once all is written, and again at news of the kinds that the
            plugin `reads`, until it says True; a Rejection ends it. None waits for nothing.
        timeout_seconds: for writes and wait together.
        timeout_message: the error when the time is over.
    """

    writes: tuple[Patch, ...] = ()
    until: Callable[[Cluster], bool | Rejection] | None = None
    timeout_seconds: float = 600.0
    timeout_message: str = "timed out"
