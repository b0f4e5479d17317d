"""What is broken in schedulers that people write first; each test fails on the defect."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cluster_story import MakeNodes, Plane, Story
from controlplane import wait_until
from fault_proxy import FaultProxy, Faults
from scheduler_process import SchedulerProcess
from scheduler_role import grant

SERVERS = ("real", "embedded")

MODES = (("--mode", "watch"), ("--mode", "polling", "--interval", "0.3"))


@pytest.fixture(params=MODES, ids=("watch", "polling"))
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The options of a mode: what must hold in both is run in both."""
    options: tuple[str, ...] = request.param
    return options


@pytest.fixture
def story(control_plane: Plane, namespace: str) -> Story:
    """Words for this test's pods."""
    return Story(control_plane, namespace)


def test_a_successful_bind_is_no_error_and_the_next_pod_is_bound_too(
    story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path, mode: tuple[str, ...]
) -> None:
    """The server answers a bind with a Status, not with a Binding."""
    make_nodes(4, cpu="8")
    names = [f"pod-{i}" for i in range(60)]
    with SchedulerProcess(scheduler_kubeconfig, *mode) as scheduler:
        story.create(names)
        story.wait_bound(names)
        wait_until(lambda: scheduler.count(r"^Bound ") == len(names), "a line for each bind")
        assert not scheduler.count(r"(?i)error|warn|traceback")
        assert scheduler.stop() == 0


def test_requests_do_not_grow_with_pods_and_nodes(
    control_plane: Plane, story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path
) -> None:
    """One list and one watch a kind, then binds: not two lists for each pod."""
    make_nodes(5, cpu="8")
    names = [f"pod-{i}" for i in range(100)]
    with (
        FaultProxy(control_plane, Faults()) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig)) as scheduler,
    ):
        story.create(names)
        story.wait_bound(names)
        scheduler.stop()
        assert proxy.requests["POST binding"] == len(names)
        assert proxy.requests["GET pods"] == proxy.requests["GET nodes"] == 1
        assert proxy.requests["WATCH pods"] == proxy.requests["WATCH nodes"] == 1


def test_polling_sleeps_when_nothing_is_pending(
    control_plane: Plane, make_nodes: MakeNodes, scheduler_kubeconfig: Path
) -> None:
    """An idle cluster costs one list a kind each interval."""
    make_nodes(2)
    with FaultProxy(control_plane, Faults()) as proxy:
        options = ("--mode", "polling", "--interval", "0.5")
        began = time.monotonic()
        with SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig), *options) as scheduler:
            wait_until(lambda: scheduler.count("No pending pods") >= 5, "five idle cycles")
            scheduler.stop()
            cycles = scheduler.count("Checking pending pods")
        assert cycles <= 1 + (time.monotonic() - began) / 0.5
        assert proxy.requests["GET pods"] <= cycles


def test_a_watch_that_ends_is_resumed_without_a_new_list(
    control_plane: Plane, story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path
) -> None:
    """Streams end all the time; neither the process nor the resource version is lost by it."""
    make_nodes(2)
    with (
        FaultProxy(control_plane, Faults()) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig)) as scheduler,
    ):
        story.create(["before"])
        story.wait_bound(["before"])
        wait_until(lambda: proxy.is_watched("pods"), "a watch")
        watches = proxy.requests["WATCH pods"]
        proxy.cut_watches()
        wait_until(lambda: proxy.requests["WATCH pods"] > watches, "a resumed watch")
        story.create(["after"])
        story.wait_bound(["after"])
        assert proxy.requests["GET pods"] == 1
        assert scheduler.is_running


def test_deleted_and_bound_pods_are_not_scheduled_again(
    control_plane: Plane,
    story: Story,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    mode: tuple[str, ...],
) -> None:
    """A restart sees pods that are bound, and hears of pods that are deleted; it binds neither."""
    make_nodes(2)
    names = [f"pod-{i}" for i in range(10)]
    with SchedulerProcess(scheduler_kubeconfig, *mode):
        story.create(names)
        story.wait_bound(names)
    story.create(["doomed"], cpu="100")
    with (
        FaultProxy(control_plane, Faults()) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig), *mode) as scheduler,
    ):
        story.wait_condition("doomed")
        story.api.delete(f"{story.path}/doomed", grace_seconds=0)
        story.create(["last"])
        story.wait_bound(["last"])
        assert scheduler.is_running
        assert proxy.requests["POST binding"] == 1


def test_pods_of_other_schedulers_are_left_alone(
    story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path, mode: tuple[str, ...]
) -> None:
    """The scheduler's name decides, not only in the log."""
    make_nodes(2)
    with SchedulerProcess(scheduler_kubeconfig, *mode) as scheduler:
        story.create([f"theirs-{i}" for i in range(10)], scheduler_name="somebody-else")
        story.create(["ours"])
        story.wait_bound(["ours"])
        bound = [name for name, pod in story.pods().items() if pod["spec"].get("nodeName")]
        assert bound == ["ours"]
        assert not scheduler.count("theirs")


def test_pods_that_arrive_together_do_not_share_the_same_room(
    story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path, mode: tuple[str, ...]
) -> None:
    """Each decision counts the ones before it, bound or not: one pod fits on each node."""
    make_nodes(8, cpu="1")
    names = [f"pod-{i}" for i in range(8)]
    story.create([*names, "ninth"], cpu="600m")
    with SchedulerProcess(scheduler_kubeconfig, *mode):

        def eight_bound() -> bool:
            pods = story.pods().values()
            return sum(bool(pod["spec"].get("nodeName")) for pod in pods) == len(names)

        wait_until(eight_bound, "eight bound pods")
        nodes = {pod["spec"].get("nodeName") for pod in story.pods().values()}
        assert len(nodes - {None}) == len(names)
        assert not story.overfilled_nodes()


def test_taints_are_understood(
    story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path
) -> None:
    """NoExecute keeps pods off, Exists without a key tolerates all, PreferNoSchedule is a wish."""
    (no_execute,) = make_nodes(1, taints=[{"key": "a", "effect": "NoExecute"}])
    (soft,) = make_nodes(1, taints=[{"key": "b", "value": "x", "effect": "PreferNoSchedule"}])
    with SchedulerProcess(scheduler_kubeconfig):
        story.create(["plain"])
        story.create(
            ["everywhere"],
            spec={
                "tolerations": [{"operator": "Exists"}],
                "nodeSelector": {"kubernetes.io/hostname": no_execute},
            },
        )
        placed = story.wait_bound(["plain", "everywhere"])
        assert placed == {"plain": soft, "everywhere": no_execute}


def test_load_is_counted_as_the_kubelet_counts_it(
    story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path
) -> None:
    """Ended pods are no load; init containers and the pods limit are."""
    (one,) = make_nodes(1, cpu="1", labels={"story": "ended"})
    (two,) = make_nodes(1, cpu="2", labels={"story": "init"})
    (three,) = make_nodes(1, pods=1, labels={"story": "limit"})

    def on(which: str, **more: object) -> dict[str, object]:
        return {"nodeSelector": {"story": which}, **more}

    with SchedulerProcess(scheduler_kubeconfig):
        story.create(
            ["ended"],
            cpu="900m",
            spec=on("ended", restartPolicy="Never"),
            annotations={
                "pilotfish/complete-after": "100ms",  # to kwok
                "kubelet.pilotfish/run-seconds": "0.1",  # to the embedded kubelet
            },
        )
        wait_until(lambda: story.pods()["ended"]["status"]["phase"] == "Succeeded", "a pod's end")
        story.create(["after-the-end"], cpu="900m", spec=on("ended"))
        init = {"name": "init", "image": "i", "resources": {"requests": {"cpu": "3"}}}
        story.create(["big-init"], cpu="100m", spec=on("init", initContainers=[init]))
        story.create(["first"], cpu="1m", spec=on("limit"))
        assert story.wait_bound(["after-the-end", "first"]) == {
            "after-the-end": one,
            "first": three,
        }
        story.create(["second"], cpu="1m", spec=on("limit"))
        assert "1 Insufficient cpu" in story.wait_condition("big-init")["message"]
        assert "1 Too many pods" in story.wait_condition("second")["message"]
        assert two not in {pod["spec"].get("nodeName") for pod in story.pods().values()}


def test_a_forbidden_condition_does_not_stop_the_binds(
    control_plane: Plane, story: Story, make_nodes: MakeNodes, mode: tuple[str, ...]
) -> None:
    """A role without pods/status costs the condition and one line, not the watch."""
    account = f"no-status-{mode[1]}"
    kubeconfig = control_plane.service_account_kubeconfig("kube-system", account)
    grant(control_plane, account, without=("pods/status",))
    make_nodes(1)
    with SchedulerProcess(kubeconfig, *mode) as scheduler:
        story.create([f"impossible-{i}" for i in range(3)], cpu="100")
        scheduler.wait_for("pods/status")
        story.create(["possible"])
        story.wait_bound(["possible"])
        assert scheduler.count("pods/status") == 1


def test_a_server_error_on_a_bind_is_retried_slowly_and_blocks_nobody(
    control_plane: Plane,
    story: Story,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    mode: tuple[str, ...],
) -> None:
    """A bind that always gets a 500 neither loops nor holds up other pods."""
    make_nodes(2)
    faults = Faults(refuse_bind={"cursed": 500})
    names = [f"pod-{i}" for i in range(30)]
    with (
        FaultProxy(control_plane, faults) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig), *mode) as scheduler,
    ):
        story.create(["cursed"])
        wait_until(lambda: proxy.injected["500"] >= 1, "the first 500")
        started, before = time.monotonic(), proxy.injected["500"]
        story.create(names)
        story.wait_bound(names)
        wait_until(lambda: proxy.injected["500"] >= before + 2, "two more tries")
        assert time.monotonic() - started >= 0.5  # the waits double each time
        faults.refuse_bind.clear()
        story.wait_bound(["cursed"])
        wait_until(lambda: scheduler.count("^Bound .*/cursed "), "the line of the bind")
        assert scheduler.count("^Bound .*/cursed ") == 1


def test_describe_says_why_a_pod_waits_and_where_it_went(
    control_plane: Plane,
    story: Story,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    mode: tuple[str, ...],
) -> None:
    """Events and the condition are what people and autoscalers look at."""
    (node,) = make_nodes(1)
    with SchedulerProcess(scheduler_kubeconfig, *mode):
        story.create(["impossible"], cpu="100")
        story.create(["possible"])
        condition = story.wait_condition("impossible")
        assert condition["reason"] == "Unschedulable"
        assert condition["message"] == (
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, "
            "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        )
        wait_until(lambda: story.events("possible", "Scheduled"), "the event Scheduled")
        wait_until(lambda: story.events("impossible", "FailedScheduling"), "FailedScheduling")
        kubectl, namespace = control_plane.kubectl, story.namespace
        described = kubectl("-n", namespace, "describe", "pod", "possible")
        assert f"Successfully assigned {namespace}/possible to {node}" in described
        described = kubectl("-n", namespace, "describe", "pod", "impossible")
        assert "FailedScheduling" in described
        assert "PodScheduled" in described
