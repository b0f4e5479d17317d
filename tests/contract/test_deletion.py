"""How pods go: gracefully, at once, by eviction and with their owners."""

from __future__ import annotations

import pytest

from contract.objects import binding, deployment, disruption_budget, pod
from contract.server import Json, Server
from controlplane import wait_until

EVICTED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def eviction(name: str, **fields: object) -> Json:
    """Make an Eviction."""
    return {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name},
        **fields,
    }


def run_pod(api: Server, core: str, node_name: str, name: str, **metadata: object) -> Json:
    """Make a pod that runs and is ready."""
    api.post(f"{core}/pods", pod(name, metadata=metadata)).ok()
    api.post(f"{core}/pods/{name}/binding", binding(name, node_name)).ok()

    def ready() -> Json | None:
        found: Json = api.get(f"{core}/pods/{name}").ok()
        conditions = {c["type"]: c["status"] for c in found["status"].get("conditions", [])}
        return found if conditions.get("Ready") == "True" else None

    found = wait_until(ready, f"{name} to be ready")
    assert found is not None
    return found


def test_unbound_pod_goes_at_once(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    answer = api.delete(f"{core}/pods/a")
    assert (answer.code, answer.body["kind"]) == (200, "Pod")
    assert api.get(f"{core}/pods/a").code == 404


def test_bound_pod_is_given_its_grace(api: Server, core: str, absent_node: str) -> None:
    """The node does not exist, so that nothing ends the pod meanwhile."""
    api.post(f"{core}/pods", pod("a", terminationGracePeriodSeconds=40)).ok()
    api.post(f"{core}/pods/a/binding", binding("a", absent_node)).ok()
    deleted = api.delete(f"{core}/pods/a").ok()["metadata"]
    assert deleted["deletionGracePeriodSeconds"] == 40
    assert deleted["generation"] == 2, "the deletion counts, the binding does not"
    shorter = api.delete(f"{core}/pods/a", gracePeriodSeconds=5).ok()["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 5
    assert shorter["deletionTimestamp"] < deleted["deletionTimestamp"]
    longer = api.delete(f"{core}/pods/a", gracePeriodSeconds=50).ok()["metadata"]
    assert longer["deletionGracePeriodSeconds"] == 5
    assert api.delete(f"{core}/pods/a", gracePeriodSeconds=0).code == 200
    assert api.get(f"{core}/pods/a").code == 404


def test_running_pod_ends_and_is_gone(api: Server, core: str, node_name: str) -> None:
    running = run_pod(api, core, node_name, "a")
    assert running["status"]["phase"] == "Running"
    assert running["status"]["podIP"]
    assert running["status"]["containerStatuses"][0]["state"].keys() == {"running"}
    api.delete(f"{core}/pods/a").ok()
    wait_until(lambda: api.get(f"{core}/pods/a").code == 404, "the pod's end")


def test_eviction_deletes_a_pod(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    answer = api.post(f"{core}/pods/a/eviction", eviction("a"))
    assert (answer.code, answer.body) == (201, EVICTED)
    assert api.get(f"{core}/pods/a").code == 404


def test_eviction_that_a_budget_forbids_is_refused(
    api: Server, core: str, space: str, node_name: str
) -> None:
    labels = {"app": "kept"}
    run_pod(api, core, node_name, "a", labels=labels)
    budgets = f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets"
    api.post(budgets, disruption_budget("keep", labels, minAvailable=1)).ok()

    def observed() -> bool:
        status = api.get(f"{budgets}/keep").ok()["status"]
        return bool(status.get("observedGeneration") == 1 and status["currentHealthy"] == 1)

    wait_until(observed, "the budget to see the pod")
    answer = api.post(f"{core}/pods/a/eviction", eviction("a"))
    assert answer.told == (
        "429 TooManyRequests: Cannot evict pod as it would violate the pod's disruption budget."
    )
    assert answer.body["details"]["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget keep needs 1 healthy pods and has 1 currently",
        }
    ]
    assert api.get(f"{core}/pods/a").code == 200
    api.patch(f"{budgets}/keep", {"spec": {"minAvailable": 0}}).ok()
    wait_until(
        lambda: api.get(f"{budgets}/keep").ok()["status"]["disruptionsAllowed"], "a looser budget"
    )
    assert api.post(f"{core}/pods/a/eviction", eviction("a")).code == 201


def test_eviction_of_two_budgets_is_refused(
    api: Server, core: str, space: str, absent_node: str
) -> None:
    labels = {"app": "kept"}
    api.post(f"{core}/pods", pod("a", metadata={"labels": labels})).ok()
    api.post(f"{core}/pods/a/binding", binding("a", absent_node)).ok()
    running = {"status": {"phase": "Running"}}
    api.patch(f"{core}/pods/a/status", running).ok()
    for name in ("one", "two"):
        budgets = f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets"
        api.post(budgets, disruption_budget(name, labels, minAvailable=1)).ok()
    assert api.post(f"{core}/pods/a/eviction", eviction("a")).told == (
        "500 : This pod has more than one PodDisruptionBudget, which the eviction subresource does "
        "not support."
    )


def let_the_garbage_collector_see_all(api: Server, sets: str) -> None:
    """Wait until it has seen the ReplicaSets that there are; it learns of them in their order."""
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent", "uid": "absent"}
    probe = deployment("probe")
    probe["kind"] = "ReplicaSet"
    probe["metadata"]["ownerReferences"] = [owner]
    api.post(sets, probe).ok()
    wait_until(lambda: api.get(f"{sets}/probe").code == 404, "the end of what has no owner")


@pytest.mark.parametrize("policy", ["Background", "Foreground", "Orphan"])
def test_deleted_owner_takes_its_pods_along_unless_told_otherwise(
    api: Server, core: str, space: str, policy: str
) -> None:
    deployments = f"/apis/apps/v1/namespaces/{space}/deployments"
    api.post(deployments, deployment("a", replicas=1)).ok()
    sets = f"/apis/apps/v1/namespaces/{space}/replicasets"
    wait_until(lambda: api.get(f"{core}/pods").ok()["items"], "a pod")
    let_the_garbage_collector_see_all(api, sets)
    api.delete(f"{deployments}/a", {"propagationPolicy": policy}).ok()
    wait_until(lambda: api.get(f"{deployments}/a").code == 404, "the deployment's end")
    if policy == "Orphan":
        left = api.get(sets).ok()["items"]
        assert [each["metadata"].get("ownerReferences") for each in left] == [None]
        assert len(api.get(f"{core}/pods").ok()["items"]) == 1
    else:
        wait_until(lambda: not api.get(f"{core}/pods").ok()["items"], "the pod's end")


def test_scale_is_a_view_of_the_replicas(api: Server, space: str) -> None:
    path = f"/apis/apps/v1/namespaces/{space}/deployments"
    made = api.post(path, deployment("a", paused=True)).ok()
    scale = api.get(f"{path}/a/scale").ok()
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["metadata"]["uid"] == made["metadata"]["uid"]
    assert (scale["spec"], scale["status"]) == ({}, {"replicas": 0, "selector": "app=a"})
    scale["spec"] = {"replicas": 3}
    del scale["metadata"]["resourceVersion"]  # controllers write meanwhile
    assert api.put(f"{path}/a/scale", scale).ok()["spec"] == {"replicas": 3}
    assert api.get(f"{path}/a").ok()["spec"]["replicas"] == 3
    told = api.patch(f"{path}/a/scale", {"spec": {"replicas": -1}}).told
    assert told == (
        '422 Invalid: Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be '
        "greater than or equal to 0"
    )


def test_deleted_namespace_takes_everything_along(api: Server, space: str, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    deleted = api.delete(f"/api/v1/namespaces/{space}").ok()
    assert deleted["status"]["phase"] == "Terminating"
    wait_until(lambda: api.get(f"/api/v1/namespaces/{space}").code == 404, "the namespace's end")
    gone = f'404 NotFound: namespaces "{space}" not found'
    wait_until(lambda: api.post(f"{core}/pods", pod("b")).told == gone, "admission to know of it")


@pytest.mark.parametrize(("query", "warnings"), [({}, 1), ({"propagationPolicy": "Background"}, 0)])
def test_delete_of_a_job_warns_that_its_pods_stay(
    api: Server, space: str, query: dict[str, str], warnings: int
) -> None:
    jobs = f"/apis/batch/v1/namespaces/{space}/jobs"
    template = {"spec": pod("a", restartPolicy="Never")["spec"]}
    api.post(jobs, {"metadata": {"name": "a"}, "spec": {"template": template}}).ok()
    found = api.delete(f"{jobs}/a", **query).warnings
    assert len(found) == warnings
    assert all(text.startswith("child pods are preserved by default") for text in found)


def test_deleted_collection_is_given_as_it_was(api: Server, core: str, absent_node: str) -> None:
    api.post(f"{core}/pods", pod("a", nodeName=absent_node)).ok()
    items = api.delete(f"{core}/pods").ok()["items"]
    assert [item["metadata"]["name"] for item in items] == ["a"]
    assert "deletionTimestamp" not in items[0]["metadata"]
    assert "deletionTimestamp" in api.get(f"{core}/pods/a").ok()["metadata"]
