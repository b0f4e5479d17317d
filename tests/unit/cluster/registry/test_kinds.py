"""Rules of single kinds, in the words of the real API server."""

import base64
from typing import Any

import pytest

from unit.cluster.registry.api import POD_SPEC, Api, Json, message

LABELS = {"matchLabels": {"a": "b"}}
TEMPLATE: Json = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}
APPS = ("deployments", "replicasets", "statefulsets", "daemonsets")


def workload(**spec: Any) -> Json:
    return {"metadata": {"name": "w"}, "spec": {"selector": LABELS, "template": TEMPLATE} | spec}


def job(**spec: Any) -> Json:
    template = {"spec": POD_SPEC | {"restartPolicy": "Never"}}
    return {"metadata": {"name": "j"}, "spec": {"template": template} | spec}


@pytest.mark.parametrize("resource", APPS)
def test_selector_must_select_the_template(api: Api, resource: str) -> None:
    other = TEMPLATE | {"metadata": {"labels": {"x": "y"}}}
    assert (
        'spec.template.metadata.labels: Invalid value: {"x":"y"}: `selector` does not match '
        "template `labels`"
    ) in message(api.create(resource, workload(template=other)), 422)


@pytest.mark.parametrize("resource", APPS)
def test_selector_is_immutable(api: Api, resource: str) -> None:
    api.create(resource, workload())
    patch = {"spec": {"selector": {"matchLabels": {"c": "d"}}}}
    text = message(api.merge(resource, "w", patch), 422)
    if resource == "statefulsets":
        assert "updates to statefulset spec for fields other than" in text
    else:
        assert (
            'spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable'
        ) in text


@pytest.mark.parametrize("resource", APPS)
def test_workload_begins_with_generation_one_and_a_status_of_the_servers(
    api: Api, resource: str
) -> None:
    created = api.create(resource, workload() | {"status": {"observedGeneration": 9}})
    assert created["metadata"]["generation"] == 1
    assert "observedGeneration" not in created["status"]
    changed = api.merge(resource, "w", {"spec": {"minReadySeconds": 1}})
    assert changed["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("resource", "body", "text"),
    [
        (
            "deployments",
            workload(selector={}),
            (
                'Deployment.apps "w" is invalid: spec.selector: Invalid value: {}: empty selector '
                "is invalid for deployment"
            ),
        ),
        (
            "deployments",
            {"metadata": {"name": "w"}},
            (
                'Deployment.apps "w" is invalid: [spec.selector: Required value, '
                "spec.template.metadata.labels: Invalid value: null: `selector` does not match "
                "template `labels`, spec.template.spec.containers: Required value]"
            ),
        ),
        (
            "deployments",
            workload(replicas=-1),
            (
                'Deployment.apps "w" is invalid: spec.replicas: Invalid value: -1: must be greater '
                "than or equal to 0"
            ),
        ),
        (
            "deployments",
            workload(template=TEMPLATE | {"spec": POD_SPEC | {"restartPolicy": "Never"}}),
            (
                'Deployment.apps "w" is invalid: spec.template.spec.restartPolicy: Unsupported '
                'value: "Never": supported values: "Always"'
            ),
        ),
        (
            "deployments",
            workload(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
            (
                'Deployment.apps "w" is invalid: spec.strategy.rollingUpdate.maxUnavailable: '
                "Invalid value: 0: may not be 0 when `maxSurge` is 0"
            ),
        ),
        (
            "deployments",
            workload(progressDeadlineSeconds=5, minReadySeconds=10),
            (
                'Deployment.apps "w" is invalid: spec.progressDeadlineSeconds: Invalid value: 5: '
                "must be greater than minReadySeconds"
            ),
        ),
        (
            "daemonsets",
            workload(updateStrategy={"rollingUpdate": {"maxUnavailable": 0}}),
            (
                'DaemonSet.apps "w" is invalid: spec.updateStrategy.rollingUpdate.maxUnavailable: '
                "Required value: cannot be 0 when maxSurge is 0"
            ),
        ),
        (
            "statefulsets",
            workload(serviceName="A_"),
            'StatefulSet.apps "w" is invalid: spec.serviceName: Invalid value: "A_": a lowercase',
        ),
        (
            "jobs",
            job(template={"spec": POD_SPEC}),
            (
                'Job.batch "j" is invalid: spec.template.spec.restartPolicy: Required value: valid '
                'values: "OnFailure", "Never"'
            ),
        ),
        (
            "jobs",
            job(completionMode="Indexed", parallelism=2),
            (
                'Job.batch "j" is invalid: spec.completions: Required value: when completion mode '
                "is Indexed"
            ),
        ),
        (
            "nodes",
            {
                "metadata": {"name": "n"},
                "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}] * 2},
            },
            (
                'Node "n" is invalid: metadata.taints[1]: Duplicate value: {"Key":"k","Value":"",'
                '"Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect '
                "pair"
            ),
        ),
        (
            "nodes",
            {"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "-1"}}},
            (
                'Node "n" is invalid: status.allocatable.cpu: Invalid value: "-1": must be greater '
                "than or equal to 0"
            ),
        ),
        (
            "namespaces",
            {"metadata": {"name": "a.b"}},
            (
                'Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain '
                "dots"
            ),
        ),
        (
            "configmaps",
            {"metadata": {"name": "c"}, "data": {"..": "x"}},
            'ConfigMap "c" is invalid: data[..]: Invalid value: "..": must not be \'..\'',
        ),
        (
            "secrets",
            {"metadata": {"name": "s"}, "type": "kubernetes.io/tls"},
            'Secret "s" is invalid: [data[tls.crt]: Required value, data[tls.key]: Required value]',
        ),
        (
            "persistentvolumeclaims",
            {"metadata": {"name": "c"}, "spec": {}},
            (
                'PersistentVolumeClaim "c" is invalid: [spec.accessModes: Required value: at least '
                "1 access mode is required, spec.resources[storage]: Required value]"
            ),
        ),
        (
            "persistentvolumes",
            {"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"]}},
            (
                'PersistentVolume "v" is invalid: [spec.capacity: Required value, spec.capacity: '
                'Unsupported value: {}: supported values: "storage", spec: Required value: must '
                "specify a volume type]"
            ),
        ),
        (
            "storageclasses",
            {"metadata": {"name": "s"}},
            'StorageClass.storage.k8s.io "s" is invalid: provisioner: Required value',
        ),
        (
            "priorityclasses",
            {"metadata": {"name": "system-x"}, "value": 1},
            (
                'PriorityClass.scheduling.k8s.io "system-x" is invalid: metadata.name: Forbidden: '
                "priority class names with 'system-' prefix are reserved for system use only. "
                "error: system-x is not a known system priority class"
            ),
        ),
        (
            "priorityclasses",
            {"metadata": {"name": "x"}, "value": 2_000_000_000},
            (
                'PriorityClass.scheduling.k8s.io "x" is invalid: value: Forbidden: maximum allowed '
                "value of a user defined priority is 1000000000"
            ),
        ),
        (
            "poddisruptionbudgets",
            {"metadata": {"name": "b"}, "spec": {"minAvailable": "150%"}},
            (
                'PodDisruptionBudget.policy "b" is invalid: spec.minAvailable: Invalid value: '
                '"150%": must not be greater than 100%'
            ),
        ),
        (
            "events",
            {"metadata": {"name": "e"}, "involvedObject": {"namespace": "other"}},
            (
                'Event "e" is invalid: involvedObject.namespace: Invalid value: "other": does not '
                "match event.namespace"
            ),
        ),
    ],
)
def test_object_is_refused_in_upstreams_words(
    api: Api, resource: str, body: Json, text: str
) -> None:
    assert message(api.create(resource, body), 422).startswith(text)


def test_job_gets_a_selector_and_labels_of_its_own(api: Api) -> None:
    created = api.create("jobs", job())
    uid = created["metadata"]["uid"]
    assert created["spec"]["selector"] == {
        "matchLabels": {"batch.kubernetes.io/controller-uid": uid}
    }
    own = {
        "job-name": "j",
        "batch.kubernetes.io/job-name": "j",
        "controller-uid": uid,
        "batch.kubernetes.io/controller-uid": uid,
    }
    assert created["spec"]["template"]["metadata"]["labels"] == own
    assert created["metadata"]["labels"] == own


def test_job_that_brings_its_selector_says_so(api: Api) -> None:
    refusal = api.create("jobs", job(selector={"matchLabels": {"a": "b"}}))
    assert "`selector` not auto-generated" in message(refusal, 422)
    template = {"metadata": {"labels": {"a": "b"}}} | job()["spec"]["template"]
    manual = job(selector=LABELS, manualSelector=True, template=template)
    assert api.create("jobs", manual)["spec"]["selector"] == LABELS


def test_pods_of_a_job_change_only_while_it_is_suspended(api: Api) -> None:
    api.create("jobs", job(suspend=True))
    patch = {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}
    assert "code" not in api.merge("jobs", "j", patch)
    assert message(api.merge("jobs", "j", {"spec": {"completions": 5}}), 422).endswith(
        "spec.completions: Invalid value: 5: field is immutable"
    )
    api.merge("jobs", "j", {"spec": {"suspend": False}})
    patch = {"spec": {"template": {"spec": {"nodeSelector": {"a": "c"}}}}}
    assert "spec.template: Invalid value: " in message(api.merge("jobs", "j", patch), 422)


def test_pods_of_a_suspended_job_may_ask_for_other_amounts_but_be_nothing_else(api: Api) -> None:
    api.create("jobs", job(suspend=True))
    asked = {"requests": {"cpu": "1"}}
    [container] = api.get("jobs", "j")["spec"]["template"]["spec"]["containers"]

    def changed(**fields: Any) -> Json:
        template = {"spec": {"containers": [container | fields]}}
        return api.merge("jobs", "j", {"spec": {"template": template}})

    [kept] = changed(resources=asked)["spec"]["template"]["spec"]["containers"]
    assert kept["resources"] == asked
    told = message(changed(image="other"), 422)
    assert 'Job.batch "j" is invalid: spec.template.spec: Invalid value: ' in told


def test_job_that_is_suspended_again_may_change_its_pods_once_they_are_gone(api: Api) -> None:
    api.create("jobs", job())
    began = {"startTime": "2001-09-09T01:46:40Z", "active": 1}
    api.merge("jobs", "j", {"status": began}, part="status")
    api.merge("jobs", "j", {"spec": {"suspend": True}})
    patch = {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}
    assert "spec.template: Invalid value: " in message(api.merge("jobs", "j", patch), 422)
    suspended = {"type": "Suspended", "status": "True"}
    stopped = {"active": 0, "conditions": [suspended]}
    api.merge("jobs", "j", {"status": stopped}, part="status")
    assert "code" not in api.merge("jobs", "j", patch)


def test_daemon_set_counts_the_changes_of_its_template(api: Api) -> None:
    def generation(obj: Json) -> Any:
        return obj["metadata"]["annotations"]["deprecated.daemonset.template.generation"]

    assert generation(api.create("daemonsets", workload())) == "1"
    assert generation(api.merge("daemonsets", "w", {"spec": {"minReadySeconds": 1}})) == "1"
    change = {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}
    assert generation(api.merge("daemonsets", "w", change)) == "2"


def test_node_brings_its_status_and_keeps_spec_and_status_apart(api: Api) -> None:
    node = {"metadata": {"name": "n"}, "status": {"capacity": {"cpu": "4"}}}
    assert api.create("nodes", node)["status"]["capacity"] == {"cpu": "4"}
    change = {"spec": {"unschedulable": True}, "status": {"capacity": {"cpu": "8"}}}
    written = api.merge("nodes", "n", change)
    assert (written["spec"]["unschedulable"], written["status"]["capacity"]) == (True, {"cpu": "4"})
    written = api.merge("nodes", "n", {"spec": {"unschedulable": None}} | {
        "status": {"capacity": {"cpu": "8"}}
    }, part="status")  # fmt: skip
    assert (written["spec"]["unschedulable"], written["status"]["capacity"]) == (True, {"cpu": "8"})


def test_namespace_is_active_and_known_by_a_label_that_stays(api: Api) -> None:
    created = api.create("namespaces", {"metadata": {"name": "x"}})
    assert created["status"] == {"phase": "Active"}
    assert created["spec"] == {"finalizers": ["kubernetes"]}
    label = {"kubernetes.io/metadata.name": "x"}
    assert created["metadata"]["labels"] == label
    assert api.merge("namespaces", "x", {"metadata": {"labels": None}})["metadata"]["labels"] == (
        label
    )


def test_string_data_of_a_secret_becomes_data(api: Api) -> None:
    body = {"metadata": {"name": "s"}, "stringData": {"a": "é"}, "data": {"b": "eA=="}}
    created = api.create("secrets", body)
    assert created["data"] == {"a": base64.b64encode("é".encode()).decode(), "b": "eA=="}
    assert "stringData" not in created
    assert created["type"] == "Opaque"


@pytest.mark.parametrize("resource", ["secrets", "configmaps"])
def test_immutable_data_stays_as_it_is(api: Api, resource: str) -> None:
    api.create(resource, {"metadata": {"name": "x"}, "data": {"a": "eA=="}, "immutable": True})
    refusal = api.merge(resource, "x", {"data": {"a": "eQ=="}, "immutable": None})
    words = "Forbidden: field is immutable when `immutable` is set"
    assert message(refusal, 422).endswith(f"[immutable: {words}, data: {words}]")


def test_bound_claim_may_grow_and_a_pending_one_may_not(api: Api) -> None:
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": resources, "storageClassName": "none"}
    api.create("persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec})
    grow = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    assert "spec is immutable after creation except resources.requests" in message(
        api.merge("persistentvolumeclaims", "c", grow), 422
    )
    status = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    api.merge("persistentvolumeclaims", "c", {"status": status}, part="status")
    assert "code" not in api.merge("persistentvolumeclaims", "c", grow)


def test_what_pods_got_from_a_priority_class_stays(api: Api) -> None:
    api.create("priorityclasses", {"metadata": {"name": "x"}, "value": 5})
    refusal = api.merge("priorityclasses", "x", {"value": 6, "preemptionPolicy": "Never"})
    assert message(refusal, 422) == (
        'PriorityClass.scheduling.k8s.io "x" is invalid: [value: Forbidden: may not be changed in '
        'an update., preemptionPolicy: Invalid value: "Never": field is immutable]'
    )


def test_what_volumes_were_made_by_stays(api: Api) -> None:
    api.create("storageclasses", {"metadata": {"name": "s"}, "provisioner": "a.b"})
    assert message(api.merge("storageclasses", "s", {"provisioner": "c.d"}), 422) == (
        'StorageClass.storage.k8s.io "s" is invalid: provisioner: Invalid value: "c.d": field is '
        "immutable"
    )
