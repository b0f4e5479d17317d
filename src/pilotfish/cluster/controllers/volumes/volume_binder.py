"""PersistentVolumes and claims: binding, phases, provisioning, reclaiming.

Theory of operation: a claim without a volume takes one that names it, else the smallest that
suits it, else it is provisioned for if its class can; with WaitForFirstConsumer it first waits for
the scheduler to name a node. Both objects are written at once, the volume first. A volume whose
claim is gone is released, and deleted if it was provisioned to be.

Source: kubernetes v1.36 pkg/controller/volume/persistentvolume/pv_controller.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.pod_index import Key, PodIndex
from pilotfish.cluster.controllers.volumes.volume_index import VolumeIndex
from pilotfish.cluster.controllers.volumes.volume_matching import (
    best_match,
    class_of,
    is_claimed_by,
    mismatch,
)
from pilotfish.cluster.controllers.volumes.volume_provisioning import (
    PROVISIONED_BY,
    provisioned_volume,
)
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder, reference
from pilotfish.cluster.kinds import (
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    STORAGE_CLASSES,
)
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Change

BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
STORAGE_PROVISIONER: Final = "volume.kubernetes.io/storage-provisioner"
BETA_STORAGE_PROVISIONER: Final = "volume.beta.kubernetes.io/storage-provisioner"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
PENDING: Final = ("", "")  # stands for all claims that wait
RETRIES_PER_SYNC: Final = 50


class VolumeBinder(Controller):
    """Tends claims and volumes; volumes' keys have no namespace, and PENDING has no name either."""

    watches = (PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("persistentvolume-controller", PERSISTENT_VOLUME_CLAIMS)

        self._volumes = VolumeIndex()
        self._pending: dict[Key, None] = {}
        self._retries: deque[Key] = deque()
        self._has_news = False

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give the object, and the other side of its binding, or the claims that may now bind."""
        own = super().observe(change, now)
        if change.storage == STORAGE_CLASSES.storage:
            self._has_news = True
            return [PENDING]
        if change.storage == PERSISTENT_VOLUME_CLAIMS.storage:
            self._note_claim(change)
            volume = change.new.decode()["spec"].get("volumeName")
            return [*own, ("", volume)] if volume else own
        found = change.new.decode()
        if change.type == "DELETED":
            self._volumes.remove(change.new.name)
        else:
            self._volumes.put(found)
        claimed = found["spec"].get("claimRef") or {}
        if claimed:
            return [*own, (claimed.get("namespace", ""), claimed.get("name", ""))]
        self._has_news = True
        return [*own, PENDING]

    def sync(self, key: Key, now: float) -> float | None:
        """Bring a claim or a volume one step on, or some of the claims that wait."""
        if key == PENDING:
            return self._retry(now)
        if key[0]:
            claim = self.client.get(PERSISTENT_VOLUME_CLAIMS, *key)
            if claim is not None and claim["metadata"].get("deletionTimestamp") is None:
                self._sync_claim(claim, now)
        else:
            volume = self.client.get(PERSISTENT_VOLUMES, *key)
            if volume is not None:
                self._sync_volume(volume, now)
        return None

    def _note_claim(self, change: Change) -> None:
        key = (change.new.namespace, change.new.name)
        if change.type == "DELETED" or BIND_COMPLETED.encode() in change.new.body:
            self._pending.pop(key, None)
        else:
            self._pending[key] = None

    def _retry(self, now: float) -> float | None:
        """Look again at claims that wait for a volume, at some of them a time."""
        if self._has_news and not self._retries:
            self._has_news = False
            self._retries.extend(self._pending)
        for _ in range(min(RETRIES_PER_SYNC, len(self._retries))):
            claim = self._retries.popleft()
            try:
                self.sync(claim, now)
            except StatusError:
                self._retries.append(claim)  # others do not wait for it
                raise
        return now if self._retries or self._has_news else None

    def _candidates(self, claim: JsonObject) -> Iterator[JsonObject]:
        """Give the volumes that name a claim, then free ones, the smallest first."""
        for name in self._volumes.candidates(claim):
            if (volume := self.client.get(PERSISTENT_VOLUMES, "", name)) is not None:
                yield volume

    def _sync_claim(self, claim: JsonObject, now: float) -> None:
        name = claim["spec"].get("volumeName")
        annotations = claim["metadata"].get("annotations") or {}
        if BIND_COMPLETED in annotations:
            self._check_bound(claim, now)
            return
        if not name:
            self._find_volume(claim, now)
            return
        volume = self.client.get(PERSISTENT_VOLUMES, "", name)
        if volume is None:
            self._set_claim_phase(claim, "Pending", now)
        elif not volume["spec"].get("claimRef") or is_claimed_by(volume, claim):
            if (why := mismatch(volume, claim)) is not None:
                message = f'Cannot bind to requested volume "{name}": {why}'
                self._events.warning(claim, "VolumeMismatch", message, now)
                self._set_claim_phase(claim, "Pending", now)
            else:
                self._bind(volume, claim, now)
        else:
            message = f'volume "{name}" already bound to a different claim.'
            self._events.warning(claim, "FailedBinding", message, now)
            self._set_claim_phase(claim, "Pending", now)

    def _check_bound(self, claim: JsonObject, now: float) -> None:
        name = claim["spec"].get("volumeName")
        volume = self.client.get(PERSISTENT_VOLUMES, "", name) if name else None
        if volume is not None and is_claimed_by(volume, claim):
            self._bind(volume, claim, now)
        elif (claim.get("status") or {}).get("phase") != "Lost":
            message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            claim["status"] = {"phase": "Lost"}
            claim = self.client.update_status(PERSISTENT_VOLUME_CLAIMS, claim, now)
            self._events.warning(claim, "ClaimLost", message, now)

    def _find_volume(self, claim: JsonObject, now: float) -> None:
        class_name = class_of(claim)
        storage_class = self.client.get(STORAGE_CLASSES, "", class_name) if class_name else None
        annotations = claim["metadata"].get("annotations") or {}
        mode = (storage_class or {}).get("volumeBindingMode", "Immediate")
        is_waiting = mode == "WaitForFirstConsumer" and SELECTED_NODE not in annotations
        volume = best_match(claim, self._candidates(claim), only_claimed=is_waiting)
        if volume is not None:
            self._bind(volume, claim, now)
            return
        if is_waiting:
            message = "waiting for first consumer to be created before binding"
            self._events.normal(claim, "WaitForFirstConsumer", message, now)
        elif storage_class is not None:
            self._provision(claim, storage_class, now)
            return
        elif class_name:
            message = f'storageclass.storage.k8s.io "{class_name}" not found'
            self._events.warning(claim, "ProvisioningFailed", message, now)
        else:
            message = "no persistent volumes available for this claim and no storage class is set"
            self._events.normal(claim, "FailedBinding", message, now)
        self._set_claim_phase(claim, "Pending", now)

    def _provision(self, claim: JsonObject, storage_class: JsonObject, now: float) -> None:
        """Simulate the class's provisioner."""
        meta, provisioner = claim["metadata"], storage_class["provisioner"]
        events = self.recorder.source(provisioner, PERSISTENT_VOLUME_CLAIMS)
        if provisioner == NO_PROVISIONER:
            message = "no volume plugin matched name: kubernetes.io/no-provisioner"
            if storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
                self._events.warning(claim, "ProvisioningFailed", message, now)
            self._set_claim_phase(claim, "Pending", now)
            return
        annotations = meta.get("annotations") or {}
        wanted = {STORAGE_PROVISIONER: provisioner, BETA_STORAGE_PROVISIONER: provisioner}
        meta["annotations"] = annotations | wanted
        claim = self.client.update(PERSISTENT_VOLUME_CLAIMS, claim, now)
        key = f"{meta['namespace']}/{meta['name']}"
        message = f'External provisioner is provisioning volume for claim "{key}"'
        events.normal(claim, "Provisioning", message, now)
        selected = annotations.get(SELECTED_NODE)
        node = self.client.get(NODES, "", selected) if selected else None
        volume = provisioned_volume(
            claim, storage_class, node, reference(PERSISTENT_VOLUME_CLAIMS, claim)
        )
        name = volume["metadata"]["name"]
        if self.client.store.get(PERSISTENT_VOLUMES.storage, "", name) is None:
            volume = self.client.create(PERSISTENT_VOLUMES, volume, now)
            message = f"Successfully provisioned volume {name}"
            events.normal(claim, "ProvisioningSucceeded", message, now)
        self._set_claim_phase(claim, "Pending", now)

    def _bind(self, volume: JsonObject, claim: JsonObject, now: float) -> None:
        """Make volume and claim name each other, and say so in both."""
        found = volume["spec"].get("claimRef") or {}
        if not found.get("uid"):
            meta = volume["metadata"]
            if not found:
                annotations = meta.get("annotations") or {}
                meta["annotations"] = annotations | {BOUND_BY_CONTROLLER: "yes"}
            volume["spec"]["claimRef"] = reference(PERSISTENT_VOLUME_CLAIMS, claim)
            volume = self.client.update(PERSISTENT_VOLUMES, volume, now)
        self._set_volume_phase(volume, "Bound", now)
        before = (claim["spec"].get("volumeName"), claim["metadata"].get("annotations") or {})
        annotations = {**before[1], BIND_COMPLETED: "yes"}
        if not before[0]:
            claim["spec"]["volumeName"] = volume["metadata"]["name"]
            annotations[BOUND_BY_CONTROLLER] = "yes"
        if annotations != before[1]:
            claim["metadata"]["annotations"] = annotations
            claim = self.client.update(PERSISTENT_VOLUME_CLAIMS, claim, now)
        status = claim.get("status") or {}
        bound = {
            "phase": "Bound",
            "accessModes": volume["spec"].get("accessModes") or [],
            "capacity": volume["spec"].get("capacity") or {},
        }
        if any(status.get(field) != value for field, value in bound.items()):
            claim["status"] = {**status, **bound}
            self.client.update_status(PERSISTENT_VOLUME_CLAIMS, claim, now)

    def _sync_volume(self, volume: JsonObject, now: float) -> None:
        claimed = volume["spec"].get("claimRef") or {}
        if not claimed.get("uid"):
            self._set_volume_phase(volume, "Available", now)
            return
        key = (claimed.get("namespace", ""), claimed.get("name", ""))
        claim = self.client.get(PERSISTENT_VOLUME_CLAIMS, *key)
        if claim is not None and claim["metadata"]["uid"] == claimed["uid"]:
            if not claim["spec"].get("volumeName"):
                self._sync_claim(claim, now)
            return
        phase = (volume.get("status") or {}).get("phase")
        if phase not in ("Released", "Failed"):
            volume = self._set_volume_phase(volume, "Released", now)
        meta = volume["metadata"]
        is_ours = PROVISIONED_BY in (meta.get("annotations") or {})
        is_doomed = volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        if is_ours and is_doomed and meta.get("deletionTimestamp") is None:
            self.client.delete(PERSISTENT_VOLUMES, "", meta["name"], now, uid=meta["uid"])

    def _set_claim_phase(self, claim: JsonObject, phase: str, now: float) -> None:
        if (claim.get("status") or {}).get("phase") != phase:
            claim["status"] = {**(claim.get("status") or {}), "phase": phase}
            self.client.update_status(PERSISTENT_VOLUME_CLAIMS, claim, now)

    def _set_volume_phase(self, volume: JsonObject, phase: str, now: float) -> JsonObject:
        if (volume.get("status") or {}).get("phase") == phase:
            return volume
        volume["status"] = {**(volume.get("status") or {}), "phase": phase}
        return self.client.update_status(PERSISTENT_VOLUMES, volume, now)
