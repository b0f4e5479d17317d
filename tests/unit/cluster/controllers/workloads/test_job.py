"""Jobs: completions, failures, indexes, suspension, time to live."""

from __future__ import annotations

from pilotfish.cluster.kinds import JOBS, PODS
from unit.cluster.controllers.workloads.job_story import (
    LABELS,
    active,
    bound_template,
    conditions,
    end_pods,
    job,
    status,
)
from unit.cluster.controllers.world import World, pod_spec

TRACKING = "batch.kubernetes.io/job-tracking"


def test_job_is_complete_when_enough_pods_have_succeeded() -> None:
    world = World()
    job(world, completions=3, parallelism=2)
    world.settle()
    assert len(active(world)) == 2
    assert status(world)["active"] == 2
    assert "startTime" in status(world)
    end_pods(world, "Succeeded")
    world.settle()
    assert status(world)["succeeded"] == 2
    assert len(active(world)) == 1
    end_pods(world, "Succeeded")
    world.settle()
    assert status(world)["succeeded"] == 3
    assert "active" not in status(world)
    assert conditions(world) == [
        "SuccessCriteriaMet=True CompletionsReached",
        "Complete=True CompletionsReached",
    ]
    assert "completionTime" in status(world)
    assert world.events("Completed") == ["Job completed"]
    assert all(not pod["metadata"].get("finalizers") for pod in world.all(PODS))


def test_pod_that_is_deleted_when_it_has_succeeded_still_counts() -> None:
    world = World()
    job(world, completions=1)
    world.settle()
    (name,) = world.names(PODS)
    assert world.get(PODS, name)["metadata"]["finalizers"] == [TRACKING]
    world.set_pod(name, "Succeeded")
    world.delete(PODS, name, grace_period_seconds=0)
    world.settle()
    assert status(world)["succeeded"] == 1
    assert world.names(PODS) == []


def test_failed_pod_is_replaced_after_a_back_off_that_doubles() -> None:
    world = World()
    job(world, completions=1)
    world.settle()
    for seconds in (10, 20):
        end_pods(world, "Failed")
        world.advance(seconds - 1)
        assert active(world) == []
        world.advance(2)
        assert len(active(world)) == 1
    assert status(world)["failed"] == 2


def test_job_fails_beyond_its_back_off_limit() -> None:
    world = World()
    job(world, completions=2, parallelism=2, backoffLimit=0, template=bound_template(world))
    world.settle()
    first, second = world.names(PODS)
    world.set_pod(first, "Failed")
    world.settle()
    assert conditions(world) == ["FailureTarget=True BackoffLimitExceeded"]
    assert "deletionTimestamp" in world.get(PODS, second)["metadata"]
    world.advance(1, world.run_pods)
    assert conditions(world)[-1] == "Failed=True BackoffLimitExceeded"
    assert status(world)["failed"] == 2
    assert world.events("BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_job_past_its_deadline_fails_and_stops_its_pods() -> None:
    world = World()
    job(world, completions=1, activeDeadlineSeconds=30)
    world.advance(1, world.run_pods)
    world.advance(31, world.run_pods)
    assert conditions(world)[-1] == "Failed=True DeadlineExceeded"
    assert active(world) == []


def test_job_without_completions_ends_with_its_first_success_and_the_rest_of_its_pods() -> None:
    world = World()
    job(world, parallelism=2)
    world.settle()
    first, second = world.names(PODS)
    world.set_pod(first, "Succeeded")
    world.settle()
    assert conditions(world) == []
    world.set_pod(second, "Succeeded")
    world.settle()
    assert conditions(world)[-1] == "Complete=True CompletionsReached"


def test_indexed_job_gives_each_index_one_success() -> None:
    world = World()
    job(world, completions=3, parallelism=2, completionMode="Indexed")
    world.settle()
    pods = {p["spec"]["hostname"]: p for p in world.all(PODS)}
    assert sorted(pods) == ["work-0", "work-1"]
    first = pods["work-0"]
    assert first["metadata"]["name"].startswith("work-0-")
    key = "batch.kubernetes.io/job-completion-index"
    assert first["metadata"]["annotations"][key] == first["metadata"]["labels"][key] == "0"
    (variable,) = first["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"
    world.set_pod(pods["work-1"]["metadata"]["name"], "Succeeded")
    world.settle()
    assert status(world)["completedIndexes"] == "1"
    assert sorted(p["spec"]["hostname"] for p in world.all(PODS)) == ["work-0", "work-1", "work-2"]
    end_pods(world, "Succeeded")
    world.settle()
    assert status(world)["completedIndexes"] == "0-2"
    assert conditions(world)[-1] == "Complete=True CompletionsReached"


def test_suspended_job_has_no_pods_until_it_is_resumed() -> None:
    world = World()
    job(world, completions=1, suspend=True)
    world.settle()
    assert world.names(PODS) == []
    assert conditions(world) == ["Suspended=True JobSuspended"]
    assert "startTime" not in status(world)
    world.change(JOBS, "work", lambda j: j["spec"].update(suspend=False))
    world.settle()
    assert len(active(world)) == 1
    assert conditions(world) == ["Suspended=False JobResumed"]
    world.change(JOBS, "work", lambda j: j["spec"].update(suspend=True))
    world.advance(1, world.run_pods)
    assert world.names(PODS) == []
    assert "failed" not in status(world)


def test_fewer_pods_run_when_parallelism_shrinks() -> None:
    world = World()
    job(world, completions=5, parallelism=3)
    world.advance(1, world.run_pods)
    world.change(JOBS, "work", lambda j: j["spec"].update(parallelism=1))
    world.advance(1, world.run_pods)
    assert len(active(world)) == 1
    assert status(world)["active"] == 1


def test_finished_job_is_deleted_with_its_pods_after_its_time_to_live() -> None:
    world = World()
    job(world, completions=1, ttlSecondsAfterFinished=60)
    world.settle()
    end_pods(world, "Succeeded")
    world.advance(59, world.run_pods)
    assert world.names(JOBS) == ["work"]
    world.advance(3, world.run_pods)
    assert world.names(JOBS) == []
    assert world.names(PODS) == []


def test_pods_of_a_deleted_job_are_let_go() -> None:
    world = World()
    job(world, completions=1)
    world.advance(1, world.run_pods)
    world.delete(JOBS, "work", propagation_policy="Background")
    world.advance(1, world.run_pods)
    assert world.names(PODS) == []


def test_restarts_count_against_the_limit_when_pods_restart_on_failure() -> None:
    world = World()
    made = {"metadata": {"labels": LABELS}, "spec": pod_spec(restartPolicy="OnFailure")}
    job(world, completions=1, backoffLimit=2, template=made)
    world.settle()
    (name,) = world.names(PODS)
    world.set_pod(name, "Running", restarts=1)
    world.settle()
    assert conditions(world) == []
    world.set_pod(name, "Running", restarts=2)
    world.settle()
    assert conditions(world)[0] == "FailureTarget=True BackoffLimitExceeded"


def test_job_of_another_manager_is_left_alone() -> None:
    world = World()
    job(world, completions=1, managedBy="example.com/queue")
    world.settle()
    assert world.names(PODS) == []
