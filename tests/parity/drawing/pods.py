"""Pods of drawn clusters: each function here gives a pod one kind of wish."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Final

from parity.drawing import storage, topology
from parity.drawing.draw import HOSTNAME, NAMESPACES, ZONE, Draw, Manifest
from parity.drawing.nodes import EFFECTS, TAINT_KEYS, TAINT_VALUES, image_name

CPU: Final = ("100m", "250m", "500m", "1", "1500m", "3", "0", "0.3", "1e-1", "1n", "2500001u")
MEMORY: Final = ("128Mi", "256Mi", "1Gi", "1500M", "3Gi", "0", "2e8", "100000000500m")
SCARCE: Final = {
    "ephemeral-storage": ("500M", "5Gi", "60Gi"),
    "nvidia.com/gpu": ("1", "2", "4"),
    "example.com/fpga": ("1", "2"),
    "hugepages-2Mi": ("32Mi", "64Mi", "128Mi"),
}
EVERY_ADDRESS: Final = str(IPv4Address(0))
NUMBERS: Final = ("2", "0", "9")


def pod(draw: Draw, name: str, features: frozenset[str]) -> Manifest:
    """Draw a pod that wishes something of most of the features."""
    container: Manifest = {"name": "c0", "image": "app:v1"}
    if draw.chance(0.5):
        container["resources"] = {"requests": {"cpu": draw.one(CPU[:4]), "memory": "128Mi"}}
    spec: Manifest = {
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
        "priority": 0,
        "preemptionPolicy": "Never",
    }
    metadata = {"name": name, "namespace": draw.one(NAMESPACES[:3]), "labels": draw.labels()}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    wishes = [wish for feature, wish in WISHES.items() if feature in features]
    for wish in wishes:
        if draw.chance(max(0.25, 0.95 - len(wishes) / 10)):
            wish(draw, made)
    return made


def resources(draw: Draw, pod: Manifest) -> None:
    """Wish for resources in all the ways in which a pod can say it, and for ports."""
    spec = pod["spec"]
    spec["containers"] = [_container(draw, f"c{i}") for i in range(draw.one((1, 1, 2, 3)))]
    if draw.chance(0.35):
        spec["initContainers"] = [_initial(draw, f"i{i}") for i in range(draw.between(1, 3))]
    if draw.chance(0.15):
        spec["overhead"] = {"cpu": "250m"} | ({"memory": "160Mi"} if draw.chance(0.5) else {})
        spec["runtimeClassName"] = "kata"
    if draw.chance(0.15):
        spec["resources"] = {"requests": {"cpu": draw.one(("8", "4")), "memory": "8Gi"}}
        if draw.chance(0.4):
            del spec["resources"]["requests"][draw.one(("cpu", "memory"))]
    if draw.chance(0.15):
        spec["hostNetwork"] = True
    ports(draw, pod)


def ports(draw: Draw, pod: Manifest) -> None:
    """Wish for host ports."""
    spec = pod["spec"]
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        if draw.chance(0.2):
            number = draw.one((80, 443, 8080))
            port: Manifest = {"containerPort": number, "hostPort": number}
            port["protocol"] = draw.one(("TCP", "UDP", "SCTP"))
            if draw.chance(0.5):
                port["hostIP"] = draw.one(("127.0.0.1", EVERY_ADDRESS, "10.0.0.1"))
            container["ports"] = [port]


def _container(draw: Draw, name: str) -> Manifest:
    container: Manifest = {"name": name, "image": "app:v1"}
    wanted = {}
    if draw.chance(0.75):
        wanted["cpu"] = draw.one(CPU)
    if draw.chance(0.75):
        wanted["memory"] = draw.one(MEMORY)
    limits = {}
    for resource, amounts in SCARCE.items():
        if draw.chance(0.12):
            wanted[resource] = draw.one(amounts)
            if resource != "ephemeral-storage":
                limits[resource] = wanted[resource]
    if "hugepages-2Mi" in wanted:
        wanted.setdefault("cpu", "100m")
    if draw.chance(0.1):
        limits, wanted = wanted, {}
    container["resources"] = {"requests": wanted, "limits": limits}
    return container


def _initial(draw: Draw, name: str) -> Manifest:
    container = _container(draw, name)
    return {**container, "restartPolicy": "Always"} if draw.chance(0.4) else container


def taints(draw: Draw, pod: Manifest) -> None:
    """Tolerate some taints."""
    pod["spec"]["tolerations"] = [_toleration(draw) for _ in range(draw.between(1, 3))]


def _toleration(draw: Draw) -> Manifest:
    made: Manifest = {}
    if draw.chance(0.9):
        made["key"] = draw.one((*TAINT_KEYS, "node.kubernetes.io/unschedulable"))
    if "key" not in made or draw.chance(0.4):
        made["operator"] = "Exists"
    else:
        made["value"] = draw.one(TAINT_VALUES)
        if draw.chance(0.5):
            made["operator"] = "Equal"
    if draw.chance(0.75):
        made["effect"] = draw.one(EFFECTS)
    if made.get("effect") == "NoExecute" and draw.chance(0.5):
        made["tolerationSeconds"] = draw.between(0, 300)
    return made


def node_affinity(draw: Draw, pod: Manifest) -> None:
    """Wish for nodes by their labels and names."""
    if draw.chance(0.3):
        key, value = draw.one((("disk", "ssd"), ("disk", ""), (ZONE, "z1"), (HOSTNAME, "n1")))
        pod["spec"]["nodeSelector"] = {key: value}
    affinity: Manifest = {}
    if draw.chance(0.6):
        terms = [node_term(draw) for _ in range(draw.between(1, 3))]
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    if draw.chance(0.7):
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": draw.between(1, 100), "preference": node_term(draw, preferred=True)}
            for _ in range(draw.between(1, 3))
        ]
    pod["spec"].setdefault("affinity", {})["nodeAffinity"] = affinity


def node_term(draw: Draw, *, preferred: bool = False) -> Manifest:
    """Draw a term over labels and names of nodes; one without expressions selects nothing."""
    term: Manifest = {}
    if draw.chance(0.9):
        term["matchExpressions"] = [_node_expression(draw) for _ in range(draw.one((1, 1, 2)))]
    if draw.chance(0.06 if preferred else 0.15):
        name = f"n{draw.between(0, 6)}"
        field = {"key": "metadata.name", "operator": draw.one(("In", "In", "NotIn"))}
        term["matchFields"] = [{**field, "values": [name]}]
    return term


def _node_expression(draw: Draw) -> Manifest:
    operator = draw.one(("In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))
    if operator in ("Gt", "Lt"):
        return {"key": "gen", "operator": operator, "values": [draw.one(NUMBERS)]}
    key, values = draw.one(
        (
            ("disk", ("ssd", "hdd", "")),
            (ZONE, ("z0", "z1", "z2", "z9")),
            ("gen", ("1", "2", "007")),
            ("pool", ("a", "b")),
            (HOSTNAME, ("n0", "n1", "n2", "n3")),
        )
    )
    expression: Manifest = {"key": key, "operator": operator}
    if operator in ("In", "NotIn"):
        expression["values"] = draw.some(values, 1, 3)
    return expression


def images(draw: Draw, pod: Manifest) -> None:
    """Run images that some nodes may have."""
    spec = pod["spec"]
    spec["containers"] += [{"name": f"x{i}", "image": "-"} for i in range(draw.between(0, 3))]
    if draw.chance(0.2):
        spec.setdefault("initContainers", []).append({"name": "first", "image": "-"})
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        container["image"] = image_name(draw)
    if draw.chance(0.15):
        volume = {"name": "data", "image": {"reference": image_name(draw)}}
        spec.setdefault("volumes", []).append(volume)


def names(draw: Draw, pod: Manifest) -> None:
    """Be known to the cluster as a part of some workload."""
    kind = draw.one(("ReplicaSet", "StatefulSet", "ReplicationController", "Job"))
    version = {"ReplicationController": "v1", "Job": "batch/v1"}.get(kind, "apps/v1")
    owner = {"apiVersion": version, "kind": kind, "name": draw.one(("one", "two")), "uid": "owner"}
    pod["metadata"]["ownerReferences"] = [{**owner, "controller": True}]


WISHES: Final[dict[str, Callable[[Draw, Manifest], None]]] = {
    "resources": resources,
    "ports": ports,
    "taints": taints,
    "nodeaffinity": node_affinity,
    "images": images,
    "spread": topology.spread,
    "podaffinity": topology.pod_affinity,
    "owners": names,
    "volumes": storage.claims,
}
