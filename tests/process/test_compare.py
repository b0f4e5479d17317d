"""`pilotfish compare` as a person sees it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster_process import ClusterProcess
from command_line import told
from living import family, wait_for_the_end

SMALL = ("--pods", "4", "--rate", "10", "--repetitions", "1", "--warm-up", "1")


def started(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pilotfish", "compare", "--out", str(folder / "out"), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )


def ended(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = child.communicate(timeout=250)
    return child.returncode, out, err


def rows(folder: Path, name: str) -> Sequence[dict[str, str]]:
    with (folder / "out" / name).open() as file:
        return list(csv.DictReader(file))


def test_polling_and_watch_are_measured_alike(tmp_path: Path) -> None:
    code, out, err = ended(started(tmp_path, *SMALL, "--interval", "0.5"))
    assert (code, err) == (0, "")
    assert "creation to bound, p50 ms" in out
    runs = {run["scheduler"]: run for run in rows(tmp_path, "runs.csv")}
    assert list(runs) == ["polling 0.5 s", "watch"]
    for run in runs.values():
        assert run["ran"] == "4"
        assert float(run["cpu_s"]) > 0
        assert float(run["peak_memory_mb"]) > 10
        assert '"create pods/binding": 4' in run["requests_by_kind"]
        assert '"Scheduled": 4' in run["events_by_reason"]
    assert '"list pods"' in runs["polling 0.5 s"]["requests_by_kind"]
    assert '"list pods"' not in runs["watch"]["requests_by_kind"]
    assert int(runs["polling 0.5 s"]["said_cycles"]) > 0
    assert runs["watch"]["said_added"] == "4"
    pods = rows(tmp_path, "results.csv")
    assert len(pods) == 8
    for pod in pods:
        assert float(pod["creation_to_detected_s"]) > 0
        assert 0 < float(pod["creation_to_bound_s"]) <= float(pod["creation_to_running_s"])
    report = (tmp_path / "out" / "report.html").read_text()
    assert "polling 0.5 s" in report
    assert f"pilotfish compare --out {tmp_path / 'out'}" in report
    assert "| polling 0.5 s | watch |" in (tmp_path / "out" / "lab-report.md").read_text()


def test_a_scheduler_that_dies_is_a_result_and_the_others_go_on(tmp_path: Path) -> None:
    dying = f"dying={sys.executable} -c \"import sys; print('no such thing'); sys.exit(3)\""
    code, out, _ = ended(started(tmp_path, *SMALL, "--no-polling", "--against", dying))
    assert code == 1
    assert "dying, repetition 1: the scheduler ended with exit code 3" in out
    assert "no such thing" in out
    runs = {run["scheduler"]: run for run in rows(tmp_path, "runs.csv")}
    assert runs["watch"]["ran"] == "4"
    assert (runs["dying"]["ran"], runs["dying"]["events"]) == ("0", "")


def test_a_scheduler_that_runs_already_is_measured_from_outside(tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        options = ("--no-polling", "--no-watch", "--against", "default-scheduler")
        where = ("--kubeconfig", str(cluster.kubeconfig))
        code, out, err = ended(started(tmp_path, *SMALL, *options, *where))
        left = cluster.kubectl("get", "namespaces", "-o", "name")
    assert (code, err) == (0, "")
    assert "not measured" in out
    (run,) = rows(tmp_path, "runs.csv")
    assert (run["ran"], run["cpu_s"], run["requests"]) == ("4", "", "")
    assert "compare-" not in left


def test_requests_are_counted_at_the_server_and_not_in_the_log(tmp_path: Path) -> None:
    """A scheduler that writes LIST a thousand times asks for nothing by that."""
    chatty = "import time; print('LIST /api/v1/pods\\n' * 1000, flush=True); time.sleep(60)"
    against = f'chatty={sys.executable} -c "{chatty}"'
    options = ("--no-polling", "--no-watch", "--against", against, "--warm-up", "0")
    code, _, _ = ended(started(tmp_path, *SMALL, *options, "--patience", "2"))
    assert code == 1
    (run,) = rows(tmp_path, "runs.csv")
    assert run["requests"] == "0"


def test_pods_are_those_of_the_scheduler_that_is_measured(tmp_path: Path) -> None:
    """With kube-scheduler's place taken, a pod without schedulerName would be bound by it."""
    with ClusterProcess(tmp_path) as cluster:
        options = ("--no-polling", "--no-watch", "--against", "nobody", "--patience", "2")
        where = ("--kubeconfig", str(cluster.kubeconfig))
        code, _, err = ended(started(tmp_path, *SMALL, *options, *where))
    assert code == 1
    assert "does a scheduler answer to schedulerName nobody?" in err


def test_no_more_pods_than_the_limit_exist_at_once(tmp_path: Path) -> None:
    limit = ("--arrivals", "many", "--max-running", "1", "--hold", "0.2")
    code, _, err = ended(started(tmp_path, *SMALL, "--no-polling", *limit))
    assert (code, err) == (0, "")
    pods = rows(tmp_path, "results.csv")
    assert all(pod["outcome"] == "ran" for pod in pods)
    ends = [float(pod["created_s"]) + float(pod["creation_to_running_s"]) for pod in pods]
    begins = [float(pod["created_s"]) for pod in pods]
    assert all(later >= end + 0.2 for end, later in zip(ends, begins[1:], strict=False))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_was_measured_and_leaves_nothing_running(
    tmp_path: Path, number: signal.Signals
) -> None:
    child = started(tmp_path, *SMALL, "--repetitions", "100", "--no-polling")
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("run 2 of 100"):
            break
    descendants = family(child.pid)
    child.send_signal(number)
    code, out, err = ended(child)
    assert code == 130, err
    assert "interrupted; what was measured is kept" in out
    pods = rows(tmp_path, "results.csv")
    assert [pod["outcome"] for pod in pods[:4]] == ["ran"] * 4
    assert (tmp_path / "out" / "report.html").exists()
    assert descendants
    wait_for_the_end(*descendants)


def test_ctrl_c_before_the_first_pod_is_no_error(tmp_path: Path) -> None:
    child = started(tmp_path, *SMALL, "--warm-up", "600")
    assert child.stdout is not None
    next(line for line in child.stdout if line.startswith("run 1 of 2"))
    child.send_signal(signal.SIGINT)
    assert ended(child) == (130, "interrupted; nothing was measured yet\n", "")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--no-polling", "--no-watch"), "error: nothing to compare"),
        (("--against", "No Name"), "error: invalid value for '--against': No Name"),
        (("--against", "a=x", "--against", "a"), "error: two schedulers of --against"),
        (("--shape", "huge"), "error: invalid value for '--shape'"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: tuple[str, ...], complaint: str
) -> None:
    code, _, err = told(capsys, "compare", "--out", str(tmp_path / "out"), *options)
    assert code == 2
    assert err.startswith(complaint)
    assert not (tmp_path / "out").exists()


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    options = ("--no-polling", "--no-watch", "--against", "mine=no-such-program --x")
    code, _, err = ended(started(tmp_path, *SMALL, *options))
    assert code == 1
    assert err.splitlines()[0].startswith("error: cannot start no-such-program")


def test_no_scheduler_waits_for_images_that_others_find_there(tmp_path: Path) -> None:
    shapes = ("--shape", "nginx", "--shape", "io", "--warm-up", "0")
    code, _, err = ended(started(tmp_path, *SMALL, *shapes, "--no-polling"))
    assert (code, err) == (0, "")
    (run,) = rows(tmp_path, "runs.csv")
    assert '"Pulled": 4' in run["events_by_reason"]
    assert "Pulling" not in run["events_by_reason"]
