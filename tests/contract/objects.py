"""Manifests of the contract tests: the least that a server accepts, and what a test adds."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def config_map(name: str, **fields: Any) -> Json:
    """Make a ConfigMap; `metadata` is added to its name."""
    return _object("v1", "ConfigMap", name, fields)


def container(name: str = "main", **fields: Any) -> Json:
    """Make a container."""
    return {"name": name, "image": "registry.invalid/main:1", **fields}


def pod(name: str, *, metadata: Json | None = None, **spec: Any) -> Json:
    """Make a pod that no scheduler takes, with these fields in its spec."""
    wanted = {"schedulerName": "nobody", "containers": [container()], **spec}
    return _object("v1", "Pod", name, {"metadata": metadata or {}, "spec": wanted})


def node(name: str, *, metadata: Json | None = None, **spec: Any) -> Json:
    """Make a node of four CPUs."""
    amounts = {"cpu": "4", "memory": "16Gi", "pods": "110"}
    status = {"capacity": amounts, "allocatable": amounts}
    return _object("v1", "Node", name, {"metadata": metadata or {}, "spec": spec, "status": status})


def deployment(name: str, **spec: Any) -> Json:
    """Make a Deployment of no pods."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name)["spec"]}
    wanted = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template, **spec}
    return _object("apps/v1", "Deployment", name, {"spec": wanted})


def binding(pod_name: str, node_name: str, *, metadata: Json | None = None, **target: Any) -> Json:
    """Make a Binding."""
    chosen = {"apiVersion": "v1", "kind": "Node", "name": node_name, **target}
    return _object("v1", "Binding", pod_name, {"metadata": metadata or {}, "target": chosen})


def priority_class(name: str, value: int, **fields: Any) -> Json:
    """Make a PriorityClass."""
    return _object("scheduling.k8s.io/v1", "PriorityClass", name, {"value": value, **fields})


def disruption_budget(name: str, labels: Json, **spec: Any) -> Json:
    """Make a PodDisruptionBudget."""
    wanted = {"selector": {"matchLabels": labels}, **spec}
    return _object("policy/v1", "PodDisruptionBudget", name, {"spec": wanted})


def event(name: str, namespace: str) -> Json:
    """Make an Event of events.k8s.io about a pod."""
    fields = {
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.com/contract",
        "reportingInstance": "a",
        "action": "Tell",
        "reason": "Told",
        "type": "Normal",
        "regarding": {"kind": "Pod", "namespace": namespace, "name": "a"},
    }
    return _object("events.k8s.io/v1", "Event", name, fields)


def _object(api_version: str, kind: str, name: str, fields: Json) -> Json:
    metadata = {"name": name, **fields.get("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, **fields, "metadata": metadata}
