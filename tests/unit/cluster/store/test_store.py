"""Writes, conflicts and lists of the cluster's store."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.cluster.errors import OBJECT_MODIFIED, StatusError
from pilotfish.cluster.kinds import PODS
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.store import Change, Store


def config_map(name: str, namespace: str = "default", **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": namespace}, "data": data}


def keys(store: Store, storage: str, namespace: str = "") -> list[str]:
    return [item.key for item in store.list(storage, namespace).items]


def test_a_write_takes_the_next_resource_version_of_all_storages() -> None:
    store = Store()
    first = store.put("configmaps", config_map("a"))
    second = store.put("nodes", {"metadata": {"name": "n"}})
    third = store.remove("configmaps", "default", "a")
    versions = [first.resource_version, second.resource_version, third.resource_version]
    assert versions == [2, 3, 4]
    assert store.resource_version == 4


def test_the_stored_body_says_its_own_resource_version_and_no_kind() -> None:
    store = Store()
    obj = {"kind": "ConfigMap", "apiVersion": "v1", **config_map("a", k="v")}
    obj["metadata"]["resourceVersion"] = "77"
    stored = store.put("configmaps", obj)
    assert stored.decode() == {
        "metadata": {"resourceVersion": "2", "name": "a", "namespace": "default"},
        "data": {"k": "v"},
    }


def test_the_object_that_was_put_is_left_as_it_was() -> None:
    obj: dict[str, Any] = {"kind": "ConfigMap", **config_map("a")}
    Store().put("configmaps", obj)
    assert obj == {"kind": "ConfigMap", **config_map("a")}


def test_writing_what_is_there_already_changes_nothing() -> None:
    store = Store()
    first = store.put("configmaps", config_map("a", k="v"))
    assert store.put("configmaps", config_map("a", k="v")) is first
    assert store.resource_version == first.resource_version
    assert len(store.log("configmaps").since(0)) == 1


def test_a_removed_object_carries_the_resource_version_of_its_removal() -> None:
    store = Store()
    store.put("configmaps", config_map("a", k="v"))
    gone = store.remove("configmaps", "default", "a")
    assert gone.resource_version == 3
    assert gone.decode()["metadata"]["resourceVersion"] == "3"
    assert gone.decode()["data"] == {"k": "v"}
    assert store.get("configmaps", "default", "a") is None


@pytest.mark.parametrize(
    ("expected_rv", "reason", "message"),
    [
        (0, "AlreadyExists", 'deployments.apps "a" already exists'),
        (
            9,
            "Conflict",
            f'Operation cannot be fulfilled on deployments.apps "a": {OBJECT_MODIFIED}',
        ),
    ],
)
def test_a_write_that_expects_another_state_is_refused(
    expected_rv: int, reason: str, message: str
) -> None:
    store = Store()
    store.put("deployments.apps", config_map("a"))
    with pytest.raises(StatusError) as refused:
        store.put("deployments.apps", config_map("a", k="v"), expected_rv=expected_rv)
    assert (refused.value.code, refused.value.reason) == (409, reason)
    assert refused.value.message == message
    assert store.resource_version == 2


def test_a_write_that_expects_what_is_there_succeeds() -> None:
    store = Store()
    first = store.put("configmaps", config_map("a"), expected_rv=0)
    second = store.put("configmaps", config_map("a", k="v"), expected_rv=first.resource_version)
    gone = store.remove("configmaps", "default", "a", expected_rv=second.resource_version)
    assert gone.resource_version == 4


def test_an_object_that_should_be_there_and_is_not_is_not_found() -> None:
    store = Store()
    with pytest.raises(StatusError, match=r'^configmaps "a" not found$'):
        store.put("configmaps", config_map("a"), expected_rv=5)
    with pytest.raises(StatusError, match=r'^configmaps "a" not found$'):
        store.remove("configmaps", "default", "a")


def test_a_removal_that_expects_another_version_is_refused() -> None:
    store = Store()
    store.put("configmaps", config_map("a"))
    with pytest.raises(StatusError, match="the object has been modified"):
        store.remove("configmaps", "default", "a", expected_rv=1)
    assert keys(store, "configmaps") == ["default/a"]


def test_lists_are_in_the_order_of_keys() -> None:
    store = Store()
    for namespace, name in (("a", "z"), ("a-b", "a"), ("a", "b"), ("b", "a")):
        store.put("configmaps", config_map(name, namespace))
    assert keys(store, "configmaps") == ["a-b/a", "a/b", "a/z", "b/a"]
    assert keys(store, "configmaps", "a") == ["a/b", "a/z"]
    assert keys(store, "configmaps", "none") == []
    assert keys(store, "nodes") == []
    assert [store.count("configmaps"), store.count("configmaps", "a")] == [4, 2]
    assert [store.count("configmaps", "none"), store.count("nodes")] == [0, 0]


def test_a_list_stays_as_it_was_read() -> None:
    store = Store()
    store.put("configmaps", config_map("a"))
    snapshot = store.list("configmaps")
    store.put("configmaps", config_map("b"))
    store.remove("configmaps", "default", "a")
    assert snapshot.resource_version == 2
    assert [item.name for item in snapshot.items] == ["a"]


def test_on_change_is_told_of_each_write_after_it_is_done() -> None:
    store, told = Store(), []

    def tell(change: Change) -> None:
        told.append((change.type, change.storage, keys(store, change.storage)))

    store.on_change.append(tell)
    store.put("configmaps", config_map("a"))
    store.put("configmaps", config_map("a", k="v"))
    store.remove("configmaps", "default", "a")
    assert told == [
        ("ADDED", "configmaps", ["default/a"]),
        ("MODIFIED", "configmaps", ["default/a"]),
        ("DELETED", "configmaps", []),
    ]


def test_a_write_by_a_callback_is_told_after_the_write_that_it_was_told_of() -> None:
    store, told = Store(), []

    def answer(change: Change) -> None:
        if change.new.name == "question":
            store.put("configmaps", config_map("answer"))

    store.on_change += [answer, lambda change: told.append(change.new.name)]
    store.put("configmaps", config_map("question"))
    assert told == ["question", "answer"]
    assert [change.new.name for change in store.log("configmaps").since(0)] == told


def test_a_callback_that_fails_does_not_silence_the_store() -> None:
    store, told = Store(), []

    def tell(change: Change) -> None:
        if change.new.name == "bad":
            raise ValueError(change.new.name)
        told.append(change.new.name)

    store.on_change.append(tell)
    with pytest.raises(ValueError, match="bad"):
        store.put("configmaps", config_map("bad"))
    store.put("configmaps", config_map("good"))
    assert told == ["good"]


def test_equal_labels_are_kept_once_and_selectable_fields_are_read() -> None:
    store = Store()
    for name in "ab":
        metadata = {"name": name, "namespace": "default", "labels": {"app": "web"}}
        store.put("pods", {"metadata": metadata, "spec": {"nodeName": "n1", "hostNetwork": True}})
    a, b = store.list("pods").items
    assert a.labels == {"app": "web"}
    assert a.labels is b.labels
    assert {
        field.label: a.selectable[TABLE.column(PODS, field.label)] for field in PODS.fields
    } == {
        "spec.nodeName": "n1",
        "spec.restartPolicy": "",
        "spec.schedulerName": "",
        "spec.serviceAccountName": "",
        "spec.hostNetwork": "true",
        "status.phase": "",
        "status.podIP": "",
        "status.nominatedNodeName": "",
    }
