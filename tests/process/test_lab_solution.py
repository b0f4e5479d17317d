"""The lab's solution with the official client alone, on the lab's own pods."""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_process import ClusterProcess
from controlplane import wait_until
from lab_variants import SOLUTION
from manifests import ROOT
from official_client import client_python

PODS = ROOT / "examples" / "pods"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcess]:
    """A cluster without a scheduler."""
    with ClusterProcess(tmp_path_factory.mktemp("cluster"), "--no-scheduler") as process:
        yield process


@pytest.fixture(params=["polling", "watch"])
def log(cluster: ClusterProcess, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The log of the solution, which runs."""
    path = tmp_path / "log"
    options = ("--mode", request.param, "--interval", "0.5", "--scheduler-name", "my-scheduler")
    with path.open("w") as output:
        child = subprocess.Popen(
            [client_python(), SOLUTION, *options, "--kubeconfig", cluster.kubeconfig],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    yield path
    child.kill()
    child.wait()
    cluster.kubectl("delete", "pods", "--all", "--wait=true")


def test_it_keeps_a_production_node_for_those_who_require_and_tolerate_it(
    cluster: ClusterProcess, log: Path
) -> None:
    cluster.kubectl("label", "node", "node-2", "environment=production", "--overwrite")
    taint = "environment=production:NoSchedule"
    cluster.kubectl("taint", "node", "node-2", taint, "--overwrite")
    cluster.kubectl("cordon", "node-3")
    cluster.kubectl("apply", "-f", str(PODS / "production.yaml"))
    names = ("pod/test-prod", "pod/test1", "pod/test2")
    cluster.kubectl("wait", "--for=condition=PodScheduled", "--timeout=120s", *names)
    pods = {
        pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in cluster.get("pods")["items"]
    }
    assert pods == {"test-prod": "node-2", "test1": "node-1", "test2": "node-1"}
    wait_until(lambda: "Bound default/test-prod -> node-2" in log.read_text(), "the line of a bind")
    assert "node-3" not in log.read_text()


def test_a_pod_that_fits_nowhere_is_tried_later_and_later(
    cluster: ClusterProcess, log: Path
) -> None:
    began = time.monotonic()
    cluster.kubectl("apply", "-f", str(PODS / "too-big.yaml"))
    refused = ("wait", "--for=condition=PodScheduled=false", "--timeout=120s", "pod/too-big")
    cluster.kubectl(*refused)
    cluster.kubectl("apply", "-f", str(PODS / "test-pod.yaml"))
    cluster.kubectl("wait", "--for=condition=PodScheduled", "--timeout=120s", "pod/test-pod")
    (condition,) = [
        one
        for one in cluster.get("pod", "too-big")["status"]["conditions"]
        if one["type"] == "PodScheduled"
    ]
    assert condition["reason"] == "Unschedulable"
    assert "Insufficient memory" in condition["message"]
    tries = log.read_text().count("Detected Pending Pod default/too-big")
    assert tries <= 1 + math.log2(1 + time.monotonic() - began), "its pauses double, from a second"
