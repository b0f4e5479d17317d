"""Makers of pods and nodes for tests: every argument but the name has a harmless default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from pilotfish.api.codec import dec_hook
from pilotfish.api.node import Effect, Node, Taint
from pilotfish.api.node_metrics import NodeMetrics
from pilotfish.api.pod import Pod, Toleration

HOSTNAME_LABEL = "kubernetes.io/hostname"
ZONE_LABEL = "topology.kubernetes.io/zone"


def pod(
    name: str,
    *,
    namespace: str = "default",
    uid: str = "",
    cpu: str | None = None,
    memory: str | None = None,
    requests: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    tolerations: Iterable[str] = (),
    node_name: str = "",
    node_selector: Mapping[str, str] | None = None,
    priority: int = 0,
    scheduler_name: str = "my-scheduler",
    images: Sequence[str] = (),
    host_ports: Sequence[int] = (),
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Pod:
    """Make a pod.

    Args:
        name: Its name; the uid is `uid-<name>` unless given.
        namespace: Its namespace.
        uid: Its identity.
        cpu: The first container's request; memory likewise.
        memory: See cpu.
        requests: Further requests of the first container, such as `{"nvidia.com/gpu": "1"}`.
        labels: Its labels.
        tolerations: As `toleration` reads them.
        node_name: Where it is bound.
        node_selector: Its node selector.
        priority: Its priority.
        scheduler_name: Who schedules it.
        images: One container for each; without any there is one container.
        host_ports: TCP host ports of the first container.
        metadata: Further fields of `metadata`, as in JSON.
        status: The fields of `status`, as in JSON.
        **spec: Further fields of `spec`, as in JSON, where `init_containers` may stand for
            `initContainers`; they win over what the other arguments say.
    """
    amounts = {"cpu": cpu, "memory": memory, **(requests or {})}
    containers: list[dict[str, Any]] = [
        {"name": f"c{i}", "image": image} for i, image in enumerate(images or ("app:v1",))
    ]
    containers[0]["resources"] = {"requests": {k: v for k, v in amounts.items() if v is not None}}
    containers[0]["ports"] = [{"containerPort": port, "hostPort": port} for port in host_ports]
    content = {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{name}",
            "labels": dict(labels or {}),
            **(metadata or {}),
        },
        "spec": {
            "containers": containers,
            "tolerations": [toleration(text) for text in tolerations],
            "nodeName": node_name,
            "nodeSelector": dict(node_selector or {}),
            "priority": priority,
            "schedulerName": scheduler_name,
            **{_camel(key): value for key, value in spec.items()},
        },
        "status": status or {},
    }
    return msgspec.convert(content, Pod, dec_hook=dec_hook)


def node(
    name: str,
    *,
    cpu: str = "4",
    memory: str = "32Gi",
    pods: int = 110,
    labels: Mapping[str, str] | None = None,
    zone: str | None = None,
    taints: Iterable[str] = (),
    unschedulable: bool = False,
    images: Mapping[str, int] | None = None,
    features: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    **extended: str,
) -> Node:
    """Make a node.

    Args:
        name: Its name; the uid is `uid-<name>`.
        cpu: What is allocatable; memory and pods likewise.
        memory: See cpu.
        pods: See cpu.
        labels: Labels beside the hostname and the zone.
        zone: Its zone label.
        taints: As `taint` reads them.
        unschedulable: Whether it is cordoned.
        images: Sizes in bytes by name.
        features: What its kubelet declares.
        metadata: Further fields of `metadata`, as in JSON.
        **extended: Further allocatable resources: `**{"nvidia.com/gpu": "2"}`.
    """
    topology = {HOSTNAME_LABEL: name} | ({ZONE_LABEL: zone} if zone else {})
    content = {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "labels": topology | dict(labels or {}),
            **(metadata or {}),
        },
        "spec": {"taints": [taint(text) for text in taints], "unschedulable": unschedulable},
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": pods, **extended},
            "images": [{"names": [k], "sizeBytes": size} for k, size in (images or {}).items()],
            "declaredFeatures": list(features),
        },
    }
    return msgspec.convert(content, Node, dec_hook=dec_hook)


def node_metrics(name: str, usage: Mapping[str, str]) -> NodeMetrics:
    """Make the metrics of a node, which are known by its name."""
    content = {"metadata": {"name": name, "uid": name}, "usage": dict(usage)}
    return msgspec.convert(content, NodeMetrics, dec_hook=dec_hook)


def taint(text: str) -> Taint:
    """Make a taint of `key=value:Effect` or `key:Effect`."""
    key, value, effect = _split(text)
    return msgspec.convert({"key": key, "value": value or "", "effect": effect}, Taint)


def toleration(text: str) -> Toleration:
    """Make a toleration of `key=value:Effect`, or `key:Effect` for any value.

    An empty key covers every key, an empty or left out effect every effect: `:` tolerates all.
    """
    key, value, effect = _split(text)
    operator = "Exists" if value is None else "Equal"
    content = {"key": key, "operator": operator, "value": value or "", "effect": effect}
    return msgspec.convert(content, Toleration)


def _split(text: str) -> tuple[str, str | None, str]:
    rest, _, effect = text.rpartition(":") if ":" in text else (text, "", "")
    key, equals, value = rest.partition("=")
    if effect and effect not in get_args(Effect):
        raise ValueError(f'"{text}": there is no effect "{effect}"')
    return key, value if equals else None, effect


def _camel(key: str) -> str:
    head, *tail = key.split("_")
    return head + "".join(word.title() for word in tail)
