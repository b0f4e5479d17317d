"""Which volumes a claim looks at, and in which order."""

from __future__ import annotations

from typing import Any

from pilotfish.cluster.controllers.volumes.volume_index import VolumeIndex


def volume(name: str, size: str, class_name: str = "", claimed: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {"capacity": {"storage": size}, "storageClassName": class_name}
    if claimed:
        spec["claimRef"] = {"namespace": "default", "name": claimed}
    return {"metadata": {"name": name}, "spec": spec}


def claim(size: str, class_name: str = "", name: str = "data") -> dict[str, Any]:
    resources = {"requests": {"storage": size}}
    metadata = {"namespace": "default", "name": name}
    return {"metadata": metadata, "spec": {"storageClassName": class_name, "resources": resources}}


def filled() -> VolumeIndex:
    index = VolumeIndex()
    for each in (
        volume("huge", "100Gi"),
        volume("right", "5Gi"),
        volume("also-right", "5Gi"),
        volume("small", "1Gi"),
        volume("fast", "3Gi", "fast"),
        volume("mine", "1Gi", claimed="data"),
        volume("theirs", "3Gi", claimed="other"),
    ):
        index.put(each)
    return index


def test_volumes_of_the_claim_come_first_then_free_ones_the_smallest_first() -> None:
    assert list(filled().candidates(claim("3Gi"))) == ["mine", "also-right", "right", "huge"]
    assert list(filled().candidates(claim("3Gi", "fast", "new"))) == ["fast"]
    assert list(filled().candidates(claim("1Gi", "slow", "new"))) == []


def test_volume_that_is_claimed_freed_or_gone_changes_its_place() -> None:
    index = filled()
    index.put(volume("right", "5Gi", claimed="other"))
    index.put(volume("mine", "4Gi"))
    index.remove("huge")
    index.remove("unknown")
    assert list(index.candidates(claim("3Gi"))) == ["mine", "also-right"]
    assert list(index.candidates(claim("9Gi", name="other"))) == ["theirs", "right"]
