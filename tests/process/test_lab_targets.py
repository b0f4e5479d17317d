"""`make` targets of the lab, against stand-ins for docker, kind and kubectl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from manifests import ROOT

TOOLS = ("make", "sh", "bash", "dirname", "cat")
RECORD = '#!/bin/sh\necho "$(basename "$0") $*" >> "$RECORD"\n'
DEAD = '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n'


@dataclass
class Bench:
    """A PATH of one's own, and what was called on it."""

    folder: Path

    def has(self, *programs: str, text: str = RECORD) -> None:
        """Put stand-ins there."""
        for program in programs:
            path = self.folder / program
            path.write_text(text)
            path.chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make there."""
        return subprocess.run(
            ["make", "--no-print-directory", "--directory", str(ROOT), *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": str(self.folder), "RECORD": str(self.folder / "record")},
            timeout=250,
        )

    def calls(self) -> list[str]:
        """Return what was called, without the question whether docker answers."""
        record = self.folder / "record"
        lines = record.read_text().splitlines() if record.exists() else []
        return [line for line in lines if line != "docker info"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    for tool in (*TOOLS, "basename"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    return Bench(tmp_path)


SELECTOR = "app in (my-scheduler-polling, my-scheduler-watch)"
SYSTEM = "kubectl --namespace kube-system"
TEST = [
    "kubectl delete pod test-pod --ignore-not-found",
    "kubectl apply -f examples/pods/test-pod.yaml",
    "kubectl wait pod/test-pod --for=condition=PodScheduled --timeout=60s",
    "kubectl get pod test-pod -o wide",
    f"{SYSTEM} logs --selector {SELECTOR} --tail=20",
]
CALLS = {
    "create-cluster": ["kind create cluster --name sched-lab --config deploy/kind/cluster.yaml"],
    "build": ["docker build --tag my-py-scheduler:latest ."],
    "kind-load": ["kind load docker-image my-py-scheduler:latest --name sched-lab"],
    "deploy-poll": [
        f"{SYSTEM} delete deployment my-scheduler-watch --ignore-not-found",
        "kubectl apply -k deploy/overlays/kind-poll",
        f"{SYSTEM} rollout status deployment/my-scheduler-polling --timeout=120s",
    ],
    "deploy-watch": [
        f"{SYSTEM} delete deployment my-scheduler-polling --ignore-not-found",
        "kubectl apply -k deploy/overlays/kind-watch",
        f"{SYSTEM} rollout status deployment/my-scheduler-watch --timeout=120s",
    ],
    "test-poll": TEST,
    "test-watch": TEST,
    "taint-label": [
        "kubectl label node sched-lab-worker3 environment=production --overwrite",
        "kubectl taint node sched-lab-worker3 environment=production:NoSchedule --overwrite",
        "kubectl apply -f examples/pods/production.yaml",
        "kubectl wait pod/test-prod pod/test1 pod/test2 --for=condition=PodScheduled --timeout=60s",
        "kubectl get pods -o wide",
    ],
    "logs": [f"{SYSTEM} logs --selector {SELECTOR} --tail=-1 --follow"],
    "undeploy-poll": ["kubectl delete -k deploy/overlays/kind-poll --ignore-not-found"],
    "undeploy-watch": ["kubectl delete -k deploy/overlays/kind-watch --ignore-not-found"],
    "delete-cluster": ["kind delete cluster --name sched-lab"],
}


@pytest.mark.parametrize("target", CALLS)
def test_a_target_prints_what_it_runs_and_runs_it(bench: Bench, target: str) -> None:
    bench.has("docker", "kind", "kubectl")
    done = bench.make(target)
    assert done.returncode == 0, done.stderr
    assert bench.calls() == CALLS[target]
    assert done.stdout.replace("'", "").splitlines() == CALLS[target]


@pytest.mark.parametrize("target", CALLS)
def test_a_target_without_its_programs_says_so_and_names_another_way(
    bench: Bench, target: str
) -> None:
    done = bench.make(target)
    assert done.returncode != 0
    assert not bench.calls()
    assert "error: " in done.stderr
    assert "installed" in done.stderr
    assert "the embedded cluster" in done.stderr


@pytest.mark.parametrize("target", ["create-cluster", "kind-load", "build"])
def test_a_docker_without_an_engine_is_not_enough(bench: Bench, target: str) -> None:
    bench.has("kind")
    bench.has("docker", text=DEAD)
    done = bench.make(target)
    assert done.returncode != 0
    assert "its engine does not answer" in done.stderr


@pytest.mark.parametrize("engine", ["podman", "buildah"])
def test_the_image_is_built_by_the_engine_that_is_there(bench: Bench, engine: str) -> None:
    bench.has("docker", text=DEAD)
    bench.has(engine)
    done = bench.make("build", "IMAGE=mine:1", "BUILD_OPTIONS=--build-arg TAG=3.12-slim")
    assert done.returncode == 0, done.stderr
    assert bench.calls() == [f"{engine} build --tag mine:1 --build-arg TAG=3.12-slim ."]


def test_names_can_be_chosen(bench: Bench) -> None:
    bench.has("docker", "kind", "kubectl")
    bench.make("kind-load", "CLUSTER=other", "IMAGE=mine:1")
    assert bench.calls() == ["kind load docker-image mine:1 --name other"]
