"""Deletes what has lost its owners, and helps owners go that wait for their dependents.

Theory of operation: the graph holds every object by uid with the uids of its owners. An object is
looked at when it comes, when its owners change and when an owner goes. Without any owner left it
is deleted; with some left, references to the lost ones are dropped. An owner deleted in the
foreground waits for the dependents that block it; one deleted with orphaning waits until they have
let go of it.

Source: kubernetes v1.36 pkg/controller/garbagecollector/garbagecollector.go. differs: owners of
kinds that are not served count as present, as upstream cannot look them up either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pilotfish.api.meta import ApiStruct, OwnerReference
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.lists import put_list
from pilotfish.cluster.controllers.pod_index import Key, PodIndex
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import RESOURCES, TABLE, Resource
from pilotfish.cluster.store import Change

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
_STORED: Final = {
    resource.storage: resource
    for resource in reversed(RESOURCES)
    if resource.storage not in ("", "events")
}


class _Metadata(ApiStruct, frozen=True):
    uid: str = ""
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class _Object(ApiStruct, frozen=True):
    metadata: _Metadata = _Metadata()


class _Place(msgspec.Struct, frozen=True, gc=False):
    """Where an object is, and who owns it."""

    resource: Resource
    namespace: str
    name: str
    owners: tuple[str, ...]


_DECODER = msgspec.json.Decoder(_Object)


class GarbageCollector(Controller):
    """Keeps the graph of owners; keys are ("", uid)."""

    watches = tuple(reversed(_STORED.values()))

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._places: dict[str, _Place] = {}
        self._dependents: dict[str, dict[str, None]] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give the objects whose fate a change may decide."""
        del now
        uid = change.new.uid
        before = self._places.pop(uid, None)
        owners_before = before.owners if before else ()
        if change.type == "DELETED":
            self._link(uid, owners_before, ())
            return [("", key) for key in (*self._dependents.get(uid, ()), *owners_before)]
        meta = _DECODER.decode(change.new.body).metadata
        owners = tuple(reference.uid for reference in meta.owner_references)
        resource = _STORED[change.storage]
        self._places[uid] = _Place(resource, change.new.namespace, change.new.name, owners)
        if owners != owners_before:
            self._link(uid, owners_before, owners)
            return [("", key) for key in (uid, *owners_before)]
        is_waiting = meta.deletion_timestamp is not None and meta.finalizers
        if is_waiting or (change.old is None and owners):
            return [("", uid)]
        return ()

    def sync(self, key: Key, now: float) -> float | None:
        """Delete an object that has lost its owners, or let one go that waited."""
        uid = key[1]
        place = self._places.get(uid)
        if place is None:
            return None
        obj = self.client.get(place.resource, place.namespace, place.name)
        if obj is None or obj["metadata"]["uid"] != uid:
            return None
        finalizers = obj["metadata"].get("finalizers") or []
        if obj["metadata"].get("deletionTimestamp") is None:
            self._judge(place, obj, now)
        elif FOREGROUND in finalizers:
            self._wait_for_dependents(place, obj, now)
        elif ORPHAN in finalizers:
            for dependent in self._dependents_of(uid):
                self._drop_references(dependent, (uid,), now)
            self._remove_finalizer(place.resource, obj, ORPHAN, now)
        return None

    def _judge(self, place: _Place, obj: JsonObject, now: float) -> None:
        """Delete an object without owners, and drop references to lost ones."""
        references: Sequence[JsonObject] = obj["metadata"].get("ownerReferences") or []
        states = {reference["uid"]: self._state(place, reference) for reference in references}
        if not states or set(states.values()) == {"solid"}:
            return
        uid, finalizers = obj["metadata"]["uid"], obj["metadata"].get("finalizers") or []
        if "solid" in states.values():
            lost = [owner for owner, state in states.items() if state != "solid"]
            self._drop_references(place, lost, now)
            return
        policy = "Background"
        if ORPHAN in finalizers:
            policy = "Orphan"
        elif FOREGROUND in finalizers or (
            "waiting" in states.values() and self._dependents.get(uid)
        ):
            policy = "Foreground"
        self._delete(place, uid, policy, now)

    def _state(self, place: _Place, reference: JsonObject) -> str:
        """Say whether an owner is solid, absent, or waiting for its dependents to go."""
        resource = TABLE.of_kind(reference["apiVersion"], reference["kind"])
        if resource is None or not resource.storage:
            return "solid"
        namespace = place.namespace if resource.namespaced else ""
        stored = self.client.store.get(resource.storage, namespace, reference["name"])
        if stored is None or stored.uid != reference["uid"]:
            return "absent"
        meta = _DECODER.decode(stored.body).metadata
        waits = meta.deletion_timestamp is not None and FOREGROUND in meta.finalizers
        return "waiting" if waits else "solid"

    def _wait_for_dependents(self, place: _Place, obj: JsonObject, now: float) -> None:
        """Delete an owner's dependents, and let it go when none blocks it."""
        uid = obj["metadata"]["uid"]
        is_blocked = False
        for dependent in self._dependents_of(uid):
            found = self.client.get(dependent.resource, dependent.namespace, dependent.name)
            if found is None:
                continue
            references = found["metadata"].get("ownerReferences") or []
            is_blocked |= any(
                r["uid"] == uid and r.get("blockOwnerDeletion", False) for r in references
            )
            if found["metadata"].get("deletionTimestamp") is None:
                self._judge(dependent, found, now)
        if not is_blocked:
            self._remove_finalizer(place.resource, obj, FOREGROUND, now)

    def _dependents_of(self, uid: str) -> list[_Place]:
        return [self._places[key] for key in self._dependents.get(uid, ()) if key in self._places]

    def _link(self, uid: str, before: Iterable[str], owners: Iterable[str]) -> None:
        for owner in before:
            siblings = self._dependents.get(owner)
            if siblings is not None:
                siblings.pop(uid, None)
                if not siblings:
                    del self._dependents[owner]
        for owner in owners:
            self._dependents.setdefault(owner, {})[uid] = None

    def _drop_references(self, place: _Place, uids: Iterable[str], now: float) -> None:
        obj = self.client.get(place.resource, place.namespace, place.name)
        if obj is None:
            return
        references = obj["metadata"].get("ownerReferences") or []
        kept = [r for r in references if r["uid"] not in uids]
        put_list(obj["metadata"], "ownerReferences", kept)
        self.client.update(place.resource, obj, now)

    def _remove_finalizer(
        self, resource: Resource, obj: JsonObject, finalizer: str, now: float
    ) -> None:
        meta = obj["metadata"]
        put_list(meta, "finalizers", (f for f in meta["finalizers"] if f != finalizer))
        self.client.update(resource, obj, now)

    def _delete(self, place: _Place, uid: str, policy: str, now: float) -> None:
        try:
            self.client.delete(
                place.resource,
                place.namespace,
                place.name,
                now,
                uid=uid,
                propagation_policy=policy,
            )
        except StatusError as error:
            if error.reason not in ("NotFound", "Conflict"):  # gone, or another by that name
                raise
