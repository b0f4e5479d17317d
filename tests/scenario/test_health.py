"""Health and metrics of `pilotfish run`, as a kubelet and Prometheus ask for them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster_story import MakeNodes, Plane, Story
from controlplane import wait_until
from fault_proxy import FaultProxy, Faults
from http_get import free_port, get
from scheduler_process import SchedulerProcess

SERVERS = ("real", "embedded")
SERVING = "^health and metrics: "  # it says so when it listens


@pytest.fixture
def port() -> int:
    return free_port()


def value(port: int, sample: str, **labels: str) -> float:
    """Return a sample; 0 where there is none."""
    for family in text_string_to_metric_families(get(port, "/metrics")[1]):
        for one in family.samples:
            if one.name == sample and labels.items() <= one.labels.items():
                return one.value
    return 0.0


def test_a_scheduler_tells_that_it_lives_is_ready_and_what_it_did(
    control_plane: Plane,
    scheduler_kubeconfig: Path,
    make_nodes: MakeNodes,
    namespace: str,
    port: int,
) -> None:
    make_nodes(2, cpu="1")
    story = Story(control_plane, namespace)
    with SchedulerProcess(scheduler_kubeconfig, "--health-port", str(port)) as scheduler:
        scheduler.wait_for(SERVING)
        wait_until(lambda: get(port, "/readyz")[0] == 200, "readiness")
        assert get(port, "/livez") == (200, "ok\n")
        status, text = get(port, "/readyz?verbose")
        assert (status, text.splitlines()) == (
            200,
            ["[+]ping ok", "[+]sched-handler-sync ok", "[+]shutdown ok", "readyz check passed"],
        )
        story.create(["a", "b"], cpu="100m")
        story.create(["huge"], cpu="64")
        story.wait_bound(["a", "b"])
        story.wait_condition("huge")
        done = {"result": "scheduled", "profile": "my-scheduler"}
        wait_until(
            lambda: value(port, "scheduler_schedule_attempts_total", **done) == 2, "two pods"
        )
        assert value(port, "scheduler_pending_pods", queue="unschedulable") == 1
        assert value(port, "scheduler_unschedulable_pods", plugin="NodeResourcesFit") == 1
        assert value(port, "scheduler_preemption_attempts_total") >= 1
        assert value(port, "rest_client_requests_total", code="201", method="POST") >= 2
        assert value(port, "process_cpu_seconds_total") > 0


def test_a_scheduler_whose_caches_are_empty_lives_and_is_not_ready(
    control_plane: Plane, scheduler_kubeconfig: Path, port: int
) -> None:
    faults = Faults(error_rate=1.0, error_statuses=(503,))
    with FaultProxy(control_plane, faults) as proxy:
        kubeconfig = proxy.kubeconfig(scheduler_kubeconfig)
        with SchedulerProcess(kubeconfig, "--health-port", str(port)) as scheduler:
            scheduler.wait_for(SERVING)
            assert get(port, "/livez") == (200, "ok\n")
            status, text = get(port, "/readyz")
            assert status == 500
            assert "[-]sched-handler-sync failed: the caches are being filled" in text


def test_no_address_is_loopback_not_everywhere(scheduler_kubeconfig: Path, port: int) -> None:
    """As from a variable that is not set."""
    options = ("--health-port", str(port), "--bind-address", "")
    with SchedulerProcess(scheduler_kubeconfig, *options) as scheduler:
        scheduler.wait_for(f"^health and metrics: http://127.0.0.1:{port}$")
        assert get(port, "/livez") == (200, "ok\n")


def test_a_port_that_is_taken_is_named(scheduler_kubeconfig: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        with SchedulerProcess(scheduler_kubeconfig, "--health-port", taken) as scheduler:
            scheduler.wait_for(f"^error: cannot serve health and metrics on .*:{taken}: .*in use")
            scheduler.wait_for("^hint: choose another --health-port")
            assert scheduler.end() == 1
