"""The ControllerRevisions of StatefulSets and DaemonSets: each template that a set has had.

Source: kubernetes v1.36 pkg/controller/history/controller_history.go and
    pkg/controller/daemon/update.go.
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
        self._live: dict[Key, tuple[set[str], int]] = {}  # at the last look, and the limit

    def forget(self, key: Key) -> None:
        """Drop what is known of an object that is gone."""
        self._known.pop(key, None)
        self._live.pop(key, None)

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
        name = known[2] if known and known[:2] == (uid, digest) else ""
        if metadata.get("deletionTimestamp") is not None:
            return name or f"{key[1]}-{digest}"
        if not name or not self._is_there(key[0], name):
            name = f"{key[1]}-{digest}" if known or not told else told
            name = self._find_or_make(owner, name, now)
            self._known[key] = (uid, digest, name)
        self._forget_old(key, owner, {name, *live}, now)
        return name

    def _forget_old(self, key: Key, owner: JsonObject, live: set[str], now: float) -> None:
        """Delete what is over the limit of revisions that no pod has."""
        limit = owner["spec"].get("revisionHistoryLimit", DEFAULT_LIMIT)
        if self._live.get(key) == (live, limit):
            return
        self._live[key] = (live, limit)
        old = [name for each in self._of(owner) if (name := each["metadata"]["name"]) not in live]
        for name in old[: max(0, len(old) - limit)]:
            self._client.delete(CONTROLLER_REVISIONS, key[0], name, now)

    def _find_or_make(self, owner: JsonObject, name: str, now: float) -> str:
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
