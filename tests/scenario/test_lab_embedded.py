"""The lab's make targets and manifests, on an embedded cluster that runs the image as a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from controlplane import missing_binaries
from embedded_cluster import EmbeddedCluster
from manifests import ROOT, kubectl

IMAGE = f"my-py-scheduler:latest={sys.executable} -m pilotfish"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@pytest.fixture
def cluster() -> Iterator[EmbeddedCluster]:
    """Four nodes, of which one is the control plane."""
    if "kubectl" in missing_binaries():
        pytest.skip("kubectl is missing: build it with `make controlplane`")
    with EmbeddedCluster("--nodes", "4", "--seed", "1", "--local-image", IMAGE) as running:
        running.kubectl("label", "node", "node-1", f"{CONTROL_PLANE}=")
        running.kubectl("taint", "node", "node-1", f"{CONTROL_PLANE}=:NoSchedule")
        yield running


def make(cluster: EmbeddedCluster, target: str) -> str:
    command = f"{kubectl()} --kubeconfig={cluster.kubeconfig}"
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), target, f"KUBECTL={command}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(1200)
def test_the_lab_goes_from_watch_to_polling_and_to_its_end(cluster: EmbeddedCluster) -> None:
    make(cluster, "deploy-watch")
    pods = cluster.api.items("/api/v1/namespaces/kube-system/pods")
    (scheduler,) = [pod for pod in pods if pod["metadata"]["labels"].get("app")]
    assert scheduler["spec"]["nodeName"] == "node-1"
    said = make(cluster, "test-watch")
    assert "[watch] scheduler starting… name=my-scheduler" in said
    assert "Bound default/test-pod -> " in said
    make(cluster, "deploy-poll")
    said = make(cluster, "test-poll")
    assert "[polling] scheduler starting… name=my-scheduler" in said
    assert "Detected Pending Pod default/test-pod" in said
    assert "Bound default/test-pod -> " in said
    make(cluster, "undeploy-poll")
    assert not cluster.api.items("/apis/apps/v1/namespaces/kube-system/deployments")
