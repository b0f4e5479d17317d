"""The class of service that a pod gets: by its requests and limits of CPU and memory.

Source: kubernetes v1.36 pkg/apis/core/helper/qos/qos.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pilotfish.api.quantity import Quantity
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import containers_of

QualityOfService = Literal["Guaranteed", "Burstable", "BestEffort"]

COUNTED: Final = ("cpu", "memory")


def quality_of_service(spec: JsonObject) -> QualityOfService:
    """Give a pod's class; resources of the pod as a whole count instead of its containers'."""
    if whole := spec.get("resources"):
        holders = [whole]
    else:
        holders = [container.get("resources") or {} for container in containers_of(spec)]
    requests = [_counted(holder.get("requests")) for holder in holders]
    limits = [_counted(holder.get("limits")) for holder in holders]
    if not any(requests) and not any(limits):
        return "BestEffort"
    if requests == limits and all(len(limit) == len(COUNTED) for limit in limits):
        return "Guaranteed"
    return "Burstable"


def _counted(amounts: Mapping[str, str] | None) -> dict[str, Quantity]:
    found = {name: Quantity.parse((amounts or {}).get(name, "0")) for name in COUNTED}
    return {name: amount for name, amount in found.items() if amount}
