"""`pilotfish lab start`, and what a program says of the report."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from cluster_process import ClusterProcess
from controlplane import wait_until
from official_client import client_python
from pilotfish.lab.report_check import PAGE_WORDS, check_report

FILES = {
    "scheduler.py",
    "requirements.txt",
    "Dockerfile",
    "rbac-deploy.yaml",
    "test-pod.yaml",
    "cluster.yaml",
    "README.md",
}
TEMPLATE = files("pilotfish.compare").joinpath("lab_report.md").read_text(encoding="utf-8")
REPORT = """# A custom Kubernetes scheduler

## Node selection

We choose the node with the fewest pods that has room.

## Policy extension

A filter leaves out nodes without env=prod.

## Polling against watch

1037 ms against 14 ms; 120 requests against 24.
"""


def start(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pilotfish", "lab", "start", str(folder)],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_start_writes_the_files_of_the_lab(tmp_path: Path) -> None:
    done = start(tmp_path / "mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == FILES
    for name in FILES:
        assert str(tmp_path / "mine" / name) in done.stdout.splitlines()
    assert "TODO (step 3)" in (tmp_path / "mine" / "scheduler.py").read_text()


def test_a_file_that_is_there_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "scheduler.py").write_text("mine")
    done = start(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"error: {tmp_path} has scheduler.py already",
        "hint: name another folder; nothing was written",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["scheduler.py"]
    assert (tmp_path / "scheduler.py").read_text() == "mine"


def test_the_skeleton_sees_its_pods_with_the_official_client_and_binds_none(
    tmp_path: Path,
) -> None:
    python = client_python()
    assert start(tmp_path / "mine").returncode == 0
    log = tmp_path / "log"
    with ClusterProcess(tmp_path) as cluster:
        cluster.kubectl("apply", "-f", str(tmp_path / "mine" / "test-pod.yaml"))
        with log.open("w") as output:
            child = subprocess.Popen(
                [str(python), "scheduler.py", "--kubeconfig", str(cluster.kubeconfig)],
                cwd=tmp_path / "mine",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"KUBECONFIG": "none"},
            )
        try:
            wait_until(lambda: "to choose from" in log.read_text(), "it sees the pod")
        finally:
            child.kill()
            child.wait()
        pod = cluster.get("pod", "test-pod")
    assert log.read_text().splitlines() == [
        "[watch-student] scheduler starting… name=my-scheduler",
        "Pod added default/test-pod",
        "3 nodes to choose from for test-pod",
    ]
    assert "nodeName" not in pod["spec"]


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        (REPORT, "there, a page long, and about all that it should be about"),
        (REPORT + "*What went wrong?*\n", "1 questions of the template are not answered"),
        (TEMPLATE, "4 questions of the template are not answered"),
        (REPORT.replace("polling", "it").replace("Polling", "It"), "nothing about polling"),
        (REPORT + "word " * PAGE_WORDS, "words beside the tables are more than a page"),
        (REPORT + "| word " * PAGE_WORDS, "there, a page long"),
    ],
)
def test_a_report_is_read_for_what_it_should_be_about(
    tmp_path: Path, text: str, remarks: str
) -> None:
    path = tmp_path / "report.md"
    path.write_text(text)
    assert remarks in check_report(path)


def test_a_report_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert check_report(None) == "no --report FILE was named"
    assert "cannot be read" in check_report(tmp_path / "none.md")
