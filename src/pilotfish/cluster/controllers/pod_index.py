"""What controllers know of every pod, small, and found by owner, node and namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pilotfish.api.meta import ApiStruct, OwnerReference
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.objects import Stored, shared
from pilotfish.cluster.store import Change

Key = tuple[str, str]
"""Namespace and name of an object."""

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
COMPLETION_INDEX: Final = "batch.kubernetes.io/job-completion-index"


class _Metadata(ApiStruct, frozen=True):
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class _Spec(ApiStruct, frozen=True):
    node_name: str = ""


class _Condition(ApiStruct, frozen=True):
    type: str = ""
    status: str = ""
    last_transition_time: str | None = None


class _ContainerStatus(ApiStruct, frozen=True):
    restart_count: int = 0


class _Status(ApiStruct, frozen=True):
    phase: str = ""
    conditions: tuple[_Condition, ...] = ()
    container_statuses: tuple[_ContainerStatus, ...] = ()
    init_container_statuses: tuple[_ContainerStatus, ...] = ()


class _Pod(ApiStruct, frozen=True):
    metadata: _Metadata = _Metadata()
    spec: _Spec = _Spec()
    status: _Status = _Status()


_DECODER = msgspec.json.Decoder(_Pod)


class PodInfo(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What controllers read of a pod."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    owner: OwnerReference | None
    """The reference to its controller."""
    has_owner: bool
    node_name: str
    phase: str
    is_terminating: bool
    ready_since: float | None
    created: float
    max_restarts: int
    total_restarts: int
    deletion_cost: int
    completion_index: int | None
    finalizers: tuple[str, ...]

    @property
    def key(self) -> Key:
        """Where it is stored."""
        return (self.namespace, self.name)

    @property
    def owner_uid(self) -> str:
        """The uid of its controller, or the empty text."""
        return self.owner.uid if self.owner else ""

    @property
    def is_ready(self) -> bool:
        """Whether its condition Ready is True."""
        return self.ready_since is not None

    @property
    def is_finished(self) -> bool:
        """Whether all its containers have ended for good."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def is_active(self) -> bool:
        """Whether it counts as a replica."""
        return not self.is_finished and not self.is_terminating

    def is_available(self, min_ready_seconds: int, now: float) -> bool:
        """Say whether it has been ready for long enough."""
        if self.ready_since is None:
            return False
        return not min_ready_seconds or self.ready_since + min_ready_seconds <= now

    def owned_by(self, kind: str) -> Key | None:
        """Give the key of its controller if that is of this kind."""
        if self.owner is None or self.owner.kind != kind:
            return None
        return (self.namespace, self.owner.name)


def pod_info(stored: Stored) -> PodInfo:
    """Read a stored pod."""
    pod = _DECODER.decode(stored.body)
    meta, status = pod.metadata, pod.status
    ready = next((c for c in status.conditions if c.type == "Ready" and c.status == "True"), None)
    restarts = [c.restart_count for c in status.container_statuses]
    init_restarts = [c.restart_count for c in status.init_container_statuses]
    return PodInfo(
        namespace=stored.namespace,
        name=stored.name,
        uid=stored.uid,
        labels=stored.labels,
        owner=next((r for r in meta.owner_references if r.controller), None),
        has_owner=bool(meta.owner_references),
        node_name=shared(pod.spec.node_name),
        phase=shared(status.phase),
        is_terminating=meta.deletion_timestamp is not None,
        ready_since=(parse_time(ready.last_transition_time) or 0.0) if ready else None,
        created=parse_time(meta.creation_timestamp) or 0.0,
        max_restarts=max(restarts, default=0),
        total_restarts=sum(restarts) + sum(init_restarts),
        deletion_cost=_int(meta.annotations.get(DELETION_COST)) or 0,
        completion_index=_int(meta.annotations.get(COMPLETION_INDEX)),
        finalizers=meta.finalizers,
    )


class PodIndex:
    """All pods, kept from changes; orders are those in which pods were first seen."""

    def __init__(self) -> None:
        self._pods: dict[Key, PodInfo] = {}
        self._by_owner: dict[str, dict[Key, PodInfo]] = {}
        self._by_node: dict[str, dict[Key, PodInfo]] = {}
        self._by_namespace: dict[str, dict[Key, PodInfo]] = {}
        self._orphans: dict[str, dict[Key, PodInfo]] = {}

    def get(self, key: Key) -> PodInfo | None:
        """Give a pod."""
        return self._pods.get(key)

    def owned(self, uid: str) -> Sequence[PodInfo]:
        """Give the pods whose controller has this uid."""
        return list(self._by_owner.get(uid, {}).values())

    def orphans(self, namespace: str) -> Sequence[PodInfo]:
        """Give the pods of a namespace that no controller owns."""
        return list(self._orphans.get(namespace, {}).values())

    def on_node(self, node_name: str) -> Sequence[PodInfo]:
        """Give the pods bound to a node; the empty name gives the unbound ones."""
        return list(self._by_node.get(node_name, {}).values())

    def in_namespace(self, namespace: str) -> Sequence[PodInfo]:
        """Give the pods of a namespace."""
        return list(self._by_namespace.get(namespace, {}).values())

    def apply(self, change: Change) -> tuple[PodInfo | None, PodInfo | None]:
        """Take in a change of a pod, and give what was and what is."""
        key = (change.new.namespace, change.new.name)
        old = self._pods.pop(key, None) if change.type == "DELETED" else self._pods.get(key)
        new = None if change.type == "DELETED" else pod_info(change.new)
        for index, was, now in (
            (self._by_owner, _owner_place(old), _owner_place(new)),
            (self._orphans, _orphan_place(old), _orphan_place(new)),
            (self._by_node, _node_place(old), _node_place(new)),
            (self._by_namespace, key[0] if old else None, key[0] if new else None),
        ):
            _move(index, key, was, now, new)
        if new is not None:
            self._pods[key] = new
        return old, new


def _owner_place(pod: PodInfo | None) -> str | None:
    return pod.owner.uid if pod is not None and pod.owner else None


def _orphan_place(pod: PodInfo | None) -> str | None:
    return pod.namespace if pod is not None and pod.owner is None else None


def _node_place(pod: PodInfo | None) -> str | None:
    return None if pod is None else pod.node_name


def _move(
    index: dict[str, dict[Key, PodInfo]],
    key: Key,
    was: str | None,
    now: str | None,
    pod: PodInfo | None,
) -> None:
    """Bring a pod's entry from one place, None for nowhere, to another."""
    if was is not None and was != now:
        pods = index[was]
        del pods[key]
        if not pods:
            del index[was]
    if now is not None and pod is not None:
        index.setdefault(now, {})[key] = pod


def _int(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None
