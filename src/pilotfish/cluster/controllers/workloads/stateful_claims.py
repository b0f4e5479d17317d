"""The claims of a StatefulSet's pods: made with their pods, and gone as the set says.

What persistentVolumeClaimRetentionPolicy says is told to the garbage collector by the claims'
owners: the set, where they go with it; a pod that is scaled away, where they go with that; or
nobody.

Source: kubernetes v1.36 pkg/controller/statefulset/stateful_pod_control.go
(createPersistentVolumeClaims) and stateful_set_utils.go (updateClaimOwnerRefForSetAndPod). differs:
a claim that someone else controls is passed over without an Event.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from pilotfish.cluster.controllers.lists import put_list
from pilotfish.cluster.controllers.owning import controller_reference
from pilotfish.cluster.controllers.pod_index import PodInfo
from pilotfish.cluster.errors import unavailable
from pilotfish.cluster.events.recorder import EventSource
from pilotfish.cluster.kinds import PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject


class StatefulClaims:
    """Makes the claims of pods, and says whose they are."""

    def __init__(self, client: LoopbackClient, events: EventSource) -> None:
        self._client = client
        self._events = events

    def make(self, owner: JsonObject, number: int, pod_name: str, now: float) -> None:
        """Make the claims of a pod that are not there.

        Raises:
            StatusError: One is refused, or one of an earlier pod has yet to go.
        """
        for claim in _claims_of(owner, number):
            name = claim["metadata"]["name"]
            found = self._client.get(PERSISTENT_VOLUME_CLAIMS, claim["metadata"]["namespace"], name)
            if found is None:
                self._client.create(PERSISTENT_VOLUME_CLAIMS, claim, now)
                set_name = owner["metadata"]["name"]
                text = f"Create Claim {name} Pod {pod_name} in StatefulSet {set_name} success"
                self._events.normal(owner, "SuccessfulCreate", text, now)
            elif "deletionTimestamp" in found["metadata"] or any(
                (ref["kind"], ref["name"]) == (PODS.kind, pod_name) for ref in _owners(found)
            ):
                raise unavailable(f"pvc {name} is being deleted")

    def assign(
        self, owner: JsonObject, number: int, pod: PodInfo, now: float, *, is_condemned: bool
    ) -> None:
        """Make the set or the pod the owner of the pod's claims, or neither, as the set says."""
        policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        of_set = controller_reference(STATEFUL_SETS, owner)
        of_pod = controller_reference(PODS, {"metadata": {"name": pod.name, "uid": pod.uid}})
        if is_condemned and policy.get("whenScaled") == "Delete":
            wanted = [of_pod]
        elif policy.get("whenDeleted") == "Delete":
            wanted = [of_set]
        else:
            wanted = []
        for template in owner["spec"].get("volumeClaimTemplates") or ():
            name = claim_name(template, owner, number)
            claim = self._client.get(PERSISTENT_VOLUME_CLAIMS, pod.namespace, name)
            if claim is None:
                continue
            others = [ref for ref in _owners(claim) if ref not in (of_set, of_pod)]
            if wanted and any(ref.get("controller") for ref in others):
                continue
            if _owners(claim) != [*others, *wanted]:
                put_list(claim["metadata"], "ownerReferences", [*others, *wanted])
                self._client.update(PERSISTENT_VOLUME_CLAIMS, claim, now)


def claim_name(template: JsonObject, owner: JsonObject, number: int) -> str:
    """Give the name of a pod's claim."""
    return f"{template['metadata'].get('name', '')}-{owner['metadata']['name']}-{number}"


def _claims_of(owner: JsonObject, number: int) -> Iterator[JsonObject]:
    for template in owner["spec"].get("volumeClaimTemplates") or ():
        claim = copy.deepcopy(template)
        meta = claim["metadata"]
        selected = owner["spec"]["selector"].get("matchLabels") or {}
        yield {
            "metadata": {
                **{key: meta[key] for key in ("annotations",) if meta.get(key)},
                "name": claim_name(template, owner, number),
                "namespace": owner["metadata"]["namespace"],
                "labels": {**(meta.get("labels") or {}), **selected},
            },
            "spec": claim["spec"],
        }


def _owners(claim: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = claim["metadata"].get("ownerReferences") or []
    return found
