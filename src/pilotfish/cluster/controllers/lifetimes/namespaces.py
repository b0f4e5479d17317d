"""Empties namespaces that are being deleted, lets them go, and brings those of the system back.

Source: kubernetes v1.36 pkg/controller/namespace/deletion/namespaced_resources_deleter.go and
status_condition_utils.go; pkg/controlplane/controller/systemnamespaces.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Final

from pilotfish.cluster.bootstrap import FIRST_NAMESPACES
from pilotfish.cluster.conditions import condition, find_condition, set_condition
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.pod_index import Key, PodIndex
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import NAMESPACES
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.resources import RESOURCES, Resource
from pilotfish.cluster.store import Change

DELETED_PER_SYNC: Final = 200  # objects of one namespace; some 20 ms
KUBERNETES: Final = "kubernetes"  # the finalizer in a namespace's spec
_CONTENT: Final = tuple(
    {r.storage: r for r in reversed(RESOURCES) if r.namespaced and r.storage}.values()
)
_FINE: Final = (
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


class NamespaceController(Controller):
    """Deletes the content of namespaces; keys are ("", name)."""

    watches = (NAMESPACES, *_CONTENT)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._doomed: dict[str, deque[tuple[Resource, Stored]]] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a namespace itself, or that of an object which changed while it goes."""
        del now
        if change.storage == NAMESPACES.storage:
            is_of_interest = change.type != "DELETED" or change.new.name in FIRST_NAMESPACES
            return [("", change.new.name)] if is_of_interest else ()
        found = self.client.store.get(NAMESPACES.storage, "", change.new.namespace)
        if found is None or not found.is_being_deleted():
            return ()
        return [("", change.new.namespace)]

    def sync(self, key: Key, now: float) -> float | None:
        """Delete all content, and then the namespace; make one anew that every cluster has."""
        namespace = self.client.get(NAMESPACES, *key)
        if namespace is None and key[1] in FIRST_NAMESPACES:
            namespace = self.client.create(NAMESPACES, {"metadata": {"name": key[1]}}, now)
        if namespace is None or KUBERNETES not in (namespace["spec"].get("finalizers") or []):
            self._doomed.pop(key[1], None)
            return None
        if namespace["metadata"].get("deletionTimestamp") is None:
            return None
        if not self._doomed.get(key[1]):
            count = sum(self.client.store.count(r.storage, key[1]) for r in _CONTENT)
            if (later := self.paced(key, count, now)) is not None:
                return later
            self._doomed[key[1]] = deque(self._yet_to_delete(key[1]))
        if not self._delete_some(key[1], now):
            return now
        del self._doomed[key[1]]
        remaining, finalizers = self._count(key[1])
        status = namespace.setdefault("status", {})
        if _tell(status, remaining, finalizers, now):
            namespace = self.client.update_status(NAMESPACES, namespace, now)
        if not remaining:
            self._finalize(namespace, now)
        return None

    def _yet_to_delete(self, name: str) -> Iterator[tuple[Resource, Stored]]:
        for resource in _CONTENT:
            for stored in self.client.store.list(resource.storage, name).items:
                if not stored.is_being_deleted():
                    yield resource, stored

    def _delete_some(self, name: str, now: float) -> bool:
        """Delete some of what is yet to be deleted; True where that was all."""
        doomed = self._doomed[name]
        for _ in range(min(DELETED_PER_SYNC, len(doomed))):
            resource, stored = doomed[0]
            try:
                self.client.delete(resource, name, stored.name, now, uid=stored.uid)
            except StatusError as error:
                if error.reason not in ("NotFound", "Conflict"):
                    raise
            doomed.popleft()
        return not doomed

    def _count(self, name: str) -> tuple[Counter[str], Counter[str]]:
        """Count what is left, and whom it waits for."""
        remaining: Counter[str] = Counter()
        finalizers: Counter[str] = Counter()
        for resource in _CONTENT:
            left = self.client.store.list(resource.storage, name).items
            if left:
                remaining[resource.qualified] = len(left)
            for stored in left:
                if b'"finalizers"' in stored.body:
                    finalizers.update(stored.decode()["metadata"].get("finalizers") or [])
        return remaining, finalizers

    def _finalize(self, namespace: JsonObject, now: float) -> None:
        rest = [f for f in namespace["spec"]["finalizers"] if f != KUBERNETES]
        namespace["spec"]["finalizers"] = rest
        self.client.update_subresource(NAMESPACES, namespace, "finalize", now)


def _tell(
    status: JsonObject, remaining: Counter[str], finalizers: Counter[str], now: float
) -> bool:
    """Set the conditions; True where any changed."""
    rows = [(kind, "False", reason, message) for kind, reason, message in _FINE]
    rows.append(
        (
            "NamespaceContentRemaining",
            "True",
            "SomeResourcesRemain",
            "Some resources are remaining: "
            + ", ".join(f"{r}. has {n} resource instances" for r, n in sorted(remaining.items())),
        )
        if remaining
        else (
            "NamespaceContentRemaining",
            "False",
            "ContentRemoved",
            "All content successfully removed",
        )
    )
    listed = ", ".join(f"{f} in {n} resource instances" for f, n in sorted(finalizers.items()))
    rows.append(
        (
            "NamespaceFinalizersRemaining",
            "True",
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {listed}",
        )
        if finalizers
        else (
            "NamespaceFinalizersRemaining",
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        )
    )
    changed = False
    for kind, value, reason, message in rows:
        old = find_condition(status, kind)
        if old is None or old["status"] != value or old["message"] != message:
            if old is not None:
                status["conditions"].remove(old)
            changed |= set_condition(status, condition(kind, value, reason, message, now))
    return changed
