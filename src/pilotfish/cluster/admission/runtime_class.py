"""RuntimeClass: a pod's overhead, and where it may run, come from its RuntimeClass."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.api.quantity import Quantity
from pilotfish.cluster.admission.plugin import Review, refuse
from pilotfish.cluster.errors import quote
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Store

RUNTIME_CLASSES: Final = "runtimeclasses.node.k8s.io"


class RuntimeClass:
    """Sets overhead, node selector and tolerations of pods that name a RuntimeClass.

    Source: kubernetes v1.36 plugin/pkg/admission/runtimeclass/admission.go and
        pkg/util/tolerations/tolerations.go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, review: Review) -> None:
        """Let a write pass.

        Raises:
            StatusError: 403: there is no such class, or it contradicts the pod.
        """
        if review.resource.kind != "Pod" or review.operation != "create" or review.new is None:
            return
        spec = review.new["spec"]
        overhead: dict[str, str] = {}
        if name := spec.get("runtimeClassName"):
            stored = self._store.get(RUNTIME_CLASSES, "", name)
            if stored is None:
                raise refuse(review, f"pod rejected: RuntimeClass {quote(name)} not found")
            found = stored.decode()
            overhead = (found.get("overhead") or {}).get("podFixed") or {}
            _place(review, spec, found.get("scheduling") or {})
        own = spec.get("overhead") or {}
        if own and not overhead:
            why = "Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise refuse(review, f"pod rejected: {why}")
        if own and _amounts(own) != _amounts(overhead):
            why = "Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            raise refuse(review, f"pod rejected: {why}")
        if overhead:
            spec["overhead"] = overhead


def _amounts(resources: dict[str, str]) -> dict[str, Quantity]:
    return {name: Quantity.parse(text) for name, text in resources.items()}


def _place(review: Review, spec: JsonObject, scheduling: JsonObject) -> None:
    own = spec.get("nodeSelector") or {}
    wanted = scheduling.get("nodeSelector") or {}
    for key, value in wanted.items():
        if own.get(key, value) != value:
            raise refuse(
                review,
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {own[key]}",
            )
    if own or wanted:
        spec["nodeSelector"] = {**own, **wanted}
    if added := scheduling.get("tolerations"):
        spec["tolerations"] = merge_tolerations([*(spec.get("tolerations") or ()), *added])


def merge_tolerations(tolerations: list[JsonObject]) -> list[JsonObject]:
    """Leave out the tolerations that another one covers; of equal ones the first stays."""
    merged: list[JsonObject] = []
    for i, toleration in enumerate(tolerations):
        later = (other for other in tolerations[i + 1 :] if other != toleration)
        if not any(_covers(other, toleration) for other in (*merged, *later)):
            merged.append(toleration)
    return merged


def _covers(wide: JsonObject, narrow: JsonObject) -> bool:
    def both(field: str) -> tuple[Any, Any]:
        return wide.get(field, ""), narrow.get(field, "")

    if wide == narrow:
        return True
    wide_key, key = both("key")
    wide_effect, effect = both("effect")
    exists = wide.get("operator") == "Exists"
    if (wide_key != key and not (exists and not wide_key)) or wide_effect not in ("", effect):
        return False
    limit, seconds = wide.get("tolerationSeconds"), narrow.get("tolerationSeconds")
    if wide_effect == "NoExecute" and limit is not None and (seconds is None or seconds > limit):
        return False
    same_value = wide.get("value", "") == narrow.get("value", "")
    return exists or (narrow.get("operator", "Equal") == "Equal" and same_value)
