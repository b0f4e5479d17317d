"""Nodes of drawn clusters: what they offer, and what keeps pods off them."""

from __future__ import annotations

import zlib
from typing import Final

from parity.drawing.draw import HOSTNAME, RACK, REGION, ZONE, Draw, Manifest

TAINT_KEYS: Final = ("dedicated", "gpu", "node.kubernetes.io/unreachable")
TAINT_VALUES: Final = ("", "a", "b")
EFFECTS: Final = ("NoSchedule", "NoExecute", "PreferNoSchedule")
CPU: Final = ("4", "3920m", "7500m", "8", "2", "16", "1500000u", "0", "0.5")
MEMORY: Final = ("16Gi", "8G", "15842508Ki", "32Gi", "12Gi", "4Gi", "1.5Gi", "2e9", "0")
REPOSITORIES: Final = ("registry.example.com/web", "registry.example.com:5000/ml", "redis", "db")
TAGS: Final = ("", ":v1", ":latest", "@sha256:" + "0" * 63 + "1", ":v2")
SIZES: Final = (20_000_000, 200_000_000, 600_000_000, 2_000_000_000)


def node(draw: Draw, name: str, features: frozenset[str]) -> Manifest:
    """Draw a node; each feature that is asked for puts something on it."""
    offers = _resources(draw, plenty="resources" not in features)
    spec: Manifest = {}
    if "taints" in features:
        spec["taints"] = taints(draw)
        if draw.chance(0.1):
            spec["unschedulable"] = True
    status: Manifest = {"capacity": offers, "allocatable": offers, "conditions": _condition(draw)}
    if "images" in features:
        status["images"] = _images(draw)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": _labels(draw, name)},
        "spec": spec,
        "status": status,
    }


def taints(draw: Draw) -> list[Manifest]:
    """Draw taints; a key stands there once for each effect, as the API server demands."""
    drawn = {}
    for _ in range(draw.one((0, 0, 1, 1, 2, 3))):
        taint = {"key": draw.one(TAINT_KEYS), "effect": draw.one(EFFECTS)}
        drawn[tuple(taint.values())] = taint | {"value": draw.one(TAINT_VALUES)}
    return list(drawn.values())


def image_name(draw: Draw) -> str:
    """Draw the name of an image as a pod writes it."""
    return draw.one(REPOSITORIES) + draw.one(TAGS)


def _resources(draw: Draw, *, plenty: bool) -> Manifest:
    if plenty:
        few = draw.chance(0.1)
        return {"cpu": draw.one(CPU[:3]), "memory": "16Gi", "pods": "2" if few else "110"}
    offers = {"cpu": draw.one(CPU), "memory": draw.one(MEMORY)}
    offers["pods"] = draw.one(("110", "110", "110", "4", "2", "0"))
    if draw.chance(0.5):
        offers["ephemeral-storage"] = draw.one(("50Gi", "94477937300", "1G"))
    if draw.chance(0.4):
        offers["nvidia.com/gpu"] = draw.one(("0", "1", "2", "8"))
    if draw.chance(0.3):
        offers["hugepages-2Mi"] = draw.one(("64Mi", "128Mi", "0"))
    if draw.chance(0.2):
        offers["example.com/fpga"] = draw.one(("1", "10"))
    for name in ("cpu", "memory", "pods"):
        if draw.chance(0.03):
            del offers[name]
    return offers


def _condition(draw: Draw) -> list[Manifest]:
    status = "False" if draw.chance(0.05) else "True"
    return [{"type": "Ready", "status": status, "reason": "Drawn"}]


def _labels(draw: Draw, name: str) -> dict[str, str]:
    labels = {}
    if not draw.chance(0.04):
        labels[HOSTNAME] = draw.one(("n0", "elsewhere")) if draw.chance(0.05) else name
    if draw.chance(0.88):
        labels[ZONE] = f"z{draw.between(0, 3)}"
    if draw.chance(0.6):
        labels[REGION] = f"r{draw.between(0, 1)}"
    if draw.chance(0.6):
        labels[RACK] = f"rack{draw.between(0, 4)}"
    if draw.chance(0.6):
        labels["disk"] = draw.one(("ssd", "hdd", ""))
    if draw.chance(0.6):
        labels["gen"] = draw.one(
            ("1", "2", "3", "10", "007", "1_0", "new", str(2**63 - 1), str(2**63))
        )
    if draw.chance(0.3):
        labels["pool"] = draw.one(("a", "b"))
    return labels


def _images(draw: Draw) -> list[Manifest]:
    """Draw images; a name has one size in the whole cluster: kube-scheduler's rule is a race."""
    return [_image(draw, image_name(draw)) for _ in range(draw.between(0, 6))]


def _image(draw: Draw, name: str) -> Manifest:
    tagged = name if ":v" in name or ":latest" in name or "@" in name else f"{name}:latest"
    full = tagged if "/" in tagged or draw.chance(0.3) else f"docker.io/library/{tagged}"
    largest = SIZES[zlib.crc32(full.encode()) % len(SIZES)]
    size = zlib.crc32(full.encode()) % largest
    names = [full, f"{full}@sha256:{1:064}"] if draw.chance(0.2) and "@" not in full else [full]
    return {"names": names, "sizeBytes": size}
