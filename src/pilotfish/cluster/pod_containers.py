"""Every container of a pod, those that begin it first: the order in which upstream visits them."""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.cluster.objects import JsonObject


def containers_of(spec: JsonObject) -> list[JsonObject]:
    """Give the containers of a pod's spec."""
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def each_container(spec: JsonObject, path: str) -> Iterator[tuple[JsonObject, str]]:
    """Yield the containers of a pod's spec with their paths."""
    for kind in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(kind) or ()):
            yield container, f"{path}.{kind}[{i}]"
