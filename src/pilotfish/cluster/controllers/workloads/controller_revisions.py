"""The ControllerRevisions of StatefulSets and DaemonSets: each template that a set has had.

Source: kubernetes v1.36 pkg/controller/history/controller_history.go and
    pkg/controller/daemon/update.go. differs: what is over revisionHistoryLimit goes when the next
    revision is made.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Final

from pilotfish.cluster.controllers.owning import controller_of, controller_reference
from pilotfish.cluster.controllers.pod_index import Key
from pilotfish.cluster.controllers.workloads.template_hash import template_hash, without_nothing
from pilotfish.cluster.kinds import CONTROLLER_REVISIONS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource

REVISION_HASH: Final = "controller-revision-hash"
DEFAULT_LIMIT: Final = 10


class History:
    """Keeps the revisions of one kind's objects."""

    def __init__(
        self, client: LoopbackClient, resource: Resource, label: str = REVISION_HASH
    ) -> None:
        self._client = client
        self._resource = resource
        self._label = label  # of a revision, with its hash
        self._known: dict[Key, tuple[str, str, str]] = {}  # uid, hash of the template, revision

    def forget(self, key: Key) -> None:
        """Drop what is known of an object that is gone."""
        self._known.pop(key, None)

    def template(self, namespace: str, revision: str) -> JsonObject | None:
        """Give the template of a revision; None where it is gone."""
        found = self._client.get(CONTROLLER_REVISIONS, namespace, revision)
        return None if found is None else found["data"]["spec"]["template"]

    def revision(
        self, key: Key, owner: JsonObject, live: Collection[str], now: float, *, told: str = ""
    ) -> str:
        """Name the revision of an object's template, which is made where there is none.

        Args:
            key: the object's.
            owner: the object.
            live: names of revisions that pods have; they stay.
            now: the time.
            told: how to name it at first sight: a set that was loaded has its revision in its
                status, and its pods have it in their labels.
        """
        metadata, template = owner["metadata"], owner["spec"]["template"]
        uid, digest = metadata["uid"], template_hash(template)
        known = self._known.get(key)
        if known and known[:2] == (uid, digest) and self._is_there(key[0], known[2]):
            return known[2]
        name = f"{key[1]}-{digest}"
        if metadata.get("deletionTimestamp") is None:
            first_name = told if known is None else ""
            name = self._find_or_make(owner, first_name or name, live, now)
            self._known[key] = (uid, digest, name)
        return name

    def _find_or_make(self, owner: JsonObject, name: str, live: Collection[str], now: float) -> str:
        metadata, template = owner["metadata"], owner["spec"]["template"]
        namespace = metadata["namespace"]
        data = {"spec": {"template": {**template, "$patch": "replace"}}}
        revisions = self._of(owner)
        newest = max((each["revision"] for each in revisions), default=0)
        for each in reversed(revisions):
            if without_nothing(each["data"]) == without_nothing(data):
                found: str = each["metadata"]["name"]
                if each["revision"] < newest:  # an undo: the old template is the newest now
                    patch = {"revision": newest + 1}
                    self._client.patch(CONTROLLER_REVISIONS, namespace, found, patch, now)
                return found
        for collisions in itertools.count(1):
            if not self._is_there(namespace, name):
                break
            name = f"{metadata['name']}-{template_hash(template, collisions)}"
        made = {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {
                    **((template.get("metadata") or {}).get("labels") or {}),
                    self._label: name.removeprefix(f"{metadata['name']}-"),
                },
                "annotations": metadata.get("annotations") or {},
                "ownerReferences": [controller_reference(self._resource, owner)],
            },
            "data": data,
            "revision": newest + 1,
        }
        self._client.create(CONTROLLER_REVISIONS, made, now)
        limit = owner["spec"].get("revisionHistoryLimit", DEFAULT_LIMIT)
        old = [r["metadata"]["name"] for r in revisions if r["metadata"]["name"] not in live]
        for each in old[: max(0, len(old) - limit)]:
            self._client.delete(CONTROLLER_REVISIONS, namespace, each, now)
        return name

    def _of(self, owner: JsonObject) -> list[JsonObject]:
        """Give an object's revisions, the oldest first."""
        metadata = owner["metadata"]
        owned = (
            each
            for each in self._client.list(CONTROLLER_REVISIONS, metadata["namespace"])
            if (controller := controller_of(each)) and controller["uid"] == metadata["uid"]
        )
        return sorted(owned, key=lambda each: int(each["revision"]))

    def _is_there(self, namespace: str, name: str) -> bool:
        storage = CONTROLLER_REVISIONS.storage
        return self._client.store.get(storage, namespace, name) is not None
