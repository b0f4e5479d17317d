"""Shapes of pods: what they ask for, and what they do where containers are really run."""

from __future__ import annotations

from typing import Any, Final

import msgspec

PAUSE_IMAGE: Final = "registry.k8s.io/pause:3.9"
BUSYBOX_IMAGE: Final = "busybox:1.36"


class Shape(msgspec.Struct, frozen=True):
    """One kind of pod.

    Attributes:
        script: for a shell; empty runs what the image does by itself.
    """

    image: str
    cpu: str
    memory: str
    script: str = ""


SHAPES: Final[dict[str, Shape]] = {
    "pause": Shape(PAUSE_IMAGE, "10m", "16Mi"),
    "nginx": Shape("nginx:1.27-alpine", "50m", "64Mi"),
    "cpu": Shape(BUSYBOX_IMAGE, "100m", "16Mi", "while :; do :; done"),
    "ram": Shape(BUSYBOX_IMAGE, "10m", "96Mi", "x=$(head -c 64m /dev/zero | tr '\\0' x); sleep 1d"),
    "io": Shape(
        BUSYBOX_IMAGE,
        "20m",
        "32Mi",
        "while :; do dd if=/dev/zero of=/tmp/data bs=1M count=16 conv=fsync; done",
    ),
}


def pod_manifest(name: str, shape: Shape, scheduler_name: str) -> dict[str, Any]:
    """Make the manifest of a pod."""
    container: dict[str, Any] = {
        "name": "main",
        "image": shape.image,
        "resources": {
            "requests": {"cpu": shape.cpu, "memory": shape.memory},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
    }
    if shape.script:
        container["command"] = ["sh", "-c", shape.script]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "compare"}},
        "spec": {
            "schedulerName": scheduler_name,
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }
