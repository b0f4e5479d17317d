from typing import Any

import pytest

from unit.cluster.registry.api import Api, Json, message, pod

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"


def tolerations(created: Json) -> list[tuple[str, Any]]:
    return [(t.get("key", ""), t.get("tolerationSeconds")) for t in created["spec"]["tolerations"]]


def test_pod_stays_five_minutes_on_a_failing_node_unless_it_says_otherwise(api: Api) -> None:
    assert tolerations(api.create("pods", pod("a"))) == [(NOT_READY, 300), (UNREACHABLE, 300)]
    own = [{"key": NOT_READY, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]
    created = api.create("pods", pod("b", tolerations=own))
    assert tolerations(created) == [(NOT_READY, 5), (UNREACHABLE, 300)]
    everything = [{"operator": "Exists"}]
    assert tolerations(api.create("pods", pod("c", tolerations=everything))) == [("", None)]


def test_pod_gets_the_token_of_its_account_in_every_container(api: Api) -> None:
    created = api.create("pods", pod(initContainers=[{"name": "i", "image": "x"}]))["spec"]
    assert created["serviceAccountName"] == created["serviceAccount"] == "default"
    (volume,) = created["volumes"]
    assert volume["projected"]["sources"][0] == {
        "serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}
    }
    for container in (*created["containers"], *created["initContainers"]):
        assert container["volumeMounts"] == [
            {"name": volume["name"], "readOnly": True, "mountPath": ACCOUNT_FOLDER}
        ]


def test_token_is_left_out_where_pod_or_account_say_so(api: Api) -> None:
    assert "volumes" not in api.create("pods", pod("a", automountServiceAccountToken=False))["spec"]
    account = {"metadata": {"name": "quiet"}, "automountServiceAccountToken": False}
    api.create("serviceaccounts", account)
    assert "volumes" not in api.create("pods", pod("b", serviceAccountName="quiet"))["spec"]


def test_container_that_mounts_something_there_keeps_it(api: Api) -> None:
    mine = [{"name": "v", "mountPath": ACCOUNT_FOLDER}]
    containers = [{"name": "c", "image": "i", "volumeMounts": mine}]
    spec = api.create("pods", pod(containers=containers, volumes=[{"name": "v"}]))["spec"]
    assert [volume["name"] for volume in spec["volumes"]] == ["v"]


def test_account_that_is_not_there_is_refused(api: Api) -> None:
    refusal = api.create("pods", pod(serviceAccountName="nope"))
    assert message(refusal, 403) == (
        'pods "p" is forbidden: error looking up service account default/nope: serviceaccount '
        '"nope" not found'
    )
    unnamed = {"metadata": {"generateName": "web-"}, "spec": pod()["spec"]}
    unnamed["spec"]["serviceAccountName"] = "nope"
    assert message(api.create("pods", unnamed), 403).startswith('pods "web-" is forbidden: ')


def test_priority_and_policy_come_from_the_class(api: Api) -> None:
    never = {"metadata": {"name": "batch"}, "value": -5, "preemptionPolicy": "Never"}
    api.create("priorityclasses", never)
    spec = api.create("pods", pod("a", priorityClassName="batch"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (-5, "Never")
    spec = api.create("pods", pod("b"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    spec = api.create("pods", pod("c", priorityClassName="system-node-critical"))["spec"]
    assert spec["priority"] == 2_000_001_000


def test_default_class_is_for_pods_that_name_none_and_is_the_only_one(api: Api) -> None:
    default = {"value": 7, "globalDefault": True}
    api.create("priorityclasses", {"metadata": {"name": "usual"}} | default)
    spec = api.create("pods", pod())["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("usual", 7)
    refusal = api.create("priorityclasses", {"metadata": {"name": "second"}} | default)
    assert message(refusal, 403) == (
        'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already '
        "marked as default. Only one default can exist"
    )
    assert "code" not in api.merge("priorityclasses", "usual", {"description": "x"})


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "nope"}, "no PriorityClass with name nope was found"),
        (
            {"priority": 5},
            (
                "the integer value of priority (5) must not be provided in pod spec; priority "
                "admission controller computed 0 from the given PriorityClass name"
            ),
        ),
        (
            {"preemptionPolicy": "Never"},
            (
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
                "priority admission controller computed PreemptLowerPriority from the given "
                "PriorityClass name"
            ),
        ),
        ({"runtimeClassName": "nope"}, 'pod rejected: RuntimeClass "nope" not found'),
    ],
)
def test_pod_may_not_contradict_its_classes(api: Api, spec: Json, why: str) -> None:
    assert message(api.create("pods", pod(**spec)), 403) == f'pods "p" is forbidden: {why}'


def test_priority_is_kept_by_an_update_that_leaves_it_out(api: Api) -> None:
    created = api.create("pods", pod())
    del created["spec"]["priority"], created["spec"]["preemptionPolicy"]
    assert api.update("pods", "p", created)["spec"]["priority"] == 0


def test_overhead_and_placement_come_from_the_runtime_class(api: Api) -> None:
    runtime_class = {
        "metadata": {"name": "kata"},
        "handler": "kata",
        "overhead": {"podFixed": {"cpu": "250m"}},
        "scheduling": {
            "nodeSelector": {"kata": "yes"},
            "tolerations": [{"key": "kata", "operator": "Exists"}],
        },
    }
    api.create("runtimeclasses", runtime_class)
    own = [{"key": "kata", "operator": "Exists", "effect": "NoSchedule"}]
    made = pod("a", runtimeClassName="kata", nodeSelector={"a": "b"}, tolerations=own)
    spec = api.create("pods", made)["spec"]
    assert spec["overhead"] == {"cpu": "250m"}
    assert spec["nodeSelector"] == {"a": "b", "kata": "yes"}
    assert {"key": "kata", "operator": "Exists"} in spec["tolerations"]
    assert own[0] not in spec["tolerations"]
    made = pod("b", runtimeClassName="kata", nodeSelector={"kata": "no"})
    assert message(api.create("pods", made), 403).endswith(
        "conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; "
        "pod.spec.nodeSelector[kata] = no"
    )
    made = pod("c", runtimeClassName="kata", overhead={"cpu": "1"})
    assert message(api.create("pods", made), 403).endswith(
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
    )


def test_new_node_is_tainted_as_not_ready_once(api: Api) -> None:
    taint = {"key": NOT_READY, "effect": "NoSchedule"}
    assert api.create("nodes", {"metadata": {"name": "a"}})["spec"]["taints"] == [taint]
    node = {"metadata": {"name": "b"}, "spec": {"taints": [taint]}}
    assert api.create("nodes", node)["spec"]["taints"] == [taint]


def test_pod_that_names_its_node_gets_the_labels_of_its_zone(api: Api) -> None:
    labels = {"topology.kubernetes.io/region": "r", "other": "x"}
    api.create("nodes", {"metadata": {"name": "n", "labels": labels}})
    created = api.create("pods", pod(nodeName="n"))
    assert created["metadata"]["labels"] == {"topology.kubernetes.io/region": "r"}


def claim(**spec: Any) -> Json:
    resources = {"requests": {"storage": "1Gi"}}
    base = {"accessModes": ["ReadWriteOnce"], "resources": resources}
    return {"metadata": {"name": "c"}, "spec": base | spec}


def test_claims_and_volumes_are_protected_while_in_use(api: Api) -> None:
    created = api.create("persistentvolumeclaims", claim())
    assert created["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": "/x"},
    }
    created = api.create("persistentvolumes", {"metadata": {"name": "v"}, "spec": spec})
    assert created["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]


def test_claim_without_a_class_gets_the_newest_default(api: Api) -> None:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    for name in ("new", "old"):
        metadata = {"name": name, "annotations": annotations}
        if name == "new":
            api.settle(seconds=5)
        api.create("storageclasses", {"metadata": metadata, "provisioner": "a.b"})
        api.now -= 5
    created = api.create("persistentvolumeclaims", claim(), dry_run=True)
    assert created["spec"]["storageClassName"] == "new"
    explicit = api.create("persistentvolumeclaims", claim(storageClassName=""), dry_run=True)
    assert explicit["spec"]["storageClassName"] == ""
