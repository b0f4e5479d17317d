import pytest

from unit.cluster.registry.api import Api, Json, message, pod

REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."


def run(api: Api, name: str, *, ready: bool = True) -> None:
    """Have a running pod."""
    made = pod(name, nodeName="n")
    made["metadata"]["labels"] = {"app": "a"}
    api.create("pods", made)
    condition = {"type": "Ready", "status": str(ready)}
    status = {"phase": "Running", "conditions": [condition]}
    api.merge("pods", name, {"status": status}, part="status")


def budget(api: Api, name: str = "b", **spec: object) -> None:
    """Have a budget for those pods, and let its controller count."""
    selector = {"matchLabels": {"app": "a"}}
    api.create(
        "poddisruptionbudgets", {"metadata": {"name": name}, "spec": {"selector": selector} | spec}
    )
    api.settle(seconds=1)


def evict(api: Api, name: str, **rest: object) -> Json:
    body = {"metadata": {"name": name}} | rest
    return api.ask("create", "pods", name, body, part="eviction")


def test_pod_without_a_budget_is_deleted_and_says_why(api: Api) -> None:
    run(api, "p")
    assert evict(api, "p")["status"] == "Success"
    going = api.get("pods", "p")
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    condition = going["status"]["conditions"][-1]
    assert (condition["type"], condition["reason"], condition["message"]) == (
        "DisruptionTarget",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
    )


def test_budget_that_is_used_up_refuses_with_its_cause(api: Api) -> None:
    run(api, "p")
    budget(api, minAvailable=1)
    refusal = evict(api, "p")
    assert message(refusal, 429) == REFUSAL
    assert refusal["reason"] == "TooManyRequests"
    assert refusal["details"]["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget b needs 1 healthy pods and has 1 currently",
        }
    ]
    assert "deletionTimestamp" not in api.get("pods", "p")["metadata"]


def test_budget_that_is_new_asks_to_try_again(api: Api) -> None:
    run(api, "p")
    selector = {"matchLabels": {"app": "a"}}
    spec = {"minAvailable": 0, "selector": selector}
    api.create("poddisruptionbudgets", {"metadata": {"name": "b"}, "spec": spec})
    refusal = evict(api, "p")
    assert message(refusal, 429) == REFUSAL
    assert refusal["details"]["retryAfterSeconds"] == 10
    assert refusal["details"]["causes"][0]["message"] == (
        "The disruption budget b is still being processed by the server."
    )


def test_eviction_takes_from_the_budget_at_once(api: Api) -> None:
    run(api, "p")
    run(api, "q")
    budget(api, minAvailable=1)
    assert evict(api, "p")["status"] == "Success"
    status = api.get("poddisruptionbudgets", "b")["status"]
    assert status["disruptionsAllowed"] == 0
    assert list(status["disruptedPods"]) == ["p"]
    assert evict(api, "q")["code"] == 429


def test_dry_run_takes_nothing(api: Api) -> None:
    run(api, "p")
    budget(api, minAvailable=0)
    assert evict(api, "p", deleteOptions={"dryRun": ["All"]})["status"] == "Success"
    assert "disruptedPods" not in api.get("poddisruptionbudgets", "b")["status"]
    assert "deletionTimestamp" not in api.get("pods", "p")["metadata"]


def test_pod_that_is_not_ready_goes_while_the_budget_is_met(api: Api) -> None:
    run(api, "good")
    run(api, "bad", ready=False)
    budget(api, minAvailable=1)
    assert evict(api, "bad")["status"] == "Success"


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_pod_that_does_not_run_needs_no_budget(api: Api, phase: str) -> None:
    run(api, "p")
    budget(api, minAvailable=1)
    api.merge("pods", "p", {"status": {"phase": phase}}, part="status")
    assert evict(api, "p")["status"] == "Success"


def test_two_budgets_for_one_pod_are_an_error(api: Api) -> None:
    run(api, "p")
    budget(api, "b1", minAvailable=0)
    budget(api, "b2", minAvailable=0)
    assert message(evict(api, "p"), 500) == (
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
        "support."
    )


def test_options_of_the_eviction_are_those_of_the_delete(api: Api) -> None:
    run(api, "p")
    stale = {"preconditions": {"uid": "other"}}
    assert evict(api, "p", deleteOptions=stale)["reason"] == "Conflict"
    evict(api, "p", deleteOptions={"gracePeriodSeconds": 0})
    assert api.names("pods") == []


def test_eviction_of_another_name_or_of_nothing_is_refused(api: Api) -> None:
    run(api, "p")
    refusal = api.ask("create", "pods", "p", {"metadata": {"name": "q"}}, part="eviction")
    assert message(refusal, 400) == "name in URL does not match name in Eviction object"
    assert message(evict(api, "q"), 404) == 'pods "q" not found'
