from typing import Any

import pytest

from kubelet_story import EXACT, Story
from pilotfish.cluster.kinds import PODS
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.settings import Delay, KubeletSettings, PodRule

JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "name": "j",
    "uid": "uid-j",
    "controller": True,
}


def test_bound_pod_is_created_pulled_started_and_ready_in_this_order() -> None:
    story = Story()
    story.create("web")
    assert story.container("web")["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert story.status("web")["startTime"] == "2027-01-15T08:00:00Z"
    assert "podIP" not in story.status("web")
    story.run(3)
    assert story.phase("web") == "Pending"
    story.run(1)
    assert story.phase("web") == "Running"
    assert story.condition("web", "PodReadyToStartContainers")["status"] == "True"
    assert story.status("web")["podIP"] == "10.128.0.2"
    assert story.condition("web", "Ready")["lastTransitionTime"] == "2027-01-15T08:00:04Z"
    assert story.container("web")["state"] == {"running": {"startedAt": "2027-01-15T08:00:04Z"}}
    assert [event.partition(":")[0] for event in story.events("web")] == [
        "Pulling",
        "Pulled",
        "Created",
        "Started",
    ]


def test_second_pod_of_an_image_finds_it_on_the_node() -> None:
    story = Story()
    story.create("first")
    story.run(4)
    story.create("second")
    story.run(2)
    assert story.phase("second") == "Running"
    assert story.events("second")[0] == (
        'Pulled: Container image "nginx" already present on machine and can be accessed by the pod'
    )


def test_unready_containers_are_named() -> None:
    story = Story()
    story.create("web", containers=[{}, {"image": "redis"}])
    condition = story.condition("web", "ContainersReady")
    assert condition["reason"] == "ContainersNotReady"
    assert condition["message"] == "containers with unready status: [c0 c1]"


def test_readiness_probe_delays_readiness_and_not_the_phase() -> None:
    story = Story()
    probe = {"httpGet": {"port": 80}, "initialDelaySeconds": 7}
    story.create("web", containers=[{"readinessProbe": probe}])
    story.run(10)
    assert story.phase("web") == "Running"
    assert story.condition("web", "Ready")["status"] == "False"
    story.run(1)
    assert story.condition("web", "Ready")["status"] == "True"


def test_readiness_gate_holds_the_pod_back_until_its_condition_is_true() -> None:
    story = Story()
    story.create("web", readinessGates=[{"conditionType": "example.com/open"}])
    story.run(4)
    assert story.condition("web", "ContainersReady")["status"] == "True"
    assert story.condition("web", "Ready")["message"] == (
        'corresponding condition of pod readiness gate "example.com/open" does not exist.'
    )
    status = story.status("web")
    gate = {"type": "example.com/open", "status": "True", "lastTransitionTime": None}
    patch = {"status": {"conditions": [*status["conditions"], gate]}}
    story.client.patch_status(PODS, "default", "web", patch, story.now)
    story.run(0)
    assert story.condition("web", "Ready")["status"] == "True"
    assert story.condition("web", "example.com/open")["status"] == "True"


def test_condition_keeps_the_time_of_its_last_transition() -> None:
    story = Story()
    story.create("web")
    story.run(60)
    status = story.status("web")
    other = {"type": "example.com/x", "status": "True", "lastTransitionTime": None}
    patch = {"status": {"conditions": [other, *status["conditions"][1:]]}}
    story.client.patch_status(PODS, "default", "web", patch, story.now)
    story.run(0)
    assert story.condition("web", "Ready")["lastTransitionTime"] == "2027-01-15T08:00:04Z"
    dropped = story.condition("web", status["conditions"][0]["type"])
    assert dropped["lastTransitionTime"] == "2027-01-15T08:01:00Z"


def test_pod_that_others_failed_while_it_was_deleted_is_removed() -> None:
    story = Story()
    story.create("web")
    story.run(4)
    story.annotate_node("node-1", keys.FAULT, "Silent")
    story.delete("web")
    patch = {"status": {"phase": "Failed"}}
    story.client.patch_status(PODS, "default", "web", patch, story.now)
    story.run(5)
    assert story.find("web") is not None
    story.annotate_node("node-1", keys.FAULT, None)
    assert story.find("web") is None


def test_init_containers_run_one_after_the_other_before_the_others() -> None:
    story = Story()
    story.create("web", initContainers=[_init("one"), _init("two")])
    story.run(4)
    first, second = story.status("web")["initContainerStatuses"]
    assert "running" in first["state"]
    assert second["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert story.condition("web", "Initialized")["message"] == (
        "containers with incomplete status: [one two]"
    )
    assert story.phase("web") == "Pending"
    story.run(3 + 1 + 3)
    first, second = story.status("web")["initContainerStatuses"]
    assert first["state"]["terminated"]["reason"] == "Completed"
    assert second["state"]["terminated"]["exitCode"] == 0
    assert story.condition("web", "Initialized")["status"] == "True"
    story.run(1)
    assert story.phase("web") == "Running"


def test_sidecar_starts_before_the_containers_and_ends_after_them() -> None:
    story = Story()
    sidecar = _init("proxy") | {"restartPolicy": "Always"}
    annotations = {keys.RUN_SECONDS: "5"}
    story.create("job", initContainers=[sidecar], restartPolicy="Never", annotations=annotations)
    story.run(6)
    assert story.phase("job") == "Running"
    assert story.status("job")["initContainerStatuses"][0]["started"]
    story.run(4)
    assert story.phase("job") == "Running", "its container still runs"
    story.run(2)
    assert story.phase("job") == "Succeeded"
    assert "terminated" in story.status("job")["initContainerStatuses"][0]["state"]


@pytest.mark.parametrize(
    ("policy", "exit_code", "phase"),
    [
        ("Never", "0", "Succeeded"),
        ("Never", "3", "Failed"),
        ("OnFailure", "0", "Succeeded"),
        ("OnFailure", "3", "Running"),
        ("Always", "0", "Running"),
    ],
)
def test_restart_policy_decides_what_follows_the_end(
    policy: str, exit_code: str, phase: str
) -> None:
    story = Story()
    said = {keys.RUN_SECONDS: "5", keys.EXIT_CODE: exit_code}
    story.create("p", restartPolicy=policy, annotations=said)
    story.run(9)
    assert story.phase("p") == phase
    assert story.container("p")["state"]["terminated"]["exitCode"] == int(exit_code)
    story.run(3)
    assert story.container("p")["restartCount"] == int(phase == "Running")


def test_completed_pod_is_neither_ready_nor_holding_resources() -> None:
    story = Story()
    requests = {"requests": {"cpu": "3"}}
    said = {keys.RUN_SECONDS: "5"}
    story.create("one", restartPolicy="Never", annotations=said, containers=[_with(requests)])
    story.run(9)
    assert story.condition("one", "Ready")["reason"] == "PodCompleted"
    story.create("two", containers=[_with(requests)])
    story.run(9)
    assert story.phase("two") == "Running"


def test_pod_of_a_job_completes_after_the_default_time() -> None:
    story = Story()
    story.create("j-x", restartPolicy="Never", metadata={"ownerReferences": [JOB]})
    story.run(4 + 19)
    assert story.phase("j-x") == "Running"
    story.run(1)
    assert story.phase("j-x") == "Succeeded"


def test_container_that_sleeps_ends_when_it_has_slept() -> None:
    story = Story()
    story.create("nap", restartPolicy="Never", containers=[{"command": ["sleep", "60"]}])
    story.run(63)
    assert story.phase("nap") == "Running"
    story.run(1)
    assert story.phase("nap") == "Succeeded"


def test_rule_of_the_settings_applies_to_the_pods_that_it_selects() -> None:
    rule = PodRule(labels={"app": "batch"}, run=Delay(5.0))
    story = Story(settings=KubeletSettings(sandbox=Delay(1.0), start=Delay(1.0), pods=(rule,)))
    story.create("a", restartPolicy="Never", metadata={"labels": {"app": "batch"}})
    story.create("b", restartPolicy="Never", metadata={"labels": {"app": "web"}})
    story.run(30)
    assert (story.phase("a"), story.phase("b")) == ("Succeeded", "Running")


def test_active_deadline_fails_the_pod() -> None:
    story = Story()
    story.create("late", activeDeadlineSeconds=10)
    story.run(11)
    assert story.phase("late") == "Failed"
    assert story.status("late")["reason"] == "DeadlineExceeded"
    assert story.find("late") is not None


def test_deleted_pod_is_terminated_and_then_gone() -> None:
    story = Story()
    story.create("web")
    story.run(4)
    story.delete("web")
    assert story.phase("web") == "Running"
    story.run(1)
    assert story.find("web") is None
    assert "Killing: Stopping container c0" in story.events("web")


def test_pre_stop_sleep_is_waited_for() -> None:
    story = Story()
    hook = {"preStop": {"sleep": {"seconds": 10}}}
    story.create("web", containers=[{"lifecycle": hook}])
    story.run(4)
    story.delete("web")
    story.run(10.5)
    assert story.find("web") is not None
    story.run(0.5)
    assert story.find("web") is None


def test_grace_period_bounds_the_termination() -> None:
    story = Story()
    story.create("slow", annotations={keys.STOP_SECONDS: "100"})
    story.run(4)
    story.delete("slow", grace_period_seconds=5)
    story.run(4.5)
    assert story.find("slow") is not None
    story.run(0.5)
    assert story.find("slow") is None


def test_shorter_grace_period_later_wins() -> None:
    story = Story()
    story.create("slow", annotations={keys.STOP_SECONDS: "100"})
    story.run(4)
    story.delete("slow")
    story.run(10)
    story.delete("slow", grace_period_seconds=12)
    story.run(2)
    assert story.find("slow") is None


def test_forced_deletion_frees_the_node_at_once() -> None:
    story = Story()
    requests = _with({"requests": {"cpu": "3"}})
    story.create("one", containers=[requests])
    story.run(4)
    story.delete("one", grace_period_seconds=0)
    story.create("two", containers=[requests])
    assert story.phase("two") == "Pending"


def test_pod_made_anew_under_its_name_starts_from_nothing() -> None:
    story = Story()
    story.create("web")
    story.run(4)
    story.delete("web", grace_period_seconds=0)
    story.create("web")
    assert story.container("web")["state"] == {"waiting": {"reason": "ContainerCreating"}}
    story.run(2)
    assert story.phase("web") == "Running"


def test_same_seed_tells_the_same_story() -> None:
    def times() -> list[float]:
        story = Story(settings=KubeletSettings(seed=7))
        story.create("web")
        deadlines = []
        while story.phase("web") == "Pending":
            deadline = story.kubelets.sync(story.now)
            assert deadline is not None
            deadlines.append(deadline)
            story.run(deadline - story.now)
        return deadlines

    assert times() == times()


def test_kubelets_that_start_anew_take_over_running_pods() -> None:
    story = Story()
    said = {keys.RUN_SECONDS: "60"}
    story.create("web", restartPolicy="Never", annotations=said)
    story.run(10)
    before = story.container("web")
    story.kubelets = type(story.kubelets)(story.client)
    story.run(10)
    assert story.container("web") == before
    story.run(60)
    assert story.phase("web") == "Succeeded"


def test_kubelets_that_start_anew_go_on_with_containers_that_do_not_run() -> None:
    story = Story()
    slow = {"image": "redis"}
    story.create("web", containers=[{}, slow], annotations={keys.FAULT: "CrashLoop"})
    story.run(12)
    assert story.container("web")["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    story.kubelets = type(story.kubelets)(story.client)
    story.run(2)
    assert "running" in story.container("web")["state"]
    assert story.container("web")["restartCount"] == 2


def _init(name: str) -> dict[str, Any]:
    return {"name": name, "image": "nginx", "imagePullPolicy": "IfNotPresent"}


def _with(resources: dict[str, Any]) -> dict[str, Any]:
    return {"resources": resources}


def test_exact_settings_have_no_chance() -> None:
    """The times in this file hang on it."""
    delays = (EXACT.sandbox, EXACT.pull, EXACT.start, EXACT.init, EXACT.job, EXACT.stop)
    assert not any(delay.jitter_seconds for delay in delays)
