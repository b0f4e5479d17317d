import msgspec
import pytest

from pilotfish.cluster.authentication import ADMIN
from pilotfish.cluster.objects import PIECE_BYTES
from pilotfish.cluster.requests import ApiRequest, Options
from unit.cluster.registry.api import Api, message, pod, resource_of

CONFIG = {"metadata": {"name": "a"}}
LARGE = "x" * (PIECE_BYTES // 2)


def test_delete_of_a_plain_kind_answers_a_status_with_its_uid(api: Api) -> None:
    uid = api.create("configmaps", CONFIG)["metadata"]["uid"]
    assert api.delete("configmaps", "a") == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "kind": "configmaps", "uid": uid},
    }
    assert message(api.delete("configmaps", "a"), 404) == 'configmaps "a" not found'


def test_preconditions_must_hold(api: Api) -> None:
    created = api.create("configmaps", CONFIG)["metadata"]
    uid, version = created["uid"], created["resourceVersion"]
    assert message(api.delete("configmaps", "a", precondition_uid="x"), 409) == (
        'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (x) does not '
        f"match the UID in record ({uid}). The object might have been deleted and then recreated"
    )
    refusal = api.delete("configmaps", "a", precondition_resource_version="1")
    assert message(refusal, 409) == (
        'Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition '
        f"(1) does not match the ResourceVersion in record ({version}). The object might have been "
        "modified"
    )
    both = {"precondition_uid": uid, "precondition_resource_version": version}
    assert api.delete("configmaps", "a", **both)["status"] == "Success"


def test_propagation_policy_must_be_known(api: Api) -> None:
    api.create("configmaps", CONFIG)
    refusal = api.delete("configmaps", "a", propagation_policy="x")
    assert message(refusal, 422) == (
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "x": '
        'supported values: "Foreground", "Background", "Orphan", "nil"'
    )


def test_object_with_finalizers_stays_until_the_last_is_taken_away(api: Api) -> None:
    api.create("configmaps", {"metadata": {"name": "a", "finalizers": ["a.b/c", "a.b/d"]}})
    api.delete("configmaps", "a")
    metadata = api.get("configmaps", "a")["metadata"]
    assert metadata["deletionTimestamp"] == "2001-09-09T01:46:40Z"
    assert metadata["deletionGracePeriodSeconds"] == 0
    version = metadata["resourceVersion"]
    api.delete("configmaps", "a")
    assert api.get("configmaps", "a")["metadata"]["resourceVersion"] == version
    api.merge("configmaps", "a", {"metadata": {"finalizers": ["a.b/d"]}})
    assert api.names("configmaps", field_selector="metadata.name=a") == ["a"]
    api.merge("configmaps", "a", {"metadata": {"finalizers": None}})
    assert api.names("configmaps", field_selector="metadata.name=a") == []


@pytest.mark.parametrize(
    ("policy", "finalizers"),
    [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"]), ("Background", None)],
)
def test_propagation_policy_becomes_a_finalizer(
    api: Api, policy: str, finalizers: list[str] | None
) -> None:
    api.create("configmaps", CONFIG)
    api.delete("configmaps", "a", propagation_policy=policy)
    left = api.get("configmaps", "a")
    assert left["metadata"].get("finalizers") == finalizers


def test_replication_controllers_orphan_their_pods_unless_told_otherwise(api: Api) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]}
    api.create(
        "replicationcontrollers",
        {"metadata": {"name": "r"}, "spec": {"replicas": 0, "template": template}},
    )
    api.delete("replicationcontrollers", "r")
    assert api.get("replicationcontrollers", "r")["metadata"]["finalizers"] == ["orphan"]


def test_pod_that_no_kubelet_has_goes_at_once_and_is_answered_with(api: Api) -> None:
    api.create("pods", pod())
    gone = api.delete("pods", "p")
    assert gone["metadata"]["deletionGracePeriodSeconds"] == 0
    assert gone["metadata"]["generation"] == 2
    assert api.names("pods") == []
    types = [change.type for change in api.cluster.store.log("pods").since(0)]
    assert types == ["ADDED", "MODIFIED", "DELETED"]


def test_pod_on_a_node_gets_its_grace_period_which_may_only_be_shortened(api: Api) -> None:
    api.create("pods", pod(nodeName="n", terminationGracePeriodSeconds=20))
    marked = api.delete("pods", "p")["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 20
    assert marked["deletionTimestamp"] == "2001-09-09T01:47:00Z"
    unchanged = api.delete("pods", "p", grace_period_seconds=60)["metadata"]
    assert unchanged == marked
    api.settle(seconds=2)
    shortened = api.delete("pods", "p", grace_period_seconds=5)["metadata"]
    assert shortened["deletionGracePeriodSeconds"] == 5
    assert shortened["deletionTimestamp"] == "2001-09-09T01:46:45Z"
    api.delete("pods", "p", grace_period_seconds=0)
    assert api.names("pods") == []


def test_pod_that_is_over_goes_at_once(api: Api) -> None:
    api.create("pods", pod(nodeName="n"))
    api.merge("pods", "p", {"status": {"phase": "Failed"}}, part="status")
    api.delete("pods", "p")
    assert api.names("pods") == []


def test_dry_run_delete_shows_what_would_be_and_keeps_everything(api: Api) -> None:
    api.create("pods", pod(nodeName="n"))
    assert "deletionTimestamp" in api.delete("pods", "p", dry_run=True)["metadata"]
    assert "deletionTimestamp" not in api.get("pods", "p")["metadata"]


def test_collection_is_deleted_by_selector_and_answered_as_a_list(api: Api) -> None:
    for name, app in (("a", "x"), ("b", "x"), ("c", "y")):
        api.create("configmaps", {"metadata": {"name": name, "labels": {"app": app}}})
    gone = api.ask("deletecollection", "configmaps", label_selector="app=x")
    assert gone["kind"] == "ConfigMapList"
    assert [item["metadata"]["name"] for item in gone["items"]] == ["a", "b"]
    assert api.names("configmaps", label_selector="app") == ["c"]


def test_large_collection_is_answered_in_pieces(api: Api) -> None:
    for name in "abc":
        content = {"metadata": {"name": name, "labels": {"app": "x"}}, "data": {"x": LARGE}}
        api.create("configmaps", content)
    request = ApiRequest(
        verb="deletecollection",
        resource=resource_of("configmaps"),
        user=ADMIN,
        namespace="default",
        options=Options(label_selector="app=x"),
    )
    answer = api.cluster.request(request, api.now)
    assert answer.more is not None
    items = msgspec.json.decode(b"".join((answer.body, *answer.more)))["items"]
    assert [item["metadata"]["name"] for item in items] == ["a", "b", "c"]
    assert api.names("configmaps", label_selector="app") == []


def test_namespace_is_marked_and_stays_until_its_spec_has_no_finalizers(api: Api) -> None:
    api.create("namespaces", {"metadata": {"name": "x"}})
    marked = api.delete("namespaces", "x")
    assert marked["status"]["phase"] == "Terminating"
    assert "deletionGracePeriodSeconds" not in marked["metadata"]
    assert api.merge("namespaces", "x", {"spec": {"finalizers": []}})["spec"]["finalizers"] == [
        "kubernetes"
    ]
    finalized = {"metadata": {"name": "x"}, "spec": {}}
    api.update("namespaces", "x", finalized, part="finalize")
    assert "x" not in api.names("namespaces")


def test_first_namespaces_and_system_priority_classes_are_kept(api: Api) -> None:
    assert message(api.delete("namespaces", "default"), 403) == (
        'namespaces "default" is forbidden: this namespace may not be deleted'
    )
    assert message(api.delete("priorityclasses", "system-node-critical"), 403) == (
        'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system '
        "priority class and cannot be deleted"
    )
