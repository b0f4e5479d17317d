"""`--policy` of `pilotfish run` and `pilotfish cluster`, as a person sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane import wait_until
from embedded_cluster import EmbeddedCluster
from scheduler_process import SchedulerProcess

PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
POLICIES = """\
import time
from pilotfish import NodeInfo, PerNodePlugin, Pod

class HighestName(PerNodePlugin):
    name = "HighestName"

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        if pod.labels.get("kind") == "odd":
            return 250
        if pod.labels.get("kind") == "broken":
            return 1 // len(pod.labels["none"])
        return int(node.name[-1])

class Sleepy(HighestName):
    name = "Sleepy"

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        time.sleep(0.06)
        return super().score_node(pod, node)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """Three nodes, and a default scheduler that has a policy."""
    file = tmp_path_factory.mktemp("policies") / "mine.py"
    file.write_text(POLICIES)
    policy = f"{file}:HighestName"
    with EmbeddedCluster("--nodes", "3", "--policy", policy, "--only-policy") as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(POLICIES)
    return path


def create(cluster: EmbeddedCluster, name: str, scheduler: str, **labels: str) -> None:
    container = {"name": "main", "image": "registry.k8s.io/pause:3.9"}
    pod = {
        "metadata": {"name": name, "labels": labels},
        "spec": {"schedulerName": scheduler, "containers": [container]},
    }
    cluster.api.request("POST", PODS, pod)


def node_of(cluster: EmbeddedCluster, name: str) -> str:
    pod = cluster.api.request("GET", f"{PODS}/{name}")
    return str(pod["spec"].get("nodeName", ""))


def failures(cluster: EmbeddedCluster, name: str) -> list[dict[str, Any]]:
    return [
        event
        for event in cluster.api.request("GET", EVENTS)["items"]
        if event["regarding"]["name"] == name and event["reason"] == "FailedScheduling"
    ]


def test_scheduler_of_the_cluster_decides_by_a_policy(cluster: EmbeddedCluster) -> None:
    names = [f"default-{i}" for i in range(4)]
    for name in names:
        create(cluster, name, "default-scheduler")
    wait_until(lambda: all(node_of(cluster, name) for name in names), "four bound pods")
    assert {node_of(cluster, name) for name in names} == {"node-3"}


def test_pods_that_a_policy_fails_for_are_reported_and_tried_again_and_others_go_on(
    cluster: EmbeddedCluster, file: Path
) -> None:
    options = ("--policy", f"{file}:HighestName=50", "--log-level", "debug")
    with SchedulerProcess(cluster.kubeconfig, *options, scheduler_name="failing") as scheduler:
        create(cluster, "odd", "failing", kind="odd")
        create(cluster, "broken", "failing", kind="broken")
        create(cluster, "fine", "failing")
        scheduler.wait_for(r"^Bound default/fine -> node-3$")
        scheduler.wait_for(r"default/fine: 3 of 3 nodes are feasible; node-3 .*HighestName 150")
        wait_until(lambda: failures(cluster, "broken"), "an Event")
        wait_until(lambda: scheduler.count("ERROR|default/odd: plugin") > 0, "a line")
        (event,) = failures(cluster, "broken")
        cluster.api.request("DELETE", f"{PODS}/broken")
        cluster.api.request("DELETE", f"{PODS}/odd")
    begin = "plugin 'HighestName' failed in score for pod default"
    assert event["note"] == f"{begin}/broken: KeyError: 'none' ({file}:11)"
    assert scheduler.count(f"{begin}/odd: ValueError: score 250 is outside 0..100") == 1


def test_failed_pod_is_bound_when_it_can_be_decided_about(
    cluster: EmbeddedCluster, file: Path
) -> None:
    """The back-off of an error ends in another attempt, without anybody waking the pod."""
    file.write_text(
        POLICIES.replace('"broken":', '"broken" and timely():').replace(
            "class HighestName",
            "CALLS = []\n\ndef timely():\n    CALLS.append(1)\n    "
            "return len(CALLS) < 2\n\nclass HighestName",
        )
    )
    options = ("--policy", f"{file}:HighestName", "--only-policy")
    with SchedulerProcess(cluster.kubeconfig, *options, scheduler_name="recovers") as scheduler:
        create(cluster, "recovers", "recovers", kind="broken")
        scheduler.wait_for(r"plugin 'HighestName' failed in score for pod default/recovers")
        scheduler.wait_for(r"^Bound default/recovers -> node-3$")


def test_slow_policy_is_named(cluster: EmbeddedCluster, file: Path) -> None:
    options = ("--policy", f"{file}:Sleepy")
    with SchedulerProcess(cluster.kubeconfig, *options, scheduler_name="slow") as scheduler:
        create(cluster, "slow-1", "slow")
        create(cluster, "slow-2", "slow")
        scheduler.wait_for(r"^Bound default/slow-2 ")
    assert scheduler.count(r"policy Sleepy took \d+\.\d\d s for default/slow-\d; above 0\.1 s") == 1


def test_policy_reads_what_nodes_use_right_now(cluster: EmbeddedCluster, file: Path) -> None:
    body = POLICIES.replace("int(node.name[-1])", '100 * ("memory" in (node.usage or {}))').replace(
        'name = "HighestName"', 'name = "HighestName"\n    reads = {"nodes.metrics.k8s.io"}'
    )
    file.write_text(body)
    options = ("--policy", f"{file}:HighestName", "--log-level", "debug")
    with SchedulerProcess(cluster.kubeconfig, *options, scheduler_name="metrics") as scheduler:
        create(cluster, "measured", "metrics")
        scheduler.wait_for(r"default/measured: 3 of 3 nodes are feasible; .*HighestName 100")


def test_policy_that_cannot_be_run_stops_the_start(file: Path) -> None:
    file.write_text(POLICIES.replace("self, pod: Pod, node: NodeInfo", "self, pod: Pod"))
    done = pilotfish("run", "--policy", f"{file}:Sleepy")
    said = "class Sleepy: score_node takes (pod); expected (pod, node)"
    assert (done.returncode, done.stderr) == (1, f"error: {file}:17: {said}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--policy", "mien.py"), "mien.py: there is no such file"),
        (("run", "--only-policy"), "--only-policy needs a --policy"),
        (("cluster", "--no-scheduler", "--policy", "{file}:Sleepy"), "--policy is for the sched"),
    ],
)
def test_wrong_command_line_is_an_error_of_usage(
    file: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = pilotfish(*(argument.format(file=file) for argument in arguments))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {said}")


def pilotfish(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pilotfish", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=250,
    )


def test_new_policy_passes_its_own_test_and_the_check(tmp_path: Path) -> None:
    assert pilotfish("policy", "new", "spread-by-team", "--folder", str(tmp_path)).returncode == 0
    policy, test = tmp_path / "spread_by_team.py", tmp_path / "test_spread_by_team.py"
    assert subprocess.run([sys.executable, "-m", "pytest", str(test)], check=False).returncode == 0
    checked = pilotfish("policy", "check", str(policy))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith(
        f"{policy}:12: class SpreadByTeam, policy SpreadByTeam: filter"
    )
    again = pilotfish("policy", "new", "spread-by-team", "--folder", str(tmp_path))
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith(f"error: {policy}: it exists already\n")


def test_check_exits_with_1_for_a_bad_policy_and_with_2_for_none(file: Path) -> None:
    file.write_text(POLICIES.replace("return int", "return 1000 + int"))
    assert pilotfish("policy", "check", f"{file}:HighestName").returncode == 1
    assert pilotfish("policy", "check", f"{file}:Nobody").returncode == 2


def test_policies_of_the_project_are_in_the_wheel(tmp_path: Path) -> None:
    top = Path(__file__).parents[2]
    build = ("-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path))
    subprocess.run([sys.executable, *build], check=True, cwd=top, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-m", "pilotfish", "policy", "check", "bin-packing"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
    )
    place = tmp_path / "installed" / "pilotfish" / "policies" / "bin_packing.py"
    assert done.stdout.startswith(f"{place}:"), done.stderr
