from itertools import pairwise

import pytest

from kubelet_story import Story
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.kubelet.lifecycle import go_duration
from pilotfish.cluster.settings import NodeGroup

KIND_LIKE = NodeGroup(count=1, images={"my-scheduler:latest": 0}, pullable=("nginx*",))
GIVEN_ONLY = NodeGroup(count=1, images={"busybox": 0}, pullable=())


def waiting(story: Story, name: str) -> tuple[str, str]:
    state = story.container(name)["state"]["waiting"]
    return state["reason"], state.get("message", "")


def test_crash_loop_restarts_at_once_and_then_after_growing_back_offs() -> None:
    story = Story()
    story.create("bad", annotations={keys.FAULT: "CrashLoop"})
    story.run(4 + 2)  # started, and crashed after two seconds
    assert story.container("bad")["state"]["terminated"]["reason"] == "Error"
    assert story.phase("bad") == "Running"
    story.run(1 + 1)
    assert story.container("bad")["restartCount"] == 1, "the first restart is at once"
    story.run(2 + 1)
    pod = story.find("bad")
    assert pod is not None
    reason, message = waiting(story, "bad")
    assert reason == "CrashLoopBackOff"
    name = f"bad_default({pod['metadata']['uid']})"
    assert message == f"back-off 10s restarting failed container=c0 pod={name}"
    assert story.events("bad")[-1] == (
        f"BackOff: Back-off restarting failed container c0 in pod {name}"
    )
    assert story.container("bad")["lastState"]["terminated"]["exitCode"] == 1
    story.run(10)
    assert story.container("bad")["restartCount"] == 2
    story.run(2 + 1)
    assert "back-off 20s" in waiting(story, "bad")[1]


def test_back_off_is_at_most_five_minutes() -> None:
    story = Story()
    story.create("bad", annotations={keys.FAULT: "CrashLoop"})
    story.run(3600)
    assert "back-off 5m0s" in waiting(story, "bad")[1]
    restarts = story.container("bad")["restartCount"]
    story.run(303.5)
    assert story.container("bad")["restartCount"] == restarts + 1


def test_crashing_pod_is_not_ready_while_it_waits() -> None:
    story = Story()
    story.create("bad", annotations={keys.FAULT: "CrashLoop"})
    story.run(11)
    assert story.condition("bad", "Ready")["status"] == "False"
    assert story.condition("bad", "Initialized")["status"] == "True"


def test_crash_loop_in_an_init_container_keeps_the_pod_pending() -> None:
    story = Story()
    story.create("bad", annotations={keys.FAULT: "ImagePull"}, initContainers=[_init()])
    story.run(30)
    assert story.phase("bad") == "Pending"
    state = story.status("bad")["initContainerStatuses"][0]["state"]
    assert state["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")


def test_image_that_was_not_given_cannot_be_pulled() -> None:
    story = Story(GIVEN_ONLY)
    story.create("web")
    story.run(1 + 2)
    reason, message = waiting(story, "web")
    assert reason == "ErrImagePull"
    assert "docker.io/library/nginx:latest: not found" in message
    story.run(2)
    assert waiting(story, "web")[0] == "ImagePullBackOff"
    assert waiting(story, "web")[1].startswith('Back-off pulling image "nginx": ErrImagePull: ')
    reasons = [event.partition(":")[0] for event in story.events("web")]
    assert reasons == ["Pulling", "Failed", "Failed", "BackOff", "Failed"]
    assert story.phase("web") == "Pending"


def test_failed_pull_is_tried_again_with_a_growing_back_off() -> None:
    story = Story(GIVEN_ONLY)
    story.create("web")
    pulls = []
    for _ in range(100):
        story.run(1)
        is_pulling = waiting(story, "web")[0] == "ErrImagePull"
        pulls.append(is_pulling)
    starts = [i for i in range(1, 100) if pulls[i] and not pulls[i - 1]]
    assert [b - a for a, b in pairwise(starts)] == [12, 22, 42]


def test_given_image_needs_no_pull() -> None:
    story = Story(GIVEN_ONLY)
    story.create("box", containers=[{"image": "busybox:latest"}])
    story.run(2)
    assert story.phase("box") == "Running"


def test_pull_policy_never_without_the_image_says_so() -> None:
    story = Story(GIVEN_ONLY)
    story.create("web", containers=[{"imagePullPolicy": "Never"}])
    story.run(60)
    assert waiting(story, "web") == (
        "ErrImageNeverPull",
        'Container image "nginx" is not present with pull policy of Never',
    )
    assert "Failed: Error: ErrImageNeverPull" in story.events("web")


@pytest.mark.parametrize(
    ("policy", "state"), [("IfNotPresent", "running"), ("Never", "running"), ("Always", "waiting")]
)
def test_image_that_was_loaded_but_is_in_no_registry_must_not_be_pulled_always(
    policy: str, state: str
) -> None:
    story = Story(KIND_LIKE)
    mine = {"image": "my-scheduler:latest", "imagePullPolicy": policy}
    story.create("mine", containers=[mine])
    story.run(10)
    assert state in story.container("mine")["state"]
    story.create("web")
    story.run(10)
    assert story.phase("web") == "Running", "nginx is in a registry"


def test_slow_start_is_asked_for_by_annotation() -> None:
    story = Story()
    story.create("slow", annotations={keys.START_SECONDS: "30"})
    story.run(1 + 2 + 29)
    assert story.phase("slow") == "Pending"
    story.run(1)
    assert story.phase("slow") == "Running"


def test_annotation_that_is_no_number_changes_nothing() -> None:
    story = Story()
    story.create("web", annotations={keys.START_SECONDS: "soon", keys.EXIT_CODE: "-"})
    story.run(4)
    assert story.phase("web") == "Running"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.812, "812ms"), (1.5, "1.5s"), (10.0, "10s"), (160.0, "2m40s"), (300.0, "5m0s")],
)
def test_times_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def _init() -> dict[str, str]:
    return {"name": "first", "image": "nginx", "imagePullPolicy": "IfNotPresent"}


def test_running_pod_crashes_once_it_is_told_to_and_runs_again_once_it_is_not() -> None:
    story = Story()
    story.create("web")
    story.run(60)
    assert story.condition("web", "Ready")["status"] == "True"
    story.annotate_pod("web", keys.FAULT, "CrashLoop")
    assert story.container("web")["state"]["terminated"]["exitCode"] == 1
    story.run(1 + 1 + 2 + 1)
    assert waiting(story, "web")[0] == "CrashLoopBackOff"
    story.annotate_pod("web", keys.FAULT, None)
    story.run(60)
    assert story.condition("web", "Ready")["status"] == "True"
    assert story.container("web")["restartCount"] == 2


def test_pod_is_not_ready_while_it_is_told_not_to_be() -> None:
    story = Story()
    story.create("late", annotations={keys.FAULT: "NotReady"})
    story.create("web")
    story.run(60)
    assert story.condition("late", "Ready")["reason"] == "ContainersNotReady"
    assert story.phase("late") == "Running"
    assert story.condition("web", "Ready")["status"] == "True"
    story.annotate_pod("web", keys.FAULT, "NotReady")
    assert story.condition("web", "Ready")["status"] == "False"
    for name in ("late", "web"):
        story.annotate_pod(name, keys.FAULT, None)
        assert story.condition(name, "Ready")["status"] == "True"
        assert story.container(name)["restartCount"] == 0


def test_running_pod_ends_when_it_is_told_to() -> None:
    story = Story()
    story.create("web", restartPolicy="Never")
    story.run(60)
    story.annotate_pod("web", keys.RUN_SECONDS, "90")
    story.run(20)
    assert story.phase("web") == "Running"
    story.run(20)
    assert story.phase("web") == "Succeeded"


def test_other_annotations_leave_a_running_pod_alone() -> None:
    story = Story()
    story.create("once", annotations={keys.RUN_SECONDS: "30"}, restartPolicy="Never")
    story.run(10)
    story.annotate_pod("once", "note", "x")
    story.run(30)
    assert story.phase("once") == "Succeeded"
