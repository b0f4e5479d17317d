"""Which PersistentVolume suits a claim.

Source: kubernetes v1.36 pkg/controller/volume/persistentvolume/index.go and
staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from pilotfish.api.quantity import Quantity
from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.objects import JsonObject

BETA_CLASS: Final = "volume.beta.kubernetes.io/storage-class"


def class_of(obj: JsonObject) -> str:
    """Give the class of a claim or a volume, empty for none."""
    annotations = obj["metadata"].get("annotations") or {}
    name: str = annotations.get(BETA_CLASS) or obj["spec"].get("storageClassName") or ""
    return name


def requested_bytes(claim: JsonObject) -> int:
    """Give how much a claim asks for."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return Quantity.parse(str(requests.get("storage", "0"))).value()


def capacity_bytes(volume: JsonObject) -> int:
    """Give how much a volume holds."""
    capacity = volume["spec"].get("capacity") or {}
    return Quantity.parse(str(capacity.get("storage", "0"))).value()


def is_claimed_by(volume: JsonObject, claim: JsonObject) -> bool:
    """Say whether a volume names a claim, by its uid if it names one."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return False
    meta = claim["metadata"]
    named = (reference.get("namespace"), reference.get("name")) == (meta["namespace"], meta["name"])
    return named and reference.get("uid", "") in ("", meta["uid"])


def mismatch(volume: JsonObject, claim: JsonObject) -> str | None:
    """Say in upstream's words why a volume cannot be bound to a claim that is meant for it."""
    if requested_bytes(claim) > capacity_bytes(volume):
        return "requested PV is too small"
    if class_of(claim) != class_of(volume):
        return "storageClassName does not match"
    if _mode(claim) != _mode(volume):
        return "incompatible volumeMode"
    if not _offers_modes(volume, claim):
        return "incompatible accessMode"
    return None


def best_match(
    claim: JsonObject, volumes: Iterable[JsonObject], *, only_claimed: bool
) -> JsonObject | None:
    """Choose the volume that names the claim, or the smallest one that is free and suits it.

    Args:
        claim: The claim.
        volumes: Those that name a claim come before free ones, of which the smallest come first.
        only_claimed: The claim waits for its first consumer: nothing is chosen for it.
    """
    selector = claim["spec"].get("selector")
    matcher = None if selector is None else msgspec.convert(selector, LabelSelector)
    for volume in volumes:
        if mismatch(volume, claim) or volume["metadata"].get("deletionTimestamp") is not None:
            continue
        if is_claimed_by(volume, claim):
            return volume
        if volume["spec"].get("claimRef"):
            continue
        if only_claimed:
            return None
        is_available = (volume.get("status") or {}).get("phase") == "Available"
        labels = volume["metadata"].get("labels") or {}
        if is_available and (matcher is None or matcher.matches(labels)):
            return volume
    return None


def _mode(obj: JsonObject) -> str:
    mode: str = obj["spec"].get("volumeMode") or "Filesystem"
    return mode


def _offers_modes(volume: JsonObject, claim: JsonObject) -> bool:
    offered = volume["spec"].get("accessModes") or []
    return all(mode in offered for mode in claim["spec"].get("accessModes") or [])
