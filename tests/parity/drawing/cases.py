"""Cases: a small cluster, and pods to be decided on one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from parity.drawing import pods, preemption
from parity.drawing.draw import APPS, NAMESPACES, Draw, Manifest
from parity.drawing.nodes import node
from parity.drawing.pods import CPU, MEMORY
from parity.drawing.profiles import profile
from parity.drawing.storage import storage

FEATURES: Final[Mapping[str, tuple[str, ...]]] = {
    "resources": ("resources",),
    "taints": ("taints",),
    "nodeaffinity": ("nodeaffinity",),
    "images": ("images",),
    "spread": ("spread", "owners"),
    "podaffinity": ("podaffinity",),
    "volumes": ("volumes",),
    "preemption": ("volumes", "ports", "taints", "nodeaffinity", "spread", "podaffinity"),
    "mixed": tuple(pods.WISHES),
    "config": tuple(pods.WISHES),
}
"""What the pods and nodes of a category are about."""

NAMESPACE_LABELS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"team": "red"},
    {"team": "blue", "env": "prod"},
    {"env": "dev"},
)


class Case(msgspec.Struct, frozen=True):
    """What is given to kube-scheduler.

    Attributes:
        category: What it is about.
        seed: What it was drawn from, together with the category.
        profile: Fields of the scheduler's profile: plugins, pluginConfig.
        objects: Manifests of the cluster, in the order in which they can be created. A status and
            a deletionTimestamp in them are brought about.
        pods: Manifests of the pods to be decided on, in this order.
    """

    category: str
    seed: int
    profile: dict[str, Any]
    objects: tuple[Manifest, ...]
    pods: tuple[Manifest, ...]


def drawn(category: str, seed: int, count: int) -> Case:
    """Draw a case with so many pods to be decided on."""
    draw = Draw(f"{category}-{seed}")
    features = frozenset(FEATURES[category])
    nodes = [node(draw, f"n{i}", features) for i in range(draw.one((1, 2, 3, 4, 6, 9, 13, 20)))]
    names = [one["metadata"]["name"] for one in nodes]
    placed = [_placed(draw, f"b{i}", names, features) for i in range(draw.between(0, 30))]
    pending = [pods.pod(draw, f"p{i}", features) for i in range(count)]
    budgets = []
    if category == "preemption":
        budgets = preemption.prioritise(draw, nodes, placed, pending)
    stored = storage(draw, nodes) if "volumes" in features else []
    workloads = _workloads(draw) if "owners" in features else []
    return Case(
        category=category,
        seed=seed,
        profile=profile(draw) if category == "config" else {},
        objects=(*_namespaces(draw), *workloads, *budgets, *stored, *nodes, *placed),
        pods=tuple(pending),
    )


def _namespaces(draw: Draw) -> list[Manifest]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": dict(draw.one(NAMESPACE_LABELS))},
        }
        for name in NAMESPACES
    ]


def _placed(draw: Draw, name: str, nodes: list[str], features: frozenset[str]) -> Manifest:
    """Draw a pod that is on a node; now and then it has ended, is ending, or its node is gone."""
    made = pods.pod(draw, name, features)
    made["spec"]["nodeName"] = "gone" if draw.chance(0.03) else draw.one(nodes)
    if draw.chance(0.06):
        made["status"] = {"phase": draw.one(("Succeeded", "Failed"))}
    elif "resources" in features and draw.chance(0.15):
        made["status"] = _resizing(draw, made)
    elif draw.chance(0.08):
        made["metadata"]["deletionTimestamp"] = "now"
        made["spec"]["terminationGracePeriodSeconds"] = 3600
    return made


def _resizing(draw: Draw, pod: Manifest) -> Manifest:
    """Draw the status of a pod whose kubelet runs it with other resources than its spec says."""
    statuses = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": True,
            "restartCount": 0,
            "allocatedResources": {"cpu": draw.one(CPU), "memory": "1Gi"},
            "resources": {"requests": {"cpu": draw.one(CPU), "memory": draw.one(MEMORY)}},
        }
        for container in pod["spec"]["containers"]
    ]
    resize = {
        "type": draw.one(("PodResizePending", "PodResizeInProgress")),
        "status": "True",
        "reason": draw.one(("Infeasible", "Deferred", "")),
    }
    conditions = {"conditions": [resize]} if draw.chance(0.7) else {}
    return {"phase": "Running", "containerStatuses": statuses, **conditions}


def _workloads(draw: Draw) -> list[Manifest]:
    """Draw what the system default constraints of spread take their selectors from."""
    made = []
    for name in ("one", "two"):
        metadata = {"name": name, "namespace": draw.one(NAMESPACES[:3])}
        chosen = {"app": draw.one(APPS)}
        template = {
            "metadata": {"labels": chosen},
            "spec": {"containers": [{"name": "c0", "image": "app:v1"}]},
        }
        selected = {} if draw.chance(0.1) else {"selector": chosen}
        labelled = {"selector": {"matchLabels": chosen}, "template": template}
        specs: dict[tuple[str, str], Manifest] = {
            ("v1", "Service"): {"ports": [{"port": 80}], **selected},
            ("v1", "ReplicationController"): {"selector": chosen, "template": template},
            ("apps/v1", "ReplicaSet"): labelled,
            ("apps/v1", "StatefulSet"): labelled,
        }
        made += [
            {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
            for (version, kind), spec in specs.items()
            if draw.chance(0.5)
        ]
    return made
