"""Binding by both resources, and everything that a scheduler's bind can run into."""

from __future__ import annotations

import pytest

from contract.objects import binding, pod
from contract.server import Json, Server

WAYS = pytest.mark.parametrize("way", ["pods/binding", "bindings"])
CONFLICT = '409 Conflict: Operation cannot be fulfilled on pods/binding "a": '


def bind(api: Server, core: str, way: str, body: Json) -> str:
    """Post a Binding and give what was told."""
    name = body["metadata"]["name"]
    path = f"{core}/bindings" if way == "bindings" else f"{core}/pods/{name}/binding"
    return api.post(path, body).told


@WAYS
def test_bound_pod_has_its_node(api: Server, core: str, way: str, absent_node: str) -> None:
    api.post(f"{core}/pods", pod("a", metadata={"annotations": {"old": "1"}})).ok()
    before = api.get(f"{core}/pods/a").body
    assert "nodeName" not in before["spec"]
    body = binding("a", absent_node, metadata={"annotations": {"new": "2"}})
    path = f"{core}/bindings" if way == "bindings" else f"{core}/pods/a/binding"
    answer = api.post(path, body)
    assert answer.code == 201
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
    bound = api.get(f"{core}/pods/a").body
    assert bound["spec"]["nodeName"] == absent_node
    assert bound["metadata"]["annotations"] == {"old": "1", "new": "2"}
    scheduled = {c["type"]: c["status"] for c in bound["status"]["conditions"]}
    assert scheduled == {"PodScheduled": "True"}
    assert int(bound["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


@WAYS
@pytest.mark.parametrize("again", ["", "-too"])
def test_pod_is_bound_once(api: Server, core: str, way: str, again: str, absent_node: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    assert bind(api, core, way, binding("a", absent_node)) == "201 : "
    told = bind(api, core, way, binding("a", absent_node + again))
    assert told == CONFLICT + f'pod a is already assigned to node "{absent_node}"'


def test_binding_is_for_the_uid_that_it_names(api: Server, core: str) -> None:
    uid = api.post(f"{core}/pods", pod("a")).ok()["metadata"]["uid"]
    told = bind(api, core, "pods/binding", binding("a", "n", metadata={"uid": "other"}))
    assert told == (
        '409 Conflict: Operation cannot be fulfilled on pods "a": StorageError: invalid object, '
        f"Code: 4, Key: /registry/pods/{core.rpartition('/')[2]}/a, ResourceVersion: 0, "
        "AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: "
        f"{uid}"
    )
    right = binding("a", "n", metadata={"uid": uid})
    assert bind(api, core, "pods/binding", right) == "201 : "


def test_legacy_binding_is_for_any_uid(api: Server, core: str) -> None:
    """Creating a whole object drops the uid that a client gives it, here before it is looked at."""
    api.post(f"{core}/pods", pod("a")).ok()
    assert bind(api, core, "bindings", binding("a", "n", metadata={"uid": "other"})) == "201 : "


@WAYS
def test_binding_is_for_the_version_that_it_names(
    api: Server, core: str, way: str, absent_node: str
) -> None:
    version = api.post(f"{core}/pods", pod("a")).ok()["metadata"]["resourceVersion"]
    old = binding("a", "n", metadata={"resourceVersion": "1"})
    told = bind(api, core, way, old)
    assert told.startswith('409 Conflict: Operation cannot be fulfilled on pods "a": StorageError')
    assert f"precondition: 1, ResourceVersion in object meta: {version}" in told
    new = binding("a", absent_node, metadata={"resourceVersion": version})
    assert bind(api, core, way, new) == "201 : "
    assert bind(api, core, way, old).startswith(
        '409 Conflict: Operation cannot be fulfilled on pods "'
    )


@WAYS
def test_gated_pod_is_not_bound(api: Server, core: str, way: str) -> None:
    gates = [{"name": "example.com/wait"}]
    made = api.post(f"{core}/pods", pod("a", schedulingGates=gates)).ok()
    condition = made["status"]["conditions"][0]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "SchedulingGated")
    told = bind(api, core, way, binding("a", "n"))
    assert told == CONFLICT + "pod a has non-empty .spec.schedulingGates"


@WAYS
def test_pod_that_is_being_deleted_is_not_bound(api: Server, core: str, way: str) -> None:
    finalizers = {"finalizers": ["example.com/hold"]}
    api.post(f"{core}/pods", pod("a", metadata=finalizers)).ok()
    api.delete(f"{core}/pods/a").ok()
    told = bind(api, core, way, binding("a", "n"))
    api.patch(f"{core}/pods/a", {"metadata": {"finalizers": None}}).ok()
    assert told == CONFLICT + "pod a is being deleted, cannot be assigned to a host"


@WAYS
def test_pod_that_is_not_there_is_not_bound(api: Server, core: str, way: str) -> None:
    assert bind(api, core, way, binding("a", "n")) == '404 NotFound: pods "a" not found'


def test_binding_is_for_the_pod_of_its_path(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    told = api.post(f"{core}/pods/a/binding", binding("b", "n")).told
    assert told == "400 BadRequest: name in URL does not match name in Binding object"


def test_dry_run_binds_nothing(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    assert api.post(f"{core}/pods/a/binding", binding("a", "n"), dryRun="All").code == 201
    assert "nodeName" not in api.get(f"{core}/pods/a").body["spec"]


def test_node_of_a_pod_is_for_nobody_else_to_set(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    told = api.patch(f"{core}/pods/a", {"spec": {"nodeName": "n"}}).told
    assert told.startswith('422 Invalid: Pod "a" is invalid: spec: Forbidden: pod updates may not')
    assert "nodeName" not in api.get(f"{core}/pods/a").body["spec"]


def test_nominated_node_is_written_by_the_status(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    body = {"status": {"nominatedNodeName": "n"}}
    assert api.patch(f"{core}/pods/a/status", body).ok()["status"]["nominatedNodeName"] == "n"
