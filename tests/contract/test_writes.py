"""Create, read, update and delete: identity, versions, preconditions, finalizers, dry run."""

from __future__ import annotations

import re

import pytest

from contract.objects import config_map, container, deployment, pod
from contract.server import MERGE_PATCH, Server

CONFLICT = (
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply '
    "your changes to the latest version and try again"
)


def test_version_that_is_no_number_is_passed_over_in_a_new_object(api: Server, core: str) -> None:
    made = config_map("a", metadata={"resourceVersion": "x"})
    assert api.post(f"{core}/configmaps", made).ok()["metadata"]["resourceVersion"].isdigit()


def test_created_object_has_an_identity(api: Server, core: str, space: str) -> None:
    answer = api.post(f"{core}/configmaps", config_map("a", data={"k": "v"}))
    metadata = answer.ok()["metadata"]
    assert answer.code == 201
    assert (metadata["name"], metadata["namespace"]) == ("a", space)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert int(metadata["resourceVersion"]) > 0
    assert api.get(f"{core}/configmaps/a").body == answer.body


def test_name_is_taken_once(api: Server, core: str) -> None:
    api.post(f"{core}/configmaps", config_map("a")).ok()
    told = api.post(f"{core}/configmaps", config_map("a")).told
    assert told == '409 AlreadyExists: configmaps "a" already exists'


def test_name_is_generated_from_its_beginning(api: Server, core: str) -> None:
    unnamed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "a-"}}
    names = {api.post(f"{core}/configmaps", unnamed).ok()["metadata"]["name"] for _ in range(20)}
    assert len(names) == 20
    assert all(re.fullmatch(r"a-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


def test_long_generated_name_is_cut(api: Server, core: str) -> None:
    metadata = {"generateName": "a" * 70}
    made = api.post(
        f"{core}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    )
    assert re.fullmatch("a{58}[a-z0-9]{5}", made.ok()["metadata"]["name"])


def test_servers_own_metadata_is_not_the_clients(api: Server, core: str) -> None:
    foreign = {"uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z"}
    metadata = api.post(f"{core}/configmaps", config_map("a", metadata=foreign)).ok()["metadata"]
    assert metadata["uid"] != "mine"
    assert not metadata["creationTimestamp"].startswith("2001")


def test_fields_of_features_that_are_off_are_dropped(api: Server, core: str) -> None:
    hooks = [
        {"stopSignal": "SIGUSR1"},
        {"stopSignal": "SIGUSR1", "preStop": {"sleep": {"seconds": 1}}},
    ]
    containers = [container(f"c{i}", lifecycle=hook) for i, hook in enumerate(hooks)]
    group = {"podGroupName": "group"}
    wanted = pod("a", schedulingGroup=group, containers=containers, os={"name": "linux"})
    made = api.post(f"{core}/pods", wanted).ok()["spec"]
    assert "schedulingGroup" not in made
    assert [c.get("lifecycle", {}).keys() for c in made["containers"]] == [set(), {"preStop"}]


def test_update_needs_the_version_that_it_names(api: Server, core: str) -> None:
    path = f"{core}/configmaps/a"
    old = api.post(f"{core}/configmaps", config_map("a")).ok()
    new = api.put(path, old | {"data": {"k": "1"}})
    assert new.code == 200
    assert int(new.body["metadata"]["resourceVersion"]) > int(old["metadata"]["resourceVersion"])
    assert api.put(path, old | {"data": {"k": "2"}}).told == f"409 Conflict: {CONFLICT}"
    assert api.put(path, config_map("a", data={"k": "3"})).ok()["data"] == {"k": "3"}


def test_update_of_another_uid_conflicts(api: Server, core: str) -> None:
    api.post(f"{core}/configmaps", config_map("a")).ok()
    uid = api.get(f"{core}/configmaps/a").body["metadata"]["uid"]
    told = api.put(f"{core}/configmaps/a", config_map("a", metadata={"uid": "other"})).told
    assert told == (
        '409 Conflict: Operation cannot be fulfilled on configmaps "a": StorageError: invalid '
        f"object, Code: 4, Key: /registry/configmaps/{core.rpartition('/')[2]}/a, ResourceVersion: "
        "0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object "
        f"meta: {uid}"
    )


def test_update_that_changes_nothing_keeps_the_version(api: Server, core: str) -> None:
    old = api.post(f"{core}/configmaps", config_map("a", data={"k": "v"})).ok()
    assert api.put(f"{core}/configmaps/a", old).body == old
    assert api.patch(f"{core}/configmaps/a", {"data": {"k": "v"}}).body == old


def test_generation_counts_changes_of_the_spec(api: Server, space: str) -> None:
    path = f"/apis/apps/v1/namespaces/{space}/deployments"
    made = api.post(path, deployment("a")).ok()
    assert made["metadata"]["generation"] == 1
    labelled = api.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}}).ok()
    assert labelled["metadata"]["generation"] == 1
    changed = api.patch(f"{path}/a", {"spec": {"minReadySeconds": 3}}).ok()
    assert changed["metadata"]["generation"] == 2


def test_status_and_spec_are_written_apart(api: Server, core: str) -> None:
    path = f"{core}/pods/a"
    api.post(f"{core}/pods", pod("a")).ok()
    condition = {"type": "x.example.com/y", "status": "True"}
    both = {
        "metadata": {"labels": {"x": "y"}},
        "spec": {"activeDeadlineSeconds": 9},
        "status": {"reason": "z", "conditions": [condition]},
    }
    status = api.patch(f"{path}/status", both).ok()
    assert "activeDeadlineSeconds" not in status["spec"]
    assert status["status"]["reason"] == "z"
    assert status["status"]["conditions"][0]["type"] == "x.example.com/y"
    spec = api.patch(path, {"spec": {"activeDeadlineSeconds": 9}, "status": {"reason": "no"}}).ok()
    assert spec["spec"]["activeDeadlineSeconds"] == 9
    assert spec["status"]["reason"] == "z"
    assert api.get(f"{path}/status").body == spec


def test_deletion_answers_with_a_status(api: Server, core: str) -> None:
    uid = api.post(f"{core}/configmaps", config_map("a")).ok()["metadata"]["uid"]
    answer = api.delete(f"{core}/configmaps/a")
    assert answer.code == 200
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "kind": "configmaps", "uid": uid},
    }
    assert api.get(f"{core}/configmaps/a").told == '404 NotFound: configmaps "a" not found'


def test_deletion_has_preconditions(api: Server, core: str) -> None:
    path = f"{core}/configmaps/a"
    metadata = api.post(f"{core}/configmaps", config_map("a")).ok()["metadata"]
    uid, version = metadata["uid"], metadata["resourceVersion"]
    other_uid = api.delete(path, {"preconditions": {"uid": "other"}}).told
    assert other_uid == (
        '409 Conflict: Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition '
        f"(other) does not match the UID in record ({uid}). The object might have been deleted and "
        "then recreated"
    )
    other_version = api.delete(path, {"preconditions": {"resourceVersion": "1"}}).told
    assert other_version == (
        '409 Conflict: Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the '
        f"precondition (1) does not match the ResourceVersion in record ({version}). The object "
        "might have been modified"
    )
    wanted = {"uid": uid, "resourceVersion": version}
    assert api.delete(path, {"preconditions": wanted}).code == 200


def test_finalizers_hold_a_deleted_object(api: Server, core: str) -> None:
    path = f"{core}/configmaps/a"
    finalizers = ["example.com/a", "example.com/b"]
    api.post(f"{core}/configmaps", config_map("a", metadata={"finalizers": finalizers})).ok()
    deleted = api.delete(path)
    assert deleted.code == 200
    assert deleted.body["metadata"]["deletionGracePeriodSeconds"] == 0
    assert api.get(path).body["metadata"]["deletionTimestamp"]
    more = api.patch(path, {"metadata": {"finalizers": [*finalizers, "example.com/c"]}}).told
    assert more == (
        '422 Invalid: ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers '
        "can be added if the object is being deleted, found new finalizers "
        '[]string{"example.com/c"}'
    )
    assert api.patch(path, {"metadata": {"finalizers": finalizers[:1]}}).code == 200
    assert api.patch(path, {"metadata": {"finalizers": None}}).code == 200
    assert api.get(path).code == 404


def test_selected_objects_of_a_collection_are_deleted(api: Server, core: str) -> None:
    for name, team in (("a", "x"), ("b", "y"), ("c", "x")):
        labels = {"labels": {"team": team}}
        api.post(f"{core}/configmaps", config_map(name, metadata=labels)).ok()
    answer = api.delete(f"{core}/configmaps", labelSelector="team=x")
    assert (answer.code, answer.body["kind"]) == (200, "ConfigMapList")
    assert [item["metadata"]["name"] for item in answer.body["items"]] == ["a", "c"]
    left = api.get(f"{core}/configmaps", labelSelector="team").body["items"]
    assert [item["metadata"]["name"] for item in left] == ["b"]


@pytest.mark.parametrize("verb", ["create", "update", "patch", "delete", "deletecollection"])
def test_dry_run_changes_nothing(api: Server, core: str, verb: str) -> None:
    collection, path = f"{core}/configmaps", f"{core}/configmaps/a"
    api.post(collection, config_map("a", metadata={"labels": {"x": "y"}})).ok()
    before = api.get(collection, labelSelector="x").body["items"]
    match verb:
        case "create":
            body = config_map("b", metadata={"labels": {"x": "y"}})
            made = api.post(collection, body, dryRun="All")
            assert (made.code, "uid" in made.body["metadata"]) == (201, True)
            assert "resourceVersion" not in made.body["metadata"]
        case "update":
            changed = api.put(path, config_map("a", data={"k": "v"}), dryRun="All")
            assert changed.ok()["data"] == {"k": "v"}
        case "patch":
            changed = api.patch(path, {"data": {"k": "v"}}, MERGE_PATCH, dryRun="All")
            assert changed.ok()["data"] == {"k": "v"}
        case "delete":
            assert api.delete(path, dryRun="All").ok()["status"] == "Success"
        case _:
            assert api.delete(collection, {"dryRun": ["All"]}).ok()["kind"] == "ConfigMapList"
    assert api.get(collection, labelSelector="x").body["items"] == before


def test_namespace_has_the_authority_that_vouches_for_the_server(api: Server, core: str) -> None:
    published = api.get(f"{core}/configmaps/kube-root-ca.crt").ok()["data"]["ca.crt"]
    assert published.strip() == api.ca_file.read_text().strip()
