from typing import Any

import pytest

from pilotfish.cluster.schema import Gvk, Schema
from schema_examples import job, manifest, pod, service, template, workload

SCHEMA = Schema.load()


def defaulted(body: dict[str, Any]) -> dict[str, Any]:
    kind = Gvk(body["apiVersion"], body["kind"])
    return SCHEMA.apply_defaults(kind, SCHEMA.check(kind, body)[0])


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("app:1", "IfNotPresent"),
        ("localhost:5000/app", "Always"),
        ("localhost:5000/app:1", "IfNotPresent"),
        ("app@sha256:" + "a" * 64, "IfNotPresent"),
        ("app:latest@sha256:" + "a" * 64, "Always"),
        ("No Image", "IfNotPresent"),
        ("", "IfNotPresent"),
    ],
)
def test_pull_policy_depends_on_the_tag(image: str, policy: str) -> None:
    containers = defaulted(pod(containers=[{"name": "c", "image": image}]))["spec"]["containers"]
    assert containers[0]["imagePullPolicy"] == policy


def test_requests_come_from_limits_in_pods_but_not_in_templates() -> None:
    containers = [{"name": "c", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]
    resources = defaulted(pod(containers=containers))["spec"]["containers"][0]["resources"]
    assert resources["requests"] == {"cpu": "1", "memory": "1Gi"}
    spec = defaulted(workload("Deployment", template=template(containers=containers)))["spec"]
    assert "requests" not in spec["template"]["spec"]["containers"][0]["resources"]


def test_resources_are_rounded_up_to_thousandths() -> None:
    containers = [{"name": "c", "resources": {"requests": {"cpu": "0.0001", "memory": "1u"}}}]
    resources = defaulted(pod(containers=containers))["spec"]["containers"][0]["resources"]
    assert resources["requests"] == {"cpu": "1m", "memory": "1m"}


def test_pod_level_requests_cover_sidecars_and_the_hungriest_init_container() -> None:
    def wants(cpu: str) -> dict[str, Any]:
        return {"requests": {"cpu": cpu}}

    body = pod(
        containers=[{"name": "c", "resources": wants("500m")}],
        initContainers=[
            {"name": "s", "restartPolicy": "Always", "resources": wants("250m")},
            {"name": "i", "resources": wants("1")},
        ],
        resources={"limits": {"cpu": "4", "memory": "1Gi"}},
    )
    assert defaulted(body)["spec"]["resources"]["requests"] == {"cpu": "1250m", "memory": "1Gi"}


def test_huge_pages_of_containers_become_the_pods_limit() -> None:
    huge = {"limits": {"hugepages-2Mi": "4Mi", "memory": "1Gi"}}
    body = pod(
        containers=[{"name": "a", "resources": huge}, {"name": "b", "resources": huge}],
        resources={"limits": {"memory": "4Gi"}},
    )
    assert defaulted(body)["spec"]["resources"] == {
        "limits": {"memory": "4Gi", "hugepages-2Mi": "8Mi"},
        "requests": {"memory": "2Gi", "hugepages-2Mi": "8Mi"},
    }


def test_host_network_opens_the_containers_ports_on_the_host() -> None:
    containers = [{"name": "c", "ports": [{"containerPort": 80}]}]
    body = pod(hostNetwork=True, containers=containers)
    ports = defaulted(body)["spec"]["containers"][0]["ports"]
    assert ports == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]


def test_volume_without_a_source_is_an_empty_directory() -> None:
    assert defaulted(pod(volumes=[{"name": "v"}]))["spec"]["volumes"] == [
        {"name": "v", "emptyDir": {}}
    ]


def test_service_account_has_two_names() -> None:
    for name in ("serviceAccount", "serviceAccountName"):
        spec = defaulted(pod(**{name: "robot"}))["spec"]
        assert (spec["serviceAccount"], spec["serviceAccountName"]) == ("robot", "robot")


def test_recreating_deployment_gets_no_rolling_update() -> None:
    spec = defaulted(workload("Deployment", strategy={"type": "Recreate"}))["spec"]
    assert spec["strategy"] == {"type": "Recreate"}


def test_zero_replicas_are_kept() -> None:
    assert defaulted(workload("ReplicaSet", replicas=0))["spec"]["replicas"] == 0


def test_parallel_job_has_no_completions() -> None:
    assert "completions" not in defaulted(job(parallelism=3))["spec"]
    assert defaulted(job())["spec"]["completions"] == 1


def test_service_port_targets_itself_and_names_are_kept() -> None:
    ports = [{"port": 80}, {"port": 81, "targetPort": "web"}, {"port": 82, "targetPort": 8080}]
    found = defaulted(service(ports=ports))["spec"]["ports"]
    assert [port["targetPort"] for port in found] == [80, "web", 8080]


def test_sticky_service_forgets_after_three_hours() -> None:
    spec = defaulted(service(sessionAffinity="ClientIP"))["spec"]
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


def test_load_balancers_addresses_are_virtual() -> None:
    body = service(type="LoadBalancer") | {"status": {"loadBalancer": {"ingress": [{"ip": "::1"}]}}}
    ingress = [{"ip": "::1", "ipMode": "VIP"}]
    assert defaulted(body)["status"]["loadBalancer"]["ingress"] == ingress


def test_namespace_is_labelled_with_its_name_once_it_has_one() -> None:
    label = {"kubernetes.io/metadata.name": "example"}
    assert defaulted(manifest("v1", "Namespace"))["metadata"]["labels"] == label
    nameless = manifest("v1", "Namespace") | {"metadata": {"generateName": "a-"}}
    assert "labels" not in defaulted(nameless)["metadata"]


def test_allocatable_is_the_capacity_unless_told_otherwise() -> None:
    capacity = {"cpu": "4", "memory": "1Gi"}
    status = defaulted(manifest("v1", "Node", status={"capacity": capacity}))["status"]
    assert status["allocatable"] == capacity
    less = manifest("v1", "Node", status={"capacity": capacity, "allocatable": {"cpu": "3"}})
    assert defaulted(less)["status"]["allocatable"] == {"cpu": "3"}
