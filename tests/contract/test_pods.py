"""Pods as admission and defaulting leave them, and what of them may change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contract.objects import container, pod, priority_class
from contract.server import Json, Server
from controlplane import wait_until

CRITICAL = 2_000_000_000
FORBIDDEN = (
    '422 Invalid: Pod "a" is invalid: spec: Forbidden: pod updates may not change fields other '
    "than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
IMMUTABLE: list[tuple[str, Json]] = [
    ("nodeName", {"nodeName": "n"}),
    ("schedulerName", {"schedulerName": "other"}),
    ("requests", {"containers": [container(resources={"requests": {"cpu": "2"}})]}),
    ("nodeSelector", {"nodeSelector": {"a": "b"}}),
    ("affinity", {"affinity": {"podAffinity": {}}}),
    ("priorityClassName", {"priorityClassName": "other"}),
    ("restartPolicy", {"restartPolicy": "Never"}),
    ("hostNetwork", {"hostNetwork": True}),
]


@pytest.fixture
def classes(api: Server, core: str) -> Iterator[None]:
    """Priority classes that admission knows: one by default, one that never preempts."""
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    wanted = [
        priority_class("contract-default", 5, globalDefault=True),
        priority_class("contract-high", 1000, preemptionPolicy="Never"),
    ]
    for each in wanted:
        api.post(path, each).ok()
    wait_until(lambda: priority(api, core) == 5, "a default priority")
    wait_until(lambda: priority(api, core, priorityClassName="contract-high") == 1000, "a class")
    yield
    for each in wanted:
        api.delete(f"{path}/{each['metadata']['name']}").ok()
    wait_until(lambda: priority(api, core) == 0, "no default priority")


def priority(api: Server, core: str, **spec: Any) -> int | None:
    """Give the priority that a pod would get; None where it would be refused."""
    answer = api.post(f"{core}/pods", pod("probe", **spec), dryRun="All")
    return answer.body["spec"]["priority"] if answer.code == 201 else None


def create(api: Server, core: str, **spec: Any) -> Json:
    """Create a pod named "a" and give it as stored."""
    made: Json = api.post(f"{core}/pods", pod("a", **spec)).ok()
    return made


def test_pod_has_its_defaults(api: Server, core: str) -> None:
    made = create(api, core)
    spec = made["spec"]
    volume = spec["volumes"][0]
    assert volume["name"].startswith("kube-api-access-")
    assert spec == {
        "containers": [
            {
                "name": "main",
                "image": "registry.invalid/main:1",
                "imagePullPolicy": "IfNotPresent",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "volumeMounts": [
                    {
                        "name": volume["name"],
                        "readOnly": True,
                        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                    }
                ],
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "nobody",
        "securityContext": {},
        "serviceAccount": "default",
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{key}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for key in ("not-ready", "unreachable")
        ],
        "volumes": [volume],
    }
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_requests_default_to_limits(api: Server, core: str) -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}}
    made = create(api, core, containers=[container(resources=resources)])
    wanted = {**resources, "requests": resources["limits"]}
    assert made["spec"]["containers"][0]["resources"] == wanted
    assert made["status"]["qosClass"] == "Guaranteed"


def test_own_tolerations_stay_and_defaults_join_them(api: Server, core: str) -> None:
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
    tolerations = create(api, core, tolerations=[own])["spec"]["tolerations"]
    assert tolerations[0] == own
    assert [each["key"] for each in tolerations[1:]] == ["node.kubernetes.io/unreachable"]


@pytest.mark.usefixtures("classes")
@pytest.mark.parametrize(
    ("named", "priority", "policy", "name"),
    [
        ({}, 5, "PreemptLowerPriority", "contract-default"),
        ({"priorityClassName": "contract-high"}, 1000, "Never", "contract-high"),
        (
            {"priorityClassName": "system-cluster-critical"},
            CRITICAL,
            "PreemptLowerPriority",
            "system-cluster-critical",
        ),
    ],
)
def test_priority_comes_from_the_class(
    api: Server, core: str, named: Json, priority: int, policy: str, name: str
) -> None:
    spec = create(api, core, **named)["spec"]
    got = (spec["priority"], spec["preemptionPolicy"], spec["priorityClassName"])
    assert got == (priority, policy, name)


@pytest.mark.usefixtures("classes")
def test_priority_may_not_contradict_the_class(api: Server, core: str) -> None:
    body = pod("a", priorityClassName="contract-high", priority=7)
    assert api.post(f"{core}/pods", body).told == (
        '403 Forbidden: pods "a" is forbidden: the integer value of priority (7) must not be '
        "provided in pod spec; priority admission controller computed 1000 from the given "
        "PriorityClass name"
    )


def test_overhead_and_placement_come_from_the_runtime_class(api: Server, core: str) -> None:
    path = "/apis/node.k8s.io/v1/runtimeclasses"
    runtime = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "contract-runtime"},
        "handler": "kata",
        "overhead": {"podFixed": {"cpu": "100m"}},
        "scheduling": {"nodeSelector": {"kata": "yes"}},
    }
    api.post(path, runtime).ok()
    spec = api.post(f"{core}/pods", pod("a", runtimeClassName="contract-runtime")).ok()["spec"]
    wrong = pod("b", runtimeClassName="contract-runtime", overhead={"cpu": "1"})
    told = api.post(f"{core}/pods", wrong).told
    api.delete(f"{path}/contract-runtime").ok()
    assert (spec["overhead"], spec["nodeSelector"]) == ({"cpu": "100m"}, {"kata": "yes"})
    assert told == (
        "403 Forbidden: pods \"b\" is forbidden: pod rejected: Pod's Overhead doesn't match "
        "RuntimeClass's defined Overhead"
    )


@pytest.mark.parametrize(("field", "change"), IMMUTABLE, ids=[row[0] for row in IMMUTABLE])
def test_fields_of_a_pod_are_fixed(api: Server, core: str, field: str, change: Json) -> None:
    create(api, core)
    kind = "application/strategic-merge-patch+json"
    told = api.patch(f"{core}/pods/a", {"spec": change}, kind).told
    assert FORBIDDEN in told.replace("[spec", "spec"), field


def test_what_of_a_pod_may_change(api: Server, core: str) -> None:
    create(api, core)
    toleration = {"key": "example.com/a", "operator": "Exists"}
    before = api.get(f"{core}/pods/a").body["spec"]["tolerations"]
    change = {"activeDeadlineSeconds": 60, "tolerations": [*before, toleration]}
    spec = api.patch(f"{core}/pods/a", {"spec": change}).ok()["spec"]
    assert spec["activeDeadlineSeconds"] == 60
    assert spec["tolerations"][-1] == toleration
    told = api.patch(f"{core}/pods/a", {"spec": {"tolerations": before}}).told
    assert told.startswith('422 Invalid: Pod "a" is invalid: spec.tolerations: Forbidden: existing')


def test_gates_may_go_but_not_come(api: Server, core: str) -> None:
    gates = [{"name": "example.com/a"}, {"name": "example.com/b"}]
    create(api, core, schedulingGates=gates)
    path = f"{core}/pods/a"
    assert api.patch(path, {"spec": {"schedulingGates": gates[1:]}}).code == 200
    told = api.patch(path, {"spec": {"schedulingGates": gates}}).told
    assert told == (
        '422 Invalid: Pod "a" is invalid: spec.schedulingGates[0].name: Forbidden: only '
        "deletion is allowed, but found new scheduling gate 'example.com/a'"
    )
    tighter = {"nodeSelector": {"x": "y"}, "schedulingGates": gates[1:]}
    assert api.patch(path, {"spec": tighter}).code == 200, "a gated pod may be narrowed"
    free = api.patch(path, {"spec": {"schedulingGates": None}}).ok()
    assert "schedulingGates" not in free["spec"]
    assert api.get(path).body["status"].get("phase") == "Pending"


def test_annotations_and_labels_may_always_change(api: Server, core: str) -> None:
    create(api, core)
    metadata = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
    changed = api.patch(f"{core}/pods/a", {"metadata": metadata}).ok()["metadata"]
    assert (changed["labels"], changed["annotations"]) == ({"a": "b"}, {"c": "d"})


def test_update_of_the_status_merges_conditions(api: Server, core: str) -> None:
    create(api, core)
    kind = "application/strategic-merge-patch+json"
    for reason in ("Unschedulable", "SchedulerError"):
        condition = {"type": "PodScheduled", "status": "False", "reason": reason}
        other = {"type": "example.com/other", "status": "True"}
        body = {"status": {"conditions": [condition, other]}}
        conditions = api.patch(f"{core}/pods/a/status", body, kind).ok()["status"]["conditions"]
        assert sorted(c["type"] for c in conditions) == ["PodScheduled", "example.com/other"]
    assert {c.get("reason") for c in conditions} == {"SchedulerError", None}
