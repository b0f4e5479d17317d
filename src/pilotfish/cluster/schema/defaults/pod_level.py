"""Defaults of resources that a pod asks for as a whole.

Source: kubernetes v1.36 pkg/apis/core/v1/defaults.go defaultPodRequests, defaultHugePagePodLimits;
    staging/src/k8s.io/component-helpers/resource/helpers.go AggregateContainerRequests.
"""

from __future__ import annotations

from typing import Any, Final

from pilotfish.api.quantity import Quantity
from pilotfish.cluster.schema.leaves import written_quantity

JsonObject = dict[str, Any]
Amounts = dict[str, Quantity]

HUGE_PAGES: Final = "hugepages-"


def default_pod_level_resources(spec: JsonObject) -> None:
    """Fill the pod's own limits and requests from those of its containers."""
    resources = spec.get("resources")
    if not resources:
        return
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    if limits or requests:
        for name, amount in aggregate(spec, "limits").items():
            if name.startswith(HUGE_PAGES) and name not in requests and name not in limits:
                limits[name] = str(amount)
    if limits:
        for name, amount in aggregate(spec, "requests").items():
            if name in ("cpu", "memory"):
                requests.setdefault(name, str(amount))
        for name, limit in limits.items():
            if name in ("cpu", "memory") or name.startswith(HUGE_PAGES):
                requests.setdefault(name, limit)
    resources.update({k: v for k, v in (("limits", limits), ("requests", requests)) if v})


def aggregate(spec: JsonObject, kind: str) -> Amounts:
    """Sum over the containers, or what the hungriest moment of the init containers takes."""
    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, _amounts(container, kind))
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in spec.get("initContainers", ()):
        moment = _amounts(container, kind)
        if container.get("restartPolicy") == "Always":
            _add(total, moment)
            _add(sidecars, moment)
            moment = sidecars
        else:
            _add(moment, sidecars)
        _raise(most, moment)
    _raise(total, most)
    return total


def _amounts(container: JsonObject, kind: str) -> Amounts:
    listed = container["resources"].get(kind, {})
    return {name: Quantity.parse(text) for name, text in listed.items()}


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        if name not in total:
            total[name] = amount
        else:
            like = str(total[name] or amount)
            total[name] = Quantity.parse(written_quantity(total[name].nano + amount.nano, like))


def _raise(most: Amounts, moment: Amounts) -> None:
    for name, amount in moment.items():
        if name not in most or most[name] < amount:
            most[name] = amount
