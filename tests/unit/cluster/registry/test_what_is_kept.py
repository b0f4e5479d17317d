"""Fields that the server sets or drops by itself, as kube-apiserver with its defaults does."""

import pytest

from unit.cluster.registry.api import POD_SPEC, Api, Json

TEMPLATE: Json = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}
WORKLOAD: Json = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
ONCE: Json = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC | {"restartPolicy": "Never"}}
SNAPSHOT: Json = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "s"}
OTHER: Json = {"apiGroup": "example.com", "kind": "Backup", "name": "b"}


def test_job_without_labels_takes_all_of_its_template(api: Api) -> None:
    created = api.create("jobs", {"metadata": {"name": "j"}, "spec": {"template": ONCE}})
    labels = created["metadata"]["labels"]
    assert labels == created["spec"]["template"]["metadata"]["labels"]
    assert labels["job-name"] == "j"
    assert labels["a"] == "b"
    assert api.merge("jobs", "j", {"metadata": {"labels": None}})["metadata"]["labels"] == labels


def test_job_with_labels_keeps_to_them(api: Api) -> None:
    job = {"metadata": {"name": "j", "labels": {"a": "b"}}, "spec": {"template": ONCE}}
    assert api.create("jobs", job)["metadata"]["labels"] == {"a": "b"}


def test_annotations_of_a_deployment_count_as_a_change(api: Api) -> None:
    api.create("deployments", {"metadata": {"name": "w"}, "spec": WORKLOAD})
    patch: Json = {"metadata": {"annotations": {"kubernetes.io/change-cause": "why"}}}
    assert api.merge("deployments", "w", patch)["metadata"]["generation"] == 2
    patch = {"metadata": {"labels": {"c": "d"}}}
    assert api.merge("deployments", "w", patch)["metadata"]["generation"] == 2


def test_stateful_set_replaces_one_pod_at_a_time(api: Api) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    spec = WORKLOAD | {"updateStrategy": strategy}
    created = api.create("statefulsets", {"metadata": {"name": "w"}, "spec": spec})
    assert created["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}
    changed = api.merge("statefulsets", "w", {"spec": {"updateStrategy": strategy}})
    assert changed["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"dataSource": SNAPSHOT}, {"dataSource": SNAPSHOT, "dataSourceRef": SNAPSHOT}),
        ({"dataSourceRef": OTHER}, {"dataSource": OTHER, "dataSourceRef": OTHER}),
        ({"dataSource": OTHER}, {}),
        ({"dataSourceRef": SNAPSHOT | {"namespace": "n"}}, {}),
    ],
)
def test_what_fills_a_volume_is_said_both_ways(api: Api, given: Json, kept: Json) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    created = api.create(
        "persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec | given}
    )
    assert {key: value for key, value in created["spec"].items() if "data" in key} == kept


def test_lease_forgets_who_should_lead(api: Api) -> None:
    spec: Json = {"holderIdentity": "a", "strategy": "OldestEmulationVersion"}
    created = api.create("leases", {"metadata": {"name": "l"}, "spec": spec})
    assert created["spec"] == {"holderIdentity": "a"}
    assert api.merge("leases", "l", {"spec": {"preferredHolder": "b"}})["spec"] == created["spec"]


def test_taints_of_devices_are_dated(api: Api) -> None:
    device = {"name": "d", "taints": [{"key": "a", "effect": "NoSchedule"}]}
    pool = {"name": "p", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "example.com", "nodeName": "n", "pool": pool, "devices": [device]}
    created = api.create("resourceslices", {"metadata": {"name": "s"}, "spec": spec})
    assert created["spec"]["devices"][0]["taints"][0]["timeAdded"] == "2001-09-09T01:46:40Z"


def test_local_load_balancer_has_a_port_for_its_checks(api: Api) -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]}
    created = api.create("services", {"metadata": {"name": "s"}, "spec": spec})["spec"]
    assert 30000 <= created["healthCheckNodePort"] != created["ports"][0]["nodePort"]
    changed = api.merge("services", "s", {"spec": {"externalTrafficPolicy": "Cluster"}})
    assert "healthCheckNodePort" not in changed["spec"]
