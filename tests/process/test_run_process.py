"""`pilotfish run` on the real control plane, as a person sees it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cluster_story import Story
from controlplane import ControlPlane, node_manifest, wait_until
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.effects import Bind
from pilotfish.core.log import decode_call, replay
from pilotfish.core.scheduler import Scheduler
from pilotfish.plugins.default import default_profile
from scheduler_process import SchedulerProcess
from scheduler_role import grant

pytestmark = pytest.mark.controlplane

NAME = "run-under-test"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


@pytest.fixture(scope="module")
def kubeconfig(control_plane: ControlPlane) -> Path:
    """A ServiceAccount with the permissions of a scheduler, and no more."""
    path = control_plane.service_account_kubeconfig("kube-system", "run-test")
    grant(control_plane, "run-test")
    return path


@pytest.fixture
def nodes(control_plane: ControlPlane) -> Iterator[list[str]]:
    """Three ready nodes."""
    names = [f"run-node-{n}" for n in range(3)]
    control_plane.create(node_manifest(name) for name in names)
    control_plane.wait_for_nodes(3)
    yield names
    for name in names:
        control_plane.api.delete(f"/api/v1/nodes/{name}")


@pytest.fixture
def story(control_plane: ControlPlane, namespace: str) -> Story:
    return Story(control_plane, namespace)


def make(story: Story, *names: str, **options: Any) -> None:
    story.create(names, scheduler_name=NAME, **options)


def run_to_end(kubeconfig: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a scheduler that is expected to end by itself."""
    inherited = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-m", "pilotfish", "run", "--kubeconfig", str(kubeconfig), *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=250,
        env=inherited,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """Return the error and the hint of a scheduler that could not start."""
    assert done.returncode == 1, done.stderr
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error, hint


def test_watch_binds_a_pod_and_says_so(kubeconfig: Path, nodes: list[str], story: Story) -> None:
    with SchedulerProcess(kubeconfig, scheduler_name=NAME) as scheduler:
        make(story, "a")
        node = story.wait_bound(["a"])["a"]
        pod = f"{story.namespace}/a"
        scheduler.wait_for(f"^Bound {pod} -> {node}$")
        code = scheduler.stop()
    lines = scheduler.lines
    assert node in nodes
    assert lines[0] == f"[watch] scheduler starting… name={NAME}"
    assert lines.index(f"Pod added {pod}") < lines.index(f"Bound {pod} -> {node}")
    assert (code, lines[-1]) == (0, "stopping: 0 binds in flight")


def test_polling_binds_a_pod_and_says_so(kubeconfig: Path, nodes: list[str], story: Story) -> None:
    options = ("--mode", "polling", "--interval", "0.5")
    with SchedulerProcess(kubeconfig, *options, scheduler_name=NAME) as scheduler:
        scheduler.wait_for("^No pending pods$")
        make(story, "a")
        node = story.wait_bound(["a"])["a"]
        pod = f"{story.namespace}/a"
        scheduler.wait_for(f"^Bound {pod} -> {node}$")
        code = scheduler.stop()
    lines = scheduler.lines
    assert node in nodes
    assert lines[:3] == (
        f"[polling] scheduler starting… name={NAME}",
        "Checking pending pods",
        "No pending pods",
    )
    assert lines.index(f"Detected Pending Pod {pod}") < lines.index(f"Bound {pod} -> {node}")
    assert lines.count(f"Detected Pending Pod {pod}") == 1
    assert code == 0


def test_polling_sleeps_between_its_cycles(
    control_plane: ControlPlane, kubeconfig: Path, nodes: list[str]
) -> None:
    """A loop that never sleeps when nothing is pending asks for thousands of lists a second."""
    assert nodes
    options = ("--mode", "polling", "--interval", "1")
    with SchedulerProcess(kubeconfig, *options, scheduler_name=NAME) as scheduler:
        wait_until(lambda: scheduler.count("^Checking") >= 4, "four cycles")
        scheduler.stop()
    started = [
        datetime.fromisoformat(event["requestReceivedTimestamp"])
        for event in control_plane.audit_events()
        if event["stage"] == "ResponseComplete"
        and event["verb"] == "list"
        and event["user"].get("username", "").endswith(":run-test")
        and event["objectRef"]["resource"] == "pods"
    ][-4:]
    gaps = [(b - a).total_seconds() for a, b in pairwise(started)]
    assert all(gap > 0.8 for gap in gaps), gaps


def test_impossible_pod_is_explained_in_log_event_and_condition(
    kubeconfig: Path, nodes: list[str], story: Story
) -> None:
    assert nodes
    message = (
        "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )
    with SchedulerProcess(kubeconfig, scheduler_name=NAME) as scheduler:
        make(story, "huge", cpu="1000")
        scheduler.wait_for(f"^{story.namespace}/huge is unschedulable: 0/3 nodes are available: ")
        condition = story.wait_condition("huge")
        wait_until(lambda: story.events("huge", "FailedScheduling"), "an Event")
    (event,) = story.events("huge", "FailedScheduling")
    assert (condition["reason"], condition["message"]) == ("Unschedulable", message)
    assert (event["note"], event["reportingController"]) == (message, NAME)
    assert event["metadata"]["name"].startswith("huge.")


def test_dry_run_decides_and_writes_nothing(
    control_plane: ControlPlane, kubeconfig: Path, nodes: list[str], story: Story
) -> None:
    assert nodes
    make(story, "a")
    make(story, "huge", cpu="1000")
    with SchedulerProcess(kubeconfig, "--dry-run", scheduler_name=NAME) as scheduler:
        scheduler.wait_for(f"^would bind {story.namespace}/a -> run-node-")
        scheduler.wait_for(f"^{story.namespace}/huge is unschedulable")
        assert scheduler.stop() == 0
    assert story.node_of("a") == ""
    written = [
        event["requestURI"]
        for event in control_plane.audit_events()
        if event["user"].get("username", "").endswith(":run-test")
        and event["verb"] not in {"list", "watch"}
        and story.namespace in event["requestURI"]
    ]
    assert written == []


def test_recorded_run_can_be_repeated_without_a_cluster(
    kubeconfig: Path, nodes: list[str], story: Story, tmp_path: Path
) -> None:
    assert nodes
    log, names = tmp_path / "inputs.jsonl", [f"p{n}" for n in range(8)]
    options = ("--record", str(log), "--seed", "7")
    with SchedulerProcess(kubeconfig, *options, scheduler_name=NAME) as scheduler:
        make(story, *names)
        bound = story.wait_bound(names)
        wait_until(lambda: scheduler.count("^Bound ") == len(names), "all words")
        scheduler.stop()
    again = Scheduler(
        {NAME: default_profile(NAME)},
        SchedulerSettings(),
        random.Random(7),
        frozenset({"nodes", "pods"}),
    )
    binds: dict[str, str] = {}
    with log.open("rb") as lines:
        for line in lines:
            for effect in replay(decode_call(line), again):
                if isinstance(effect, Bind):
                    binds[effect.name] = effect.node_name
    assert binds == bound


def test_json_log_has_the_same_words(kubeconfig: Path, nodes: list[str], story: Story) -> None:
    assert nodes
    with SchedulerProcess(kubeconfig, "--log-format", "json", scheduler_name=NAME) as scheduler:
        make(story, "a")
        node = story.wait_bound(["a"])["a"]
        scheduler.wait_for("Bound ")
    lines = [json.loads(line) for line in scheduler.lines]
    (bound,) = (line for line in lines if line["message"].startswith("Bound "))
    pod = f"{story.namespace}/a"
    assert bound["message"] == f"Bound {pod} -> {node}"
    assert (bound["level"], bound["pod"], bound["node"]) == ("info", pod, node)


def test_server_that_is_down_is_waited_for_and_found_again(
    control_plane: ControlPlane, kubeconfig: Path, nodes: list[str], story: Story
) -> None:
    assert nodes
    control_plane.kill_apiserver()
    down = f"waiting for the API server at {control_plane.url}: connection refused"
    with SchedulerProcess(kubeconfig, scheduler_name=NAME) as scheduler:
        scheduler.wait_for(f"^warning: {down}$")
        control_plane.start_apiserver()
        scheduler.wait_for("answers again$")
        make(story, "a")
        story.wait_bound(["a"])
        control_plane.restart_apiserver()
        make(story, "b")
        story.wait_bound(["b"])
        assert scheduler.is_running


def test_second_default_scheduler_is_refused_while_the_lease_is_held(
    control_plane: ControlPlane,
) -> None:
    admin, name = control_plane.kubeconfig, ("--scheduler-name", "default-scheduler")
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "kube-scheduler", "namespace": "kube-system"},
        "spec": {
            "holderIdentity": "master_1",
            "leaseDurationSeconds": 3600,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }
    control_plane.api.create(lease)
    try:
        error, hint = complaint(run_to_end(admin, *name))
        assert "master_1 is running" in error
        assert "--force" in hint
        with SchedulerProcess(admin, "--force", scheduler_name="default-scheduler") as forced:
            assert forced.is_running
    finally:
        control_plane.api.delete(f"{LEASES}/kube-scheduler")
    with SchedulerProcess(
        admin, "--mode", "polling", scheduler_name="default-scheduler"
    ) as scheduler:
        scheduler.wait_for("^Checking pending pods$")


def test_refused_credentials_end_the_start(kubeconfig: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad-token"
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"]["token"] = str(tmp_path)
    bad.write_text(json.dumps(config))
    for mode in ("watch", "polling"):
        error, hint = complaint(run_to_end(bad, "--mode", mode))
        assert "refused the credentials" in error
        assert "token" in hint
        assert str(tmp_path) not in error + hint


def test_missing_permission_to_list_ends_the_start(control_plane: ControlPlane) -> None:
    nobody = control_plane.service_account_kubeconfig("kube-system", "run-test-nobody")
    for mode in ("watch", "polling"):
        error, hint = complaint(run_to_end(nobody, "--mode", mode, "--dry-run"))
        assert "is forbidden" in error
        assert "grant the verbs list and watch on " in hint


def test_missing_permission_to_bind_ends_the_start(control_plane: ControlPlane) -> None:
    spectator = control_plane.service_account_kubeconfig("kube-system", "run-test-spectator")
    grant(control_plane, "run-test-spectator", without=("pods/binding",))
    for mode in ("watch", "polling"):
        error, hint = complaint(run_to_end(spectator, "--mode", mode))
        assert "create on pods/binding is forbidden" in error
        assert "grant the verb create on pods/binding" in hint
