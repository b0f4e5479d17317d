"""Keeps claims while pods use them, and volumes while they are bound.

Source: kubernetes v1.36 pkg/controller/volume/{pvcprotection,pvprotection}.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.lists import put_list
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import (
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
)
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource

CLAIM_FINALIZER: Final = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER: Final = "kubernetes.io/pv-protection"


class VolumeProtectionController(Controller):
    """Holds the finalizers of claims and volumes; volumes' keys have no namespace."""

    watches = (PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._waiting: dict[Key, None] = {}

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the claims of the pod's namespace that wait for pods to end."""
        del now
        pod = new or old
        is_running = new is not None and not new.is_finished
        if pod is None or is_running:
            return ()
        return [key for key in self._waiting if key[0] == pod.namespace]

    def sync(self, key: Key, now: float) -> float | None:
        """Add the finalizer, or take it off where nobody holds the object any more."""
        self._waiting.pop(key, None)
        if key[0]:
            claim = self.client.get(PERSISTENT_VOLUME_CLAIMS, *key)
            if claim is not None and self._protect(
                PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER, now
            ):
                if self._is_used(key):
                    self._waiting[key] = None
                else:
                    self._release(PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER, now)
            return None
        volume = self.client.get(PERSISTENT_VOLUMES, *key)
        if volume is not None and self._protect(PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER, now):
            is_bound = (volume.get("status") or {}).get("phase") == "Bound"
            if not is_bound:
                self._release(PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER, now)
        return None

    def _protect(self, resource: Resource, obj: JsonObject, finalizer: str, now: float) -> bool:
        """Add the finalizer to an object that stays; True where one that goes still has it."""
        meta = obj["metadata"]
        finalizers = meta.get("finalizers") or []
        if meta.get("deletionTimestamp") is not None:
            return finalizer in finalizers
        if finalizer not in finalizers:
            meta["finalizers"] = [*finalizers, finalizer]
            self.client.update(resource, obj, now)
        return False

    def _release(self, resource: Resource, obj: JsonObject, finalizer: str, now: float) -> None:
        meta = obj["metadata"]
        put_list(meta, "finalizers", (f for f in meta["finalizers"] if f != finalizer))
        self.client.update(resource, obj, now)

    def _is_used(self, key: Key) -> bool:
        """Say whether a pod that is bound and has not ended uses a claim."""
        for pod in self.pods.in_namespace(key[0]):
            if pod.is_finished or not pod.node_name:
                continue
            obj = self.client.get(PODS, *pod.key)
            volumes = [] if obj is None else obj["spec"].get("volumes") or []
            claims = (volume.get("persistentVolumeClaim") or {} for volume in volumes)
            if any(claim.get("claimName") == key[1] for claim in claims):
                return True
        return False
