"""What admission adds to volumes and claims: a default class, and protection while in use."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Store

STORAGE_CLASSES: Final = "storageclasses.storage.k8s.io"
IS_DEFAULT: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
PROTECTION: Final = {
    "PersistentVolume": "kubernetes.io/pv-protection",
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
}


class StorageObjectInUseProtection:
    """Gives volumes and claims the finalizer that keeps them while they are used.

    Source: kubernetes v1.36 plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go.
    """

    def admit(self, review: Review) -> None:
        """Let a write pass, with the finalizer."""
        finalizer = PROTECTION.get(review.resource.kind)
        if finalizer is None or review.operation != "create" or review.new is None:
            return
        finalizers: list[str] = review.new["metadata"].get("finalizers") or []
        if finalizer not in finalizers:
            review.new["metadata"]["finalizers"] = [*finalizers, finalizer]


class DefaultStorageClass:
    """Gives claims that name no class the default one.

    Source: kubernetes v1.36 plugin/pkg/admission/storage/storageclass/setdefault/admission.go and
        pkg/volume/util/storageclass.go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, review: Review) -> None:
        """Let a write pass, with a class."""
        claim = review.new
        kind = review.resource.kind
        if kind != "PersistentVolumeClaim" or review.operation != "create" or claim is None:
            return
        annotations = claim["metadata"].get("annotations") or {}
        if "storageClassName" in claim["spec"] or CLASS_ANNOTATION in annotations:
            return
        if default := self._default():
            claim["spec"]["storageClassName"] = default["metadata"]["name"]

    def _default(self) -> JsonObject | None:
        """Give the default class; of several the newest, then the first by name."""
        classes = [stored.decode() for stored in self._store.list(STORAGE_CLASSES).items]
        defaults = [each for each in classes if _is_default(each)]
        newest = max((each["metadata"]["creationTimestamp"] for each in defaults), default="")
        return next(
            (each for each in defaults if each["metadata"]["creationTimestamp"] == newest), None
        )


def _is_default(storage_class: JsonObject) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return any(annotations.get(key) == "true" for key in IS_DEFAULT)
