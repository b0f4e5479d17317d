"""The table of pods; cases follow kubernetes v1.36 printers_test.go, TestPrintPod and others."""

from typing import Any

import pytest

from pilotfish.apiserver.tables.pods import PODS

NOW = 1_795_341_600.0  # 2026-11-22T10:00:00Z
Json = dict[str, Any]
RUNNING: Json = {"state": {"running": {}}, "ready": True}
DONE: Json = {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
FAILED: Json = {"state": {"terminated": {"exitCode": 2, "reason": "Error"}}}
SIGNALLED: Json = {"state": {"terminated": {"exitCode": 137, "signal": 9}}}
NAMELESS: Json = {"state": {"terminated": {"exitCode": 3}}}
LOOPING: Json = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
STARTING: Json = {"state": {"waiting": {"reason": "PodInitializing"}}}
READY: Json = {"type": "Ready", "status": "True"}


def shown(status: Json, spec: Json | None = None, **metadata: Any) -> list[Any]:
    """Return name, ready, status and restarts of a pod whose containers are its statuses."""
    containers = status.get("containerStatuses", [])
    whole: Json = {"containers": [{} for _ in containers]} | (spec or {})
    pod = {"metadata": {"name": "p"} | metadata, "spec": whole, "status": status}
    cells = PODS.cells(pod, NOW)
    assert len(cells) == len(PODS.columns)
    return cells[1:4]


@pytest.mark.parametrize(
    ("containers", "extra", "cells"),
    [
        ([RUNNING, RUNNING], {}, ["2/2", "Running", "0"]),
        ([RUNNING, LOOPING], {}, ["1/2", "CrashLoopBackOff", "0"]),
        ([FAILED], {}, ["0/1", "Error", "0"]),
        ([SIGNALLED], {}, ["0/1", "Signal:9", "0"]),
        ([NAMELESS], {}, ["0/1", "ExitCode:3", "0"]),
        ([DONE, RUNNING], {"conditions": [READY]}, ["1/2", "Running", "0"]),
        ([DONE, RUNNING], {}, ["1/2", "NotReady", "0"]),
        ([DONE, FAILED], {}, ["0/2", "Error", "0"]),
        ([], {"reason": "Evicted"}, ["0/0", "Evicted", "0"]),
    ],
)
def test_status_is_that_of_the_containers(
    containers: list[Json], extra: Json, cells: list[str]
) -> None:
    status = {"phase": "Running", "containerStatuses": containers} | extra
    assert shown(status) == cells


def test_gated_pod_says_so() -> None:
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    assert shown({"phase": "Pending", "conditions": [gated]})[1] == "SchedulingGated"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"phase": "Running"}, "Terminating"),
        ({"phase": "Succeeded"}, "Succeeded"),
        ({"phase": "Running", "reason": "NodeLost"}, "Unknown"),
    ],
)
def test_pod_that_is_being_deleted_says_so_unless_it_has_ended(status: Json, text: str) -> None:
    assert shown(status, deletionTimestamp="2026-11-22T09:59:00Z")[1] == text


@pytest.mark.parametrize(
    ("init", "text"),
    [
        ([DONE, STARTING], "Init:1/2"),
        ([DONE, LOOPING], "Init:CrashLoopBackOff"),
        ([FAILED, STARTING], "Init:Error"),
        ([SIGNALLED, STARTING], "Init:Signal:9"),
        ([NAMELESS, STARTING], "Init:ExitCode:3"),
    ],
)
def test_pod_that_initializes_shows_how_far_it_is(init: list[Json], text: str) -> None:
    spec = {"initContainers": [{"name": "a"}, {"name": "b"}]}
    status = {"phase": "Pending", "initContainerStatuses": init}
    assert shown(status, spec)[1] == text


def test_sidecars_count_as_containers() -> None:
    spec = {
        "containers": [{"name": "main"}],
        "initContainers": [{"name": "side", "restartPolicy": "Always"}],
    }
    side = RUNNING | {"name": "side", "started": True, "restartCount": 1}
    status = {
        "phase": "Running",
        "initContainerStatuses": [side],
        "containerStatuses": [RUNNING | {"name": "main"}],
    }
    assert shown(status, spec) == ["2/2", "Running", "1"]


def test_restarts_tell_when_the_last_one_was() -> None:
    ended = {"terminated": {"finishedAt": "2026-11-22T09:58:20Z"}}
    status = {
        "phase": "Running",
        "containerStatuses": [RUNNING | {"restartCount": 3, "lastState": ended}],
    }
    assert shown(status)[2] == "3 (100s ago)"


def test_wide_columns_fall_back_to_none() -> None:
    assert PODS.cells({}, NOW)[5:] == ["<none>"] * 4


def test_readiness_gates_are_counted() -> None:
    gates = [{"conditionType": "a"}, {"conditionType": "b"}]
    conditions = [{"type": "a", "status": "True"}, {"type": "b", "status": "False"}]
    pod = {"spec": {"readinessGates": gates}, "status": {"conditions": conditions}}
    assert PODS.cells(pod, NOW)[-1] == "1/2"


def test_row_of_a_pod_that_has_ended_says_that_it_is_completed() -> None:
    assert PODS.conditions is not None
    [condition] = PODS.conditions({"status": {"phase": "Failed"}})
    assert (condition["type"], condition["reason"]) == ("Completed", "Failed")
    assert PODS.conditions({"status": {"phase": "Running"}}) == ()
