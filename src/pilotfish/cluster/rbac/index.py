"""The policies in the store, decoded once and kept up to date by the change log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from pilotfish.api.codec import decode
from pilotfish.api.meta import KubernetesObject
from pilotfish.cluster.rbac.policy import Role, RoleBinding
from pilotfish.cluster.store import Cursor, Store

T = TypeVar("T", bound=KubernetesObject)


class Mirror(Generic[T]):
    """The objects of one storage, decoded, by namespace and name."""

    def __init__(self, store: Store, storage: str, kind: type[T]) -> None:
        self._store, self._storage, self._kind = store, storage, kind
        self._cursor: Cursor | None = None
        self._objects: dict[str, dict[str, T]] = {}

    def refresh(self) -> bool:
        """Take in what changed, and say whether anything did."""
        if self._cursor is None or self._cursor.is_expired:
            self._list()
            return True
        changes = self._cursor.next()
        for change in changes:
            stored = change.new
            objects = self._objects.setdefault(stored.namespace, {})
            if change.type == "DELETED":
                del objects[stored.name]
            else:
                objects[stored.name] = decode(self._kind, stored.body)
        return bool(changes)

    def get(self, namespace: str, name: str) -> T | None:
        """Give an object, or None."""
        return self._objects.get(namespace, {}).get(name)

    def of(self, namespace: str) -> Iterator[T]:
        """Give the objects of a namespace, or those without one, by name."""
        return (obj for _, obj in sorted(self._objects.get(namespace, {}).items()))

    def _list(self) -> None:
        snapshot = self._store.list(self._storage)
        self._cursor = self._store.subscribe(self._storage, snapshot.resource_version)
        self._objects = {}
        for stored in snapshot.items:
            objects = self._objects.setdefault(stored.namespace, {})
            objects[stored.name] = decode(self._kind, stored.body)


class PolicyIndex:
    """All roles and bindings; call `refresh` before reading."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = -1
        self._roles = Mirror(store, "roles.rbac.authorization.k8s.io", Role)
        self._cluster_roles = Mirror(store, "clusterroles.rbac.authorization.k8s.io", Role)
        self._bindings = Mirror(store, "rolebindings.rbac.authorization.k8s.io", RoleBinding)
        self._cluster_bindings = Mirror(
            store, "clusterrolebindings.rbac.authorization.k8s.io", RoleBinding
        )

    def refresh(self) -> bool:
        """Take in what changed, and say whether any role or binding did."""
        if self._seen == self._store.resource_version:
            return False
        self._seen = self._store.resource_version
        mirrors = (self._roles, self._cluster_roles, self._bindings, self._cluster_bindings)
        return sum(mirror.refresh() for mirror in mirrors) > 0  # all of them

    def bindings_in(self, namespace: str) -> Iterator[RoleBinding]:
        """Give the bindings that count for requests in a namespace, those of the cluster first."""
        yield from self._cluster_bindings.of("")
        if namespace:
            yield from self._bindings.of(namespace)

    def role_of(self, binding: RoleBinding) -> Role | None:
        """Give the role that a binding grants, None where there is no such role."""
        reference = binding.role_ref
        if reference.kind == "ClusterRole":
            return self._cluster_roles.get("", reference.name)
        return self._roles.get(binding.namespace, reference.name)
