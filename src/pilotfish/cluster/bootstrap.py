"""The objects that a cluster begins with."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from pilotfish.cluster.kinds import NAMESPACES
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import bootstrap_objects
from pilotfish.cluster.resources import TABLE, Resource
from pilotfish.cluster.settings import ClusterSettings

FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
API_SERVER_PORT = 6443  # behind the service `kubernetes`


def bootstrap(client: LoopbackClient, now: float) -> None:
    """Create them."""
    for resource, obj in _objects(client.settings):
        client.create(resource, obj, now)


def _objects(settings: ClusterSettings) -> Iterator[tuple[Resource, JsonObject]]:
    for name in FIRST_NAMESPACES:
        yield NAMESPACES, {"metadata": {"name": name}}
    for obj in bootstrap_objects():
        yield TABLE.served(obj["apiVersion"], obj["kind"]), obj
    for obj in _priority_classes():
        yield TABLE.served("scheduling.k8s.io/v1", "PriorityClass"), obj
    yield TABLE.served("v1", "Service"), _api_service(settings)


def _priority_classes() -> Iterator[JsonObject]:
    """Give the two classes that no user may define.

    Source: kubernetes v1.36 pkg/apis/scheduling/v1/helpers.go.
    """
    for name, value, words in (
        ("system-node-critical", 2_000_001_000, "must not be moved from their current node"),
        (
            "system-cluster-critical",
            2_000_000_000,
            "must run in the cluster, but can be moved to another node if necessary",
        ),
    ):
        description = f"Used for system critical pods that {words}."
        yield {"metadata": {"name": name}, "value": value, "description": description}


def _api_service(settings: ClusterSettings) -> JsonObject:
    address = str(next(IPv4Network(settings.service_ip_range).hosts()))
    port = {
        "name": "https",
        "protocol": "TCP",
        "port": 443,
        "targetPort": API_SERVER_PORT,
    }
    return {
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {"clusterIP": address, "ports": [port]},
    }
