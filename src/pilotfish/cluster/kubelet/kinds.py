"""The resources that kubelets act on, by name."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.resources import TABLE, Resource


def _resource(group: str, version: str, plural: str) -> Resource:
    resource = TABLE.get(group, version, plural)
    if resource is None:
        raise LookupError(f"{plural}.{version}.{group} is not served")
    return resource


CONFIG_MAPS: Final = _resource("", "v1", "configmaps")
CSI_NODES: Final = _resource("storage.k8s.io", "v1", "csinodes")
LEASES: Final = _resource("coordination.k8s.io", "v1", "leases")
NODES: Final = _resource("", "v1", "nodes")
PODS: Final = _resource("", "v1", "pods")
SECRETS: Final = _resource("", "v1", "secrets")
SERVICE_ACCOUNTS: Final = _resource("", "v1", "serviceaccounts")
