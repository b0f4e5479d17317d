"""PersistentVolumes by what may be bound to them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from pilotfish.cluster.controllers.pod_index import Key
from pilotfish.cluster.controllers.volumes.volume_matching import (
    capacity_bytes,
    class_of,
    requested_bytes,
)
from pilotfish.cluster.objects import JsonObject

_Free = tuple[str, int]
"""Class and capacity of a volume that names no claim."""


class VolumeIndex:
    """Names of volumes: those that name a claim, and free ones by class and capacity."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[Key | None, _Free]] = {}
        self._claimed: dict[Key, dict[str, None]] = {}
        self._free: dict[str, list[tuple[int, str]]] = {}

    def put(self, volume: JsonObject) -> None:
        """Take in a volume as it is now."""
        name = volume["metadata"]["name"]
        self.remove(name)
        reference = volume["spec"].get("claimRef")
        claim = (reference.get("namespace", ""), reference.get("name", "")) if reference else None
        free = class_of(volume), capacity_bytes(volume)
        self._places[name] = claim, free
        if claim is None:
            insort(self._free.setdefault(free[0], []), (free[1], name))
        else:
            self._claimed.setdefault(claim, {})[name] = None

    def remove(self, name: str) -> None:
        """Forget a volume, if it is known."""
        claim, (class_name, capacity) = self._places.pop(name, (None, ("", -1)))
        if claim is not None:
            del self._claimed[claim][name]
            if not self._claimed[claim]:
                del self._claimed[claim]
        elif capacity >= 0:
            volumes = self._free[class_name]
            del volumes[bisect_left(volumes, (capacity, name))]

    def candidates(self, claim: JsonObject) -> Iterator[str]:
        """Give the volumes that name a claim, then the free ones for it, the smallest first."""
        metadata = claim["metadata"]
        yield from list(self._claimed.get((metadata["namespace"], metadata["name"]), ()))
        volumes = self._free.get(class_of(claim), [])
        for place in range(bisect_left(volumes, (requested_bytes(claim), "")), len(volumes)):
            yield volumes[place][1]
