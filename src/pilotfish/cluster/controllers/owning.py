"""Owner references: making them, and adopting or releasing pods by selector.

Source: kubernetes v1.36 pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.controllers.lists import put_list
from pilotfish.cluster.controllers.pod_index import PodIndex, PodInfo
from pilotfish.cluster.kinds import PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource


def controller_reference(resource: Resource, owner: JsonObject) -> JsonObject:
    """Make the reference from an object to its controller."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: JsonObject) -> JsonObject | None:
    """Give the reference of an object to its controller."""
    references: list[JsonObject] = obj["metadata"].get("ownerReferences") or []
    return next((r for r in references if r.get("controller")), None)


def read_selector(owner: JsonObject) -> LabelSelector | None:
    """Give what a workload selects; None, which selects nothing, for an empty or absent one."""
    selector = owner["spec"].get("selector") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return None
    return msgspec.convert(selector, LabelSelector)


def claim_pods(
    client: LoopbackClient,
    index: PodIndex,
    resource: Resource,
    owner: JsonObject,
    selector: LabelSelector,
    now: float,
    finalizers: Sequence[str] = (),
    name_prefix: str = "",
) -> list[PodInfo]:
    """Give the pods of an owner, adopting orphans that match and releasing pods that do not.

    Args:
        client: Where pods are changed.
        index: Where they are found.
        resource: The owner's resource.
        owner: The owner.
        selector: What it selects.
        now: The time.
        finalizers: What adopted pods get, and released ones lose.
        name_prefix: How the names of pods that may be adopted begin.

    Raises:
        StatusError: A pod could not be changed.
    """
    meta = owner["metadata"]
    is_going = meta.get("deletionTimestamp") is not None
    kept = []
    for pod in index.owned(meta["uid"]):
        if selector.matches(pod.labels):
            kept.append(pod)
        elif not is_going:
            _release(client, pod, meta["uid"], finalizers, now)
    for pod in index.orphans(meta["namespace"]) if not is_going else ():
        reference = controller_reference(resource, owner)
        if (
            pod.is_active
            and pod.name.startswith(name_prefix)
            and selector.matches(pod.labels)
            and _adopt(client, pod, reference, finalizers, now)
        ):
            kept.append(pod)
    return kept


def _adopt(
    client: LoopbackClient,
    pod: PodInfo,
    reference: JsonObject,
    finalizers: Iterable[str],
    now: float,
) -> bool:
    """Put in the reference; False where the pod is gone or has an owner by now."""
    obj = client.get(PODS, *pod.key)
    if obj is None or obj["metadata"]["uid"] != pod.uid or controller_of(obj) is not None:
        return False
    meta = obj["metadata"]
    meta["ownerReferences"] = [*(meta.get("ownerReferences") or []), reference]
    if added := [f for f in finalizers if f not in (meta.get("finalizers") or [])]:
        meta["finalizers"] = [*(meta.get("finalizers") or []), *added]
    client.update(PODS, obj, now)
    return True


def _release(
    client: LoopbackClient, pod: PodInfo, owner_uid: str, finalizers: Sequence[str], now: float
) -> None:
    obj = client.get(PODS, *pod.key)
    if obj is None or obj["metadata"]["uid"] != pod.uid:
        return
    meta = obj["metadata"]
    references = [r for r in meta["ownerReferences"] if r["uid"] != owner_uid]
    put_list(meta, "ownerReferences", references)
    kept = [f for f in meta.get("finalizers") or [] if f not in finalizers]
    put_list(meta, "finalizers", kept)
    client.update(PODS, obj, now)
