"""Makers of Nodes and Pods as plain manifests."""

import zlib
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

FIRST_ADDRESS = int(IPv4Address("10.0.0.0"))


def node_manifest(
    name: str,
    *,
    cpu: str = "4",
    memory: str = "16Gi",
    pods: int = 110,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    extended: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make a Node with an address of its own, which kwok makes Ready.

    Args:
        name: also its hostname label.
        cpu: a quantity, as are memory and the values of `extended`.
        memory: see cpu.
        pods: how many pods it takes.
        labels: beside the hostname, os and arch that a kubelet sets.
        taints: as the API has them: `{"key": ..., "value": ..., "effect": ...}`.
        extended: more resources, for example `{"nvidia.com/gpu": "2"}`.
    """
    resources = {"cpu": cpu, "memory": memory, "pods": str(pods), **(extended or {})}
    address = IPv4Address(FIRST_ADDRESS + zlib.crc32(name.encode()) % 2**24)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                **(labels or {}),
            },
        },
        "spec": {"taints": [dict(taint) for taint in taints]},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "addresses": [
                {"type": "InternalIP", "address": str(address)},
                {"type": "Hostname", "address": name},
            ],
        },
    }


def pod_manifest(
    name: str,
    *,
    namespace: str = "default",
    cpu: str | None = "100m",
    memory: str | None = "128Mi",
    scheduler_name: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a Pod of one container; `spec` adds fields beside the containers.

    kwok-stages.yaml says which annotations make it complete, or slow to terminate.
    """
    requests = {"cpu": cpu, "memory": memory}
    container = {
        "name": "main",
        "image": "registry.invalid/main:1",
        "resources": {"requests": {k: v for k, v in requests.items() if v is not None}},
    }
    named = {"schedulerName": scheduler_name} if scheduler_name else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": dict(labels or {}),
            "annotations": dict(annotations or {}),
        },
        "spec": {"containers": [container], **named, **(spec or {})},
    }
