"""pilotfish in the lab's Deployments: the groups' scripts and `lab check` find what they seek."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_process import ClusterProcess, kubectl_path
from controlplane import wait_until
from manifests import ROOT

pytestmark = pytest.mark.timeout(400)

IMAGE = f"my-py-scheduler:latest={sys.executable} -m pilotfish"
SKELETON = ROOT / "src" / "pilotfish" / "lab" / "skeleton"
WORDS = {
    "polling": (
        "Checking pending pods",
        "No pending pods",
        "Detected Pending Pod",
        "Bound default/measured",
    ),
    "watch": ("Pod added", "Bound default/measured"),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcess]:
    """The lab's nodes, and an image that is pilotfish."""
    nodes = str(SKELETON / "cluster.yaml.txt")
    folder = tmp_path_factory.mktemp("cluster")
    with ClusterProcess(folder, "--config", nodes, "--local-image", IMAGE) as process:
        yield process


@pytest.fixture(params=["polling", "watch"])
def mode(cluster: ClusterProcess, request: pytest.FixtureRequest) -> Iterator[str]:
    """Deploy pilotfish in one mode."""
    mode: str = request.param
    overlay = str(ROOT / "deploy" / "overlays" / {"polling": "kind-poll"}.get(mode, "kind-watch"))
    cluster.kubectl("apply", "-k", overlay)
    deployment = f"deployment/my-scheduler-{mode}"
    cluster.kubectl("-n", "kube-system", "rollout", "status", deployment, "--timeout=120s")
    if mode == "polling":  # it has looked once and found nothing
        log = ("-n", "kube-system", "logs", deployment)
        wait_until(lambda: "No pending pods" in cluster.kubectl(*log), "an empty cycle")
    yield mode
    cluster.kubectl("delete", "-k", overlay, "--cascade=foreground")


def check(cluster: ClusterProcess, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "pilotfish", "lab", "check", *options),
            *("--kubeconfig", str(cluster.kubeconfig)),
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_the_groups_scripts_find_every_word_that_they_count(
    cluster: ClusterProcess, mode: str
) -> None:
    script = ROOT / "examples" / "lab" / f"metrics-{mode}.sh"
    path = os.pathsep.join([str(Path(kubectl_path()).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", str(script)],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig), "PATH": path},
    )
    assert (done.returncode, done.stderr) == (0, "")
    latency = re.search(r"^latency to detection +([0-9.]+) s$", done.stdout, re.MULTILINE)
    assert latency is not None
    assert float(latency[1]) > 0
    for word in WORDS[mode]:
        assert re.search(rf"^{word} +[1-9]", done.stdout, re.MULTILINE), f"{word}: {done.stdout}"
    assert re.search(r"^node and phase +sched-lab-worker-\d Running$", done.stdout, re.MULTILINE)
    assert "Successfully assigned default/measured to sched-lab-worker-" in done.stdout
    assert re.search(rf"^my-scheduler-{mode}-\S+ +\d+m +\d+Mi", done.stdout, re.MULTILINE)


def test_the_check_reads_log_and_role_of_what_is_deployed(
    cluster: ClusterProcess, mode: str
) -> None:
    done = check(cluster)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"says so in its log: the log of kube-system/my-scheduler-{mode}-" in done.stdout
    assert "has a role of its own: ServiceAccount kube-system/my-scheduler" in done.stdout
    judged = done.stdout.split("the lab:")[0].split("not judged")
    assert len(judged) - 1 == done.stdout.count("only --command shows requests")


@pytest.mark.parametrize("mode", ["watch"], indirect=True)
def test_a_borrowed_role_is_caught_by_name(cluster: ClusterProcess, mode: str) -> None:
    del mode  # deployed
    borrowed = ("--clusterrole=system:kube-scheduler", "--serviceaccount=kube-system:my-scheduler")
    cluster.kubectl("create", "clusterrolebinding", "borrowed", *borrowed)
    done = check(cluster, "3")
    cluster.kubectl("delete", "clusterrolebinding", "borrowed")
    assert done.returncode == 1
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("failed")]
    assert line.removeprefix("failed").strip() == (
        "has a role of its own: ServiceAccount kube-system/my-scheduler has the role "
        "system:kube-scheduler by borrowed"
    )
