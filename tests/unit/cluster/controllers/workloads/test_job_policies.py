"""Jobs: policies for failure, success and replacement, and limits per index."""

from __future__ import annotations

import pytest

from pilotfish.cluster.kinds import JOBS, PODS
from unit.cluster.controllers.workloads.job_story import (
    LABELS,
    active,
    bound_template,
    conditions,
    end_pods,
    fail_pod,
    job,
    pods_of,
    status,
)
from unit.cluster.controllers.world import Json, World, pod_spec

FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


def on_codes(action: str, *codes: int, operator: str = "In", **more: str) -> Json:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(codes), **more}}


def on_disruption(action: str) -> Json:
    pattern = {"type": "DisruptionTarget", "status": "True"}
    return {"action": action, "onPodConditions": [pattern]}


def message(world: World) -> str:
    text: str = status(world)["conditions"][-1]["message"]
    return text


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (on_codes("FailJob", 42), True),
        (on_codes("FailJob", 42, containerName="app"), True),
        (on_codes("FailJob", 42, containerName="other"), False),
        (on_codes("FailJob", 1, operator="NotIn"), True),
        (on_codes("FailJob", 42, operator="NotIn"), False),
        (on_disruption("FailJob"), False),
    ],
)
def test_exit_code_fails_the_job_where_a_rule_says_so(rule: Json, *, matches: bool) -> None:
    world = World()
    containers = [{"name": name, "image": "app"} for name in ("app", "other")]
    made = {"metadata": {"labels": LABELS}, "spec": pod_spec(restartPolicy="Never")}
    made["spec"]["containers"] = containers
    job(world, completions=2, parallelism=2, template=made, podFailurePolicy={"rules": [rule]})
    world.settle()
    first, second = world.names(PODS)
    fail_pod(world, first, 42)
    world.advance(1, world.run_pods)
    if not matches:
        assert conditions(world) == []
        return
    assert conditions(world) == [
        "FailureTarget=True PodFailurePolicy",
        "Failed=True PodFailurePolicy",
    ]
    assert message(world) == (
        f"Container app for pod default/{first} failed with exit code 42 "
        "matching FailJob rule at index 0"
    )
    assert second not in world.names(PODS)
    assert status(world)["failed"] == 2


def test_condition_of_a_failed_pod_matches_a_rule_behind_others() -> None:
    world = World()
    rules = [on_codes("Count", 1), on_disruption("FailJob")]
    job(world, completions=1, podFailurePolicy={"rules": rules})
    world.settle()
    (name,) = world.names(PODS)
    fail_pod(world, name, 137, type="DisruptionTarget", status="True")
    world.settle()
    assert message(world) == (
        f"Pod default/{name} has condition DisruptionTarget matching FailJob rule at index 1"
    )


def test_ignored_failure_is_replaced_and_counts_towards_no_limit() -> None:
    world = World()
    rules = [on_codes("Ignore", 3), on_codes("FailJob", 42)]
    job(world, completions=1, backoffLimit=0, podFailurePolicy={"rules": rules})
    world.settle()
    (name,) = world.names(PODS)
    fail_pod(world, name, 3)
    world.advance(12)
    assert conditions(world) == []
    assert "failed" not in status(world)
    (second,) = active(world)
    fail_pod(world, second, 7)
    world.settle()
    assert conditions(world)[0] == "FailureTarget=True BackoffLimitExceeded"
    assert status(world)["failed"] == 1


def test_pod_that_is_deleted_is_replaced_when_it_has_ended_where_only_failed_ones_are() -> None:
    world = World()
    job(world, completions=1, podReplacementPolicy="Failed", template=bound_template(world))
    world.settle()
    (name,) = world.names(PODS)
    world.set_pod(name, "Running", ready=True)
    world.delete(PODS, name)
    world.advance(15)
    assert world.names(PODS) == [name]
    assert status(world)["terminating"] == 1
    assert "failed" not in status(world)
    world.set_pod(name, "Failed")
    world.advance(15)
    assert len(active(world)) == 1
    assert status(world)["failed"] == 1


def test_index_of_a_pod_that_is_being_deleted_is_not_given_twice() -> None:
    world = World()
    job(
        world,
        completions=3,
        parallelism=2,
        completionMode="Indexed",
        podReplacementPolicy="Failed",
        template=bound_template(world),
    )
    world.settle()
    (first,), (second,) = pods_of(world, 0), pods_of(world, 1)
    for pod in (first, second):
        world.set_pod(pod["metadata"]["name"], "Running")
    world.delete(PODS, first["metadata"]["name"])
    world.set_pod(second["metadata"]["name"], "Succeeded")
    world.settle()
    assert len(pods_of(world, 0)) == 1
    assert len(pods_of(world, 2)) == 1


def test_index_fails_alone_beyond_its_own_limit() -> None:
    world = World()
    job(world, completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=1)
    world.settle()
    assert status(world)["failedIndexes"] == ""
    (first,) = pods_of(world, 0)
    assert first["metadata"]["annotations"][FAILURES] == "0"
    fail_pod(world, first["metadata"]["name"])
    world.advance(9)
    assert len(pods_of(world, 0)) == 1
    assert "failed" not in status(world)
    world.advance(3)
    _, second = pods_of(world, 0)
    assert second["metadata"]["annotations"][FAILURES] == "1"
    assert status(world)["failed"] == 1
    fail_pod(world, second["metadata"]["name"])
    world.settle()
    assert status(world)["failedIndexes"] == "0"
    assert conditions(world) == []
    world.set_pod(pods_of(world, 1)[0]["metadata"]["name"], "Succeeded")
    world.settle()
    assert status(world)["completedIndexes"] == "1"
    assert conditions(world)[-1] == "Failed=True FailedIndexes"
    assert message(world) == "Job has failed indexes"
    assert all(not pod["metadata"].get("finalizers") for pod in world.all(PODS))


def test_job_fails_with_more_failed_indexes_than_it_may_have() -> None:
    world = World()
    job(
        world,
        completions=3,
        parallelism=3,
        completionMode="Indexed",
        backoffLimitPerIndex=0,
        maxFailedIndexes=1,
    )
    world.settle()
    for index in (0, 1):
        fail_pod(world, pods_of(world, index)[0]["metadata"]["name"])
        world.advance(1, world.run_pods)
    assert status(world)["failedIndexes"] == "0,1"
    assert conditions(world)[-1] == "Failed=True MaxFailedIndexesExceeded"
    assert active(world) == []


def test_rule_fails_the_index_at_once_and_ignored_failures_are_carried_on() -> None:
    world = World()
    job(
        world,
        completions=2,
        parallelism=2,
        completionMode="Indexed",
        backoffLimitPerIndex=3,
        podFailurePolicy={"rules": [on_codes("FailIndex", 42), on_codes("Ignore", 3)]},
    )
    world.settle()
    fail_pod(world, pods_of(world, 0)[0]["metadata"]["name"], 42)
    fail_pod(world, pods_of(world, 1)[0]["metadata"]["name"], 3)
    world.advance(12)
    assert status(world)["failedIndexes"] == "0"
    assert len(pods_of(world, 0)) == 1
    notes = pods_of(world, 1)[-1]["metadata"]["annotations"]
    assert (notes[FAILURES], notes[IGNORED]) == ("0", "1")


@pytest.mark.parametrize(
    ("rules", "enough"),
    [
        ([{"succeededIndexes": "0,2"}], (0, 2)),
        ([{"succeededIndexes": "1"}, {"succeededCount": 2}], (0, 2)),
        ([{"succeededIndexes": "0-2", "succeededCount": 2}], (0, 1)),
    ],
)
def test_job_succeeds_early_by_a_rule(rules: list[Json], enough: tuple[int, ...]) -> None:
    world = World()
    policy = {"rules": rules}
    job(world, completions=4, parallelism=4, completionMode="Indexed", successPolicy=policy)
    world.settle()
    for index in enough:
        assert conditions(world) == []
        world.set_pod(pods_of(world, index)[0]["metadata"]["name"], "Succeeded")
        world.advance(1, world.run_pods)
    assert conditions(world) == [
        "SuccessCriteriaMet=True SuccessPolicy",
        "Complete=True SuccessPolicy",
    ]
    assert message(world) == f"Matched rules at index {len(rules) - 1}"
    assert status(world)["succeeded"] == len(enough)
    assert "failed" not in status(world)
    assert active(world) == []


def test_second_pod_of_an_index_and_one_of_none_are_deleted() -> None:
    world = World()
    job(world, completions=2, parallelism=2, completionMode="Indexed")
    world.settle()
    owner = pods_of(world, 0)[0]["metadata"]["ownerReferences"][0]
    for name, notes in (
        ("twin", {"batch.kubernetes.io/job-completion-index": "0"}),
        ("beyond", {"batch.kubernetes.io/job-completion-index": "2"}),
        ("none", {}),
    ):
        metadata = {"name": name, "labels": LABELS, "annotations": notes}
        metadata |= {"ownerReferences": [owner]}
        world.create(PODS, {"metadata": metadata, "spec": pod_spec(restartPolicy="Never")})
    world.advance(1, world.run_pods)
    key = "batch.kubernetes.io/job-completion-index"
    assert sorted(pod["metadata"]["annotations"][key] for pod in world.all(PODS)) == ["0", "1"]
    assert status(world)["active"] == 2


def test_completions_and_parallelism_of_an_indexed_job_shrink_together() -> None:
    world = World()
    job(world, completions=3, parallelism=3, completionMode="Indexed")
    world.settle()
    world.set_pod(pods_of(world, 2)[0]["metadata"]["name"], "Succeeded")
    world.settle()
    assert status(world)["completedIndexes"] == "2"
    world.change(JOBS, "work", lambda j: j["spec"].update(completions=2, parallelism=2))
    world.settle()
    assert "completedIndexes" not in status(world)
    end_pods(world, "Succeeded")
    world.settle()
    assert status(world)["completedIndexes"] == "0,1"
    assert status(world)["succeeded"] == 2
    assert conditions(world)[-1] == "Complete=True CompletionsReached"


def test_failed_pods_of_a_suspended_and_resumed_job_still_count() -> None:
    world = World()
    job(world, completions=1, backoffLimit=1)
    world.settle()
    fail_pod(world, world.names(PODS)[0])
    world.settle()
    world.change(JOBS, "work", lambda j: j["spec"].update(suspend=True))
    world.settle()
    world.change(JOBS, "work", lambda j: j["spec"].update(suspend=False))
    world.advance(12)
    (name,) = active(world)
    fail_pod(world, name)
    world.settle()
    assert conditions(world)[-1] == "Failed=True BackoffLimitExceeded"
