"""Two schedulers of one name: one works, the other takes over; nothing is lost or done twice."""

from __future__ import annotations

import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster_story import MakeNodes, Plane, Story, delete_lease
from controlplane import wait_until
from fault_proxy import FaultProxy, Faults
from http_get import free_port, get
from scheduler_process import SchedulerProcess

SERVERS = ("real", "embedded")
SHORT = (  # and long enough for a busy machine to renew
    "--leader-elect-lease-duration=12s",
    "--leader-elect-renew-deadline=10s",
    "--leader-elect-retry-period=500ms",
)
ENDLESS = ("--leader-elect-lease-duration=1h", "--leader-elect-renew-deadline=50m")
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
LEADING = "^leading: the Lease kube-system/my-scheduler is ours$"

Start = Callable[..., SchedulerProcess]


@pytest.fixture
def start(control_plane: Plane, scheduler_kubeconfig: Path) -> Iterator[Start]:
    """Start schedulers that take part in an election; the Lease goes with the test."""
    started: list[SchedulerProcess] = []

    def begin(*options: str, kubeconfig: Path = scheduler_kubeconfig) -> SchedulerProcess:
        process = SchedulerProcess(kubeconfig, "--leader-elect", *options)
        started.append(process.__enter__())
        return process

    yield begin
    for process in started:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGKILL)
        process.end()
    if any(
        lease["metadata"]["name"] == "my-scheduler" for lease in control_plane.api.items(LEASES)
    ):
        control_plane.api.delete(f"{LEASES}/my-scheduler")


def leader_and_standby(
    start: Start, *options: str, **of_standby: Path
) -> tuple[SchedulerProcess, SchedulerProcess]:
    leader = start(*options)
    leader.wait_for(LEADING)
    standby = start(*options, **of_standby)
    standby.wait_for("^the Lease kube-system/my-scheduler is held by ")
    return leader, standby


def bound_lines(*processes: SchedulerProcess) -> Counter[str]:
    """Count the pods that were said to be bound."""
    lines = [line for process in processes for line in process.lines]
    return Counter(found.group(1) for line in lines if (found := re.match(r"Bound (\S+)", line)))


def bound_pods(story: Story) -> set[str]:
    return {name for name, pod in story.pods().items() if pod["spec"].get("nodeName")}


def settled(story: Story) -> set[str]:
    """Return the pods that are bound once no request is on its way any more."""
    seen = [bound_pods(story)]

    def is_same() -> bool:
        seen.append(bound_pods(story))
        return seen[-1] == seen[-2]

    wait_until(is_same, "the end of the requests on their way", poll=0.5)
    return seen[-1]


def test_another_one_goes_on_when_the_leader_is_killed_under_load(
    control_plane: Plane, make_nodes: MakeNodes, namespace: str, start: Start
) -> None:
    make_nodes(4, cpu="32", pods=110)
    story = Story(control_plane, namespace)
    leader, standby = leader_and_standby(start, *SHORT)
    names = [f"p{n}" for n in range(120)]
    story.create(names[:60], cpu="100m")
    wait_until(lambda: sum(bound_lines(leader).values()) >= 10, "the first binds")
    leader.send_signal(signal.SIGKILL)
    story.create(names[60:], cpu="100m")
    standby.wait_for(LEADING)
    story.wait_bound(names)
    assert set(bound_lines(leader, standby).values()) == {1}
    assert not story.overfilled_nodes()
    assert story.control_plane.api.get(f"{LEASES}/my-scheduler")["spec"]["leaseTransitions"] == 1


def test_a_leader_that_stood_still_past_its_lease_binds_nothing_more(
    control_plane: Plane,
    make_nodes: MakeNodes,
    namespace: str,
    scheduler_kubeconfig: Path,
    start: Start,
) -> None:
    """Also where many binds were about to be sent; those of the new leader are refused."""
    make_nodes(2, cpu="32", pods=110)
    story = Story(control_plane, namespace)
    names = [f"p{n}" for n in range(150)]
    with FaultProxy(control_plane, Faults(refuse_bind=dict.fromkeys(names, 403))) as proxy:
        aside = proxy.kubeconfig(scheduler_kubeconfig)
        options = (*SHORT, "--qps", "10", "--burst", "10")
        leader, standby = leader_and_standby(start, *options, kubeconfig=aside)
        story.create(names)
        wait_until(lambda: bound_lines(leader), "the first binds")
        leader.send_signal(signal.SIGSTOP)
        standby.wait_for(LEADING)  # long after the requests of the leader have been answered
        before = bound_pods(story)
        assert len(before) < len(names)
        leader.send_signal(signal.SIGCONT)
        assert leader.end() == 1
        leader.wait_for("^error: the Lease kube-system/my-scheduler is lost: ")
        assert settled(story) == before


def test_a_leader_that_ends_hands_over_at_once(
    control_plane: Plane, make_nodes: MakeNodes, namespace: str, start: Start
) -> None:
    """Nobody waits for the Lease to run out."""
    make_nodes(1)
    story = Story(control_plane, namespace)
    port = free_port()
    leader = start(*ENDLESS)
    leader.wait_for(LEADING)
    standby = start(*ENDLESS, "--health-port", str(port))
    standby.wait_for("^the Lease kube-system/my-scheduler is held by ")
    wait_until(lambda: get(port, "/readyz")[0] == 200, "a standby that is ready")
    name = 'leader_election_master_status{name="my-scheduler"}'
    assert f"{name} 0.0" in get(port, "/metrics")[1]
    story.create(["a"])
    story.wait_bound(["a"])
    leader.wait_for("^Bound ")
    assert leader.stop() == 0
    assert leader.lines[-1] == "released the Lease kube-system/my-scheduler"
    standby.wait_for(LEADING)
    story.create(["b"])
    story.wait_bound(["b"])
    standby.wait_for("^Bound ")
    assert bound_lines(leader) == {f"{namespace}/a": 1}
    assert bound_lines(standby) == {f"{namespace}/b": 1}
    assert f"{name} 1.0" in get(port, "/metrics")[1]


def test_a_leader_that_cannot_renew_its_lease_ends(
    control_plane: Plane, scheduler_kubeconfig: Path, start: Start
) -> None:
    with FaultProxy(control_plane, Faults()) as proxy:
        leader = start(*SHORT, kubeconfig=proxy.kubeconfig(scheduler_kubeconfig))
        leader.wait_for(LEADING)
        proxy.faults = Faults(error_rate=1.0, error_statuses=(503,))
        leader.wait_for("^error: the Lease .* is lost: it could not be renewed for 10 s$")
        assert leader.end() == 1


def test_default_scheduler_and_kube_scheduler_exclude_each_other_by_one_lease(
    control_plane: Plane, scheduler_kubeconfig: Path
) -> None:
    """As default-scheduler it stands by for kube-scheduler's own Lease."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    control_plane.api.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "kube-scheduler", "namespace": "kube-system"},
            "spec": {
                "holderIdentity": "kube-scheduler-1",
                "leaseDurationSeconds": 2,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            },
        }
    )
    options = (*SHORT, "--leader-elect")
    with SchedulerProcess(
        scheduler_kubeconfig, *options, scheduler_name="default-scheduler"
    ) as scheduler:
        scheduler.wait_for("^the Lease kube-system/kube-scheduler is held by kube-scheduler-1$")
        scheduler.wait_for("^leading: the Lease kube-system/kube-scheduler is ours$")
        assert scheduler.stop() == 0
    delete_lease(control_plane, "kube-scheduler")
