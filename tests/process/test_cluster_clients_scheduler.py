"""The real kube-scheduler works for the embedded cluster."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.objects import container, deployment
from controlplane import wait_until
from controlplane.binaries import binary
from embedded_cluster import EmbeddedCluster

pytestmark = pytest.mark.controlplane

NODES = 20
REPLICAS = 50


@pytest.fixture
def cluster() -> Iterator[EmbeddedCluster]:
    """Twenty nodes, and nobody who schedules."""
    with EmbeddedCluster("--nodes", str(NODES), "--no-scheduler") as running:
        yield running


@pytest.fixture
def kube_scheduler(cluster: EmbeddedCluster, tmp_path: Path) -> Iterator[Path]:
    """kube-scheduler v1.36.3; gives its log."""
    settings = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": True},
        "clientConnection": {
            "kubeconfig": str(cluster.kubeconfig),
            "contentType": "application/json",
        },
    }
    config, log = tmp_path / "scheduler.yaml", tmp_path / "scheduler.log"
    config.write_text(json.dumps(settings))
    argv = [binary("kube-scheduler"), f"--config={config}", "--authentication-skip-lookup"]
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*argv, "--secure-port=0"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )
    yield log
    child.kill()
    child.wait()


def test_kube_scheduler_places_a_deployment(cluster: EmbeddedCluster, kube_scheduler: Path) -> None:
    """It fills its caches, leads by a Lease, binds, and its Events can be read."""
    wanted = deployment("web", replicas=REPLICAS)
    spec = wanted["spec"]["template"]["spec"]
    spec["schedulerName"] = "default-scheduler"
    spec["containers"] = [container(resources={"requests": {"cpu": "500m"}})]
    cluster.api.create(wanted)
    path = "/apis/apps/v1/namespaces/default/deployments/web"

    def are_available() -> bool:
        return bool(cluster.api.get(path)["status"].get("availableReplicas") == REPLICAS)

    wait_until(are_available, f"all replicas; see {kube_scheduler}")
    pods = cluster.api.items("/api/v1/namespaces/default/pods?labelSelector=app%3Dweb")
    spread = Counter(each["spec"]["nodeName"] for each in pods)
    assert len(spread) == NODES
    assert max(spread.values()) <= 3, "2.5 pods of half a CPU each"
    path = "/api/v1/namespaces/default/events?fieldSelector=reason%3DScheduled"
    wait_until(lambda: len(cluster.api.items(path)) == REPLICAS, "an Event for each pod")
    reporting = {each["reportingComponent"] for each in cluster.api.items(path)}
    assert reporting == {"default-scheduler"}
    lease = cluster.api.get(
        "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler"
    )
    assert lease["spec"]["holderIdentity"]
