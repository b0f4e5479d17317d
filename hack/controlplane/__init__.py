"""The real control plane on loopback: etcd, kube-apiserver and friends, started for one test run.

Nothing outlives its owner, not even one that is killed; see `processes`.

    with ControlPlane(kwok=True, scheduler=SchedulerOptions()) as cp:
        cp.create(node_manifest(f"node-{i}") for i in range(20))
        print(cp.kubectl("get", "nodes"))
"""

from controlplane.api import Api, ApiError
from controlplane.binaries import BINARIES, missing_binaries
from controlplane.cluster import ControlPlane
from controlplane.manifests import node_manifest, pod_manifest
from controlplane.processes import ControlPlaneError
from controlplane.scheduler import SchedulerOptions
from controlplane.waiting import wait_until

__all__ = [
    "BINARIES",
    "Api",
    "ApiError",
    "ControlPlane",
    "ControlPlaneError",
    "SchedulerOptions",
    "missing_binaries",
    "node_manifest",
    "pod_manifest",
    "wait_until",
]
