"""What every namespace has: the ServiceAccount `default` and the cluster's CA.

Source: kubernetes v1.36 pkg/controller/serviceaccount/serviceaccounts_controller.go,
pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.pod_index import Key
from pilotfish.cluster.kinds import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.store import Change

DEFAULT: Final = "default"
ROOT_CA: Final = "kube-root-ca.crt"
_DESCRIPTION: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


class ServiceAccountController(Controller):
    """Makes both objects, and makes them again when they are deleted; keys are ("", namespace)."""

    watches = (NAMESPACES, SERVICE_ACCOUNTS, CONFIG_MAPS)

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give the namespace concerned."""
        del now
        if change.storage == NAMESPACES.storage:
            return [("", change.new.name)] if change.type != "DELETED" else ()
        is_ours = change.new.name in (DEFAULT, ROOT_CA)
        return [("", change.new.namespace)] if is_ours and change.type != "ADDED" else ()

    def sync(self, key: Key, now: float) -> float | None:
        """Make what is missing, and mend the CA."""
        namespace = self.client.get(NAMESPACES, *key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp") is not None:
            return None
        self._ensure(SERVICE_ACCOUNTS, key[1], DEFAULT, {}, now)
        data = {"data": {"ca.crt": self.client.settings.root_ca}}
        self._ensure(CONFIG_MAPS, key[1], ROOT_CA, data, now)
        return None

    def _ensure(
        self, resource: Resource, namespace: str, name: str, content: JsonObject, now: float
    ) -> None:
        found = self.client.get(resource, namespace, name)
        if found is None:
            metadata: JsonObject = {"name": name, "namespace": namespace}
            if name == ROOT_CA:
                metadata["annotations"] = {"kubernetes.io/description": _DESCRIPTION}
            self.client.create(resource, {"metadata": metadata, **content}, now)
        elif any(found.get(field) != value for field, value in content.items()):
            self.client.update(resource, {**found, **content}, now)
