"""Print the peak memory, in MB, of a scheduler that reads 5,000 nodes and 50,000 pods in place.

The pods have 1,000 distinct specs, and names and labels of their own. They are decoded page by
page, as over HTTP.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, TypeVar

import workload
from pilotfish.api.codec import decode_list
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod

NODES: Final = 5_000
PODS: Final = 50_000
SPECS: Final = 1_000
PAGE: Final = 500  # objects, as the reflectors ask for

T = TypeVar("T", bound=KubernetesObject)


def node(number: int) -> dict[str, Any]:
    """Make a node as the API server shows it, as far as scheduling reads it."""
    name = f"node-{number}"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": f"zone-{number % 3}",
        "topology.kubernetes.io/region": "region-1",
        "node.kubernetes.io/instance-type": f"type-{number % 5}",
    }
    images = [{"names": [image], "sizeBytes": 50 << 20} for image in workload.IMAGES]
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": labels},
        "status": {
            "allocatable": {"cpu": "32", "memory": "64Gi", "pods": "110"},
            "images": images,
        },
    }


def pod(number: int) -> dict[str, Any]:
    """Make a pod in place; a tenth of the specs have anti-affinity."""
    spec_number = number % SPECS
    app = {"app": f"app-{spec_number}"}
    name = f"app-{spec_number}-{number}"
    spec: dict[str, Any] = {
        "nodeName": f"node-{number % NODES}",
        "containers": [
            {
                "name": "main",
                "image": f"registry.example/app-{spec_number}:v1",
                "resources": {"requests": {"cpu": f"{10 + spec_number}m", "memory": "256Mi"}},
            }
        ],
        "tolerations": [
            {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute"}
            for key in ("not-ready", "unreachable")
        ],
    }
    if spec_number % 10 == 0:
        term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": app}}
        spec["affinity"] = {"podAntiAffinity": {workload.REQUIRED: [term]}}
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"2f0ab6c1-0000-4000-8000-{number:012}",
            "resourceVersion": f"{number}",
            "labels": {**app, "pod-template-hash": f"{spec_number:010x}", "instance": name},
        },
        "spec": spec,
        "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z"},
    }


def listed(kind: type[T], items: list[dict[str, Any]]) -> tuple[T, ...]:
    """Decode objects page by page."""
    found: list[T] = []
    for start in range(0, len(items), PAGE):
        found += decode_list(
            kind, json.dumps({"items": items[start : start + PAGE]}).encode()
        ).items
    return tuple(found)


def main() -> None:
    """Fill a scheduler and print the most memory that the process ever had."""
    nodes = listed(Node, [node(number) for number in range(NODES)])
    pods: list[Pod] = []
    for start in range(0, PODS, PAGE):
        pods += listed(Pod, [pod(number) for number in range(start, start + PAGE)])
    scheduler = workload.scheduler(nodes, tuple(pods))
    counted = len(scheduler.cache.pod_uids())
    if counted != PODS:
        raise RuntimeError(f"{counted} of {PODS} pods count")
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) / 1024)


if __name__ == "__main__":
    main()
