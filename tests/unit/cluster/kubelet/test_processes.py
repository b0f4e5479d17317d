from typing import Any

import msgspec

from kubelet_story import EXACT, Story
from pilotfish.cluster.kinds import CONFIG_MAPS, PODS, SECRETS
from pilotfish.cluster.kubelet import kubelets_of
from pilotfish.cluster.kubelet.logs import LogOptions
from pilotfish.cluster.kubelet.processes import (
    Effect,
    ProcessExited,
    ProcessOutput,
    ProcessStarted,
    StartProcess,
    StopProcess,
)

IMAGE = "my-scheduler:latest"
LOCAL = msgspec.structs.replace(EXACT, local_images={IMAGE: ("python", "scheduler.py")})


class LocalStory(Story):
    """A story in which one image is a local one."""

    def __init__(self) -> None:
        super().__init__(settings=LOCAL)

    def deploy(self, name: str = "mine", **container: Any) -> str:
        """Create a pod of the local image and give its uid."""
        containers = [{"image": IMAGE, "imagePullPolicy": "Never", **container}]
        self.create(name, containers=containers, serviceAccountName="default")
        pod = self.find(name)
        assert pod is not None
        return str(pod["metadata"]["uid"])

    def effects(self) -> list[Effect]:
        """Take out the effects."""
        queue = self.kubelets.processes.effects
        return [queue.popleft() for _ in range(len(queue))]

    def log(self, name: str = "mine") -> list[str]:
        """Give the lines of its log."""
        reader = self.kubelets.logs.reader("default", name, LogOptions(), self.now)
        return [line.text for line in reader.take(self.now)]

    def started(self, **container: Any) -> tuple[str, StartProcess]:
        """Deploy, and report that the process runs."""
        uid = self.deploy(**container)
        self.run(2)
        (effect,) = self.effects()
        assert isinstance(effect, StartProcess)
        self.kubelets.handle(ProcessStarted(uid, "c0"), self.now)
        self.run(0)
        return uid, effect


def test_container_of_a_local_image_is_started_as_a_process_with_its_args() -> None:
    story = LocalStory()
    uid = story.deploy(args=["--name", "$(NAME)"], env=[{"name": "NAME", "value": "mine"}])
    story.run(1)
    assert story.effects() == []
    story.run(1)
    (effect,) = story.effects()
    assert isinstance(effect, StartProcess)
    assert (effect.uid, effect.container) == (uid, "c0")
    assert effect.argv == ("python", "scheduler.py", "--name", "mine")
    assert effect.env["HOSTNAME"] == "mine"
    assert effect.files["ca.crt"] == "the CA"
    assert effect.files["namespace"] == "default"
    user = story.cluster.authenticator.authenticate(f"Bearer {effect.files['token']}", story.now)
    assert user.name == "system:serviceaccount:default:default"
    assert "waiting" in story.container("mine")["state"], "nobody said yet that it runs"


def test_container_runs_when_its_process_does() -> None:
    story = LocalStory()
    story.started()
    assert story.phase("mine") == "Running"
    story.run(3600)
    assert story.phase("mine") == "Running"


def test_output_of_a_process_is_the_log_of_its_container() -> None:
    story = LocalStory()
    uid, _ = story.started()
    story.kubelets.handle(ProcessOutput(uid, "c0", "Bound default/a -> n1"), story.now)
    assert story.log() == ["Bound default/a -> n1"]


def test_process_that_writes_nothing_has_an_empty_log() -> None:
    story = LocalStory()
    uid, _ = story.started()
    story.run(60)
    assert story.log() == []
    story.kubelets.handle(ProcessExited(uid, "c0", 0), story.now)
    assert story.log() == []


def test_process_that_fails_is_started_again_and_then_backed_off() -> None:
    story = LocalStory()
    uid, _ = story.started()
    story.kubelets.handle(ProcessExited(uid, "c0", 2), story.now)
    assert story.container("mine")["state"]["terminated"]["exitCode"] == 2
    story.run(2)
    (effect,) = story.effects()
    assert isinstance(effect, StartProcess)
    story.kubelets.handle(ProcessStarted(uid, "c0"), story.now)
    story.kubelets.handle(ProcessExited(uid, "c0", 2), story.now)
    story.run(1)
    assert story.container("mine")["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert story.effects() == []
    story.run(11)
    assert len(story.effects()) == 1


def test_process_that_cannot_be_started_is_a_container_that_failed() -> None:
    story = LocalStory()
    uid = story.deploy()
    story.run(2)
    story.kubelets.handle(ProcessExited(uid, "c0", 128, "python: not found"), story.now)
    state = story.container("mine")["state"]["terminated"]
    assert (state["reason"], state["message"]) == ("StartError", "python: not found")
    assert story.events("mine")[-2:] == [
        "Created: Container created",
        "Failed: Error: python: not found",
    ]


def test_each_try_to_start_a_process_that_cannot_be_started_is_told() -> None:
    story = LocalStory()
    uid = story.deploy()
    story.run(2)
    for tries in range(2):
        assert len(story.effects()) == 1
        story.kubelets.handle(ProcessExited(uid, "c0", 128, "python: not found"), story.now)
        found = story.container("mine")
        assert found["state"]["terminated"]["reason"] == "StartError"
        assert found["restartCount"] == tries
        story.run(2)
    assert story.container("mine")["lastState"]["terminated"]["reason"] == "StartError"


def test_deleted_pod_stops_its_process_and_waits_for_its_end() -> None:
    story = LocalStory()
    uid, _ = story.started()
    story.delete("mine")
    assert story.effects() == [StopProcess(uid, "c0", 30.0)]
    story.run(20)
    assert story.find("mine") is not None
    story.kubelets.handle(ProcessExited(uid, "c0", 0), story.now)
    assert story.find("mine") is None


def test_deletion_is_heard_though_a_process_starts_before_the_next_look() -> None:
    story = LocalStory()
    uid = story.deploy()
    story.run(2)
    story.effects()
    story.client.delete(PODS, "default", "mine", story.now)
    story.kubelets.handle(ProcessStarted(uid, "c0"), story.now)
    story.run(0)
    assert story.effects() == [StopProcess(uid, "c0", 30.0)]


def test_forced_deletion_kills_the_process() -> None:
    story = LocalStory()
    uid, _ = story.started()
    story.delete("mine", grace_period_seconds=0)
    assert story.effects() == [StopProcess(uid, "c0", 0.0)]
    story.kubelets.handle(ProcessExited(uid, "c0", 137), story.now)


def test_kubelets_that_start_anew_start_the_process_again() -> None:
    story = LocalStory()
    story.started()
    story.kubelets = kubelets_of(story.client)
    story.run(3)
    assert isinstance(story.effects()[0], StartProcess)
    assert story.container("mine")["state"]["terminated"]["exitCode"] == 137


def test_environment_is_read_from_the_pod_config_maps_and_secrets() -> None:
    story = LocalStory()
    names = {"name": "settings", "namespace": "default"}
    story.client.create(CONFIG_MAPS, {"metadata": names, "data": {"a": "1", "b": "2"}}, story.now)
    story.client.create(SECRETS, {"metadata": names, "data": {"key": "c2VjcmV0"}}, story.now)
    _, effect = story.started(
        envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "S_"}],
        env=[
            _from("NODE", {"fieldRef": {"fieldPath": "spec.nodeName"}}),
            _from("IP", {"fieldRef": {"fieldPath": "status.podIP"}}),
            _from("KEY", {"secretKeyRef": {"name": "settings", "key": "key"}}),
            _from("B", {"configMapKeyRef": {"name": "settings", "key": "b"}}),
            _from("C", {"configMapKeyRef": {"name": "settings", "key": "c", "optional": True}}),
            {"name": "BOTH", "value": "$(NODE)/$(KEY)/$$(KEY)/$(NOBODY)"},
        ],
    )
    found = {key: value for key, value in effect.env.items() if key != "HOSTNAME"}
    assert found == {
        "S_a": "1",
        "S_b": "2",
        "NODE": "node-1",
        "IP": "127.0.0.1",
        "KEY": "secret",
        "B": "2",
        "BOTH": "node-1/secret/$(KEY)/$(NOBODY)",
    }


def test_missing_config_map_keeps_the_container_from_starting_until_it_is_there() -> None:
    story = LocalStory()
    story.deploy(envFrom=[{"configMapRef": {"name": "settings"}}])
    story.run(3)
    assert story.container("mine")["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "settings" not found',
    }
    assert 'Failed: Error: configmap "settings" not found' in story.events("mine")
    names = {"name": "settings", "namespace": "default"}
    story.client.create(CONFIG_MAPS, {"metadata": names, "data": {}}, story.now)
    story.run(10)
    assert len(story.effects()) == 1


def test_news_of_a_pod_that_is_gone_is_passed_over() -> None:
    story = LocalStory()
    story.kubelets.handle(ProcessExited("nobody", "c0", 0), story.now)
    story.kubelets.handle(ProcessStarted("nobody", "c0"), story.now)
    story.kubelets.handle(ProcessOutput("nobody", "c0", "last words"), story.now)
    assert story.kubelets.logs.period("nobody", "c0") is not None, "the line is kept for ever"


def _from(name: str, source: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "valueFrom": source}
