"""Feed: turns what a reflector tells about one kind into the scheduler's inputs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import assert_never

import msgspec

from pilotfish.api.codec import MalformedObjectError, decode, decode_list
from pilotfish.api.meta import KubernetesObject, ObjectMeta
from pilotfish.api.node import Node
from pilotfish.api.node_metrics import NodeMetrics
from pilotfish.api.pod import Pod
from pilotfish.api.volumes import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from pilotfish.api.workloads import (
    Namespace,
    PodDisruptionBudget,
    ReplicaSet,
    ReplicationController,
    Service,
    StatefulSet,
)
from pilotfish.client import (
    Apply,
    Bookmark,
    Delete,
    Event,
    Init,
    InitApply,
    InitDone,
    Malformed,
    Reflector,
)
from pilotfish.core.cache_writers import NODE_METRICS
from pilotfish.core.inputs import Applied, Deleted, Input, Replaced, Unreadable
from pilotfish.framework.errors import ProfileError


class Kind(msgspec.Struct, frozen=True):
    """A kind that the scheduler reads.

    Attributes:
        name: its plural.
        path: its collection, in all namespaces.
        type: its objects.
        is_essential: whether nothing can be decided without it.
        is_watchable: whether it can be watched; others are listed from time to time, in any mode.
    """

    name: str
    path: str
    type: type[KubernetesObject]
    is_essential: bool = True
    is_watchable: bool = True


KINDS = (
    Kind("nodes", "/api/v1/nodes", Node),
    Kind("pods", "/api/v1/pods", Pod),
    Kind("namespaces", "/api/v1/namespaces", Namespace, is_essential=False),
    Kind("services", "/api/v1/services", Service, is_essential=False),
    Kind(
        "replicationcontrollers",
        "/api/v1/replicationcontrollers",
        ReplicationController,
        is_essential=False,
    ),
    Kind("replicasets", "/apis/apps/v1/replicasets", ReplicaSet, is_essential=False),
    Kind("statefulsets", "/apis/apps/v1/statefulsets", StatefulSet, is_essential=False),
    Kind(
        "poddisruptionbudgets",
        "/apis/policy/v1/poddisruptionbudgets",
        PodDisruptionBudget,
        is_essential=False,
    ),
    Kind(
        NODE_METRICS,
        "/apis/metrics.k8s.io/v1beta1/nodes",
        NodeMetrics,
        is_essential=False,
        is_watchable=False,
    ),
    Kind("persistentvolumes", "/api/v1/persistentvolumes", PersistentVolume, is_essential=False),
    Kind(
        "persistentvolumeclaims",
        "/api/v1/persistentvolumeclaims",
        PersistentVolumeClaim,
        is_essential=False,
    ),
    *(
        Kind(kind, f"/apis/storage.k8s.io/v1/{kind}", of_storage, is_essential=False)
        for kind, of_storage in (
            ("storageclasses", StorageClass),
            ("csinodes", CSINode),
            ("csidrivers", CSIDriver),
            ("csistoragecapacities", CSIStorageCapacity),
            ("volumeattachments", VolumeAttachment),
        )
    ),
)


def kinds_for(reads: Collection[str]) -> list[Kind]:
    """List the kinds without which nothing is decided, and those that a profile reads.

    Raises:
        ProfileError: a plugin reads a kind that is not known here.
    """
    names = {kind.name for kind in KINDS}
    unknown = ", ".join(sorted(set(reads) - names))
    if unknown:
        known = ", ".join(sorted(names))
        raise ProfileError(
            f"a plugin reads {unknown}, which the scheduler does not know",
            f"the kinds that its `reads` may name are {known}",
        )
    return [kind for kind in KINDS if kind.is_essential or kind.name in reads]


def reflector_of(kind: Kind) -> Reflector[KubernetesObject]:
    """Make the state machine that lists and watches a kind."""

    def decode_one(raw: bytes | msgspec.Raw) -> KubernetesObject:
        return decode(kind.type, raw)

    def decode_page(body: bytes) -> Sequence[KubernetesObject]:
        page = decode_list(kind.type, body)
        if page.malformed:
            raise page.malformed[0]  # then each is decoded by itself
        return page.items

    return Reflector(decode_one, decode_page=decode_page, malformed=MalformedObjectError)


class Feed:
    """Passes one kind's news on.

    An object that cannot be read is reported, once for each thing that is wrong with it, and
    concerns the scheduler as `Unreadable`; nothing else is affected.

    Args:
        kind: what is fed.
        put: takes the inputs.
        log: where malformed objects are reported.
        on_list: called with all readable objects of each complete list.
    """

    def __init__(
        self,
        kind: Kind,
        put: Callable[[Input], None],
        log: logging.Logger,
        *,
        on_list: Callable[[Sequence[KubernetesObject]], None] | None = None,
    ) -> None:
        self._kind = kind
        self._put = put
        self._log = log
        self._on_list = on_list
        self._objects: list[KubernetesObject] = []
        self._unreadable: list[str] | None = None  # of an unfinished list; None outside of one
        self._reported: dict[str, str] = {}  # what is wrong, by uid

    def take(self, event: Event[KubernetesObject]) -> None:
        """Take what the reflector tells."""
        match event:
            case InitApply(object=listed):
                self._objects.append(listed)
            case Apply(object=applied):
                if self._reported:
                    self._reported.pop(applied.uid, None)
                self._put(Applied(self._kind.name, applied))
            case Delete(object=deleted):
                self._reported.pop(deleted.uid, None)
                self._put(Deleted(self._kind.name, deleted))
            case Init():
                self._objects, self._unreadable = [], []
            case InitDone():
                self._finish_list()
            case Malformed():
                self._malformed(event)
            case Bookmark():
                pass
            case _:
                assert_never(event)

    def _finish_list(self) -> None:
        objects, unreadable = self._objects, self._unreadable or []
        self._objects, self._unreadable = [], None
        self._reported = {uid: why for uid, why in self._reported.items() if uid in unreadable}
        self._put(Replaced(self._kind.name, tuple(objects), tuple(unreadable)))
        if self._on_list is not None:
            self._on_list(objects)

    def _malformed(self, event: Malformed) -> None:
        if event.deleted:
            self._reported.pop(event.uid, None)
            identity = ObjectMeta(name=event.name, namespace=event.namespace, uid=event.uid)
            self._put(Deleted(self._kind.name, self._kind.type(metadata=identity)))
            return
        why = str(event.error)
        if self._reported.get(event.uid) != why:
            self._reported[event.uid] = why
            self._log.error("%s; it is passed over until that is mended", why)
        if self._unreadable is not None:
            self._unreadable.append(event.uid)
        else:
            self._put(Unreadable(self._kind.name, event.namespace, event.name, event.uid))
