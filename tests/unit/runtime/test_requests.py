import msgspec
import pytest

from pilotfish.client import ApiError, ConnectionFailed, CredentialsError
from pilotfish.core.effects import Bind, EvictPod, PatchCondition, PatchNomination, ReadPod
from pilotfish.framework import Patch
from pilotfish.runtime.requests import (
    bind_failure,
    bind_request,
    condition_request,
    delete_request,
    disruption_request,
    is_transient,
    nomination_request,
    patch_request,
    pod_read,
    read_request,
)

NOW = "2026-01-01T00:00:00Z"
BIND = Bind("uid-a", "default", "a", "node-1")
READ = ReadPod("uid-a", "default", "a")
LOST = ConnectionFailed("POST: cut", outcome_unknown=True)
NEVER_SENT = ConnectionFailed("POST: connection refused", outcome_unknown=False)


def test_binding_names_the_uid_as_a_precondition() -> None:
    request = bind_request(BIND)
    assert request.method == "POST"
    assert request.path == "/api/v1/namespaces/default/pods/a/binding"
    assert msgspec.json.decode(request.body or b"") == {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "a", "namespace": "default", "uid": "uid-a"},
        "target": {"kind": "Node", "name": "node-1"},
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 429])
def test_bind_that_the_server_turned_down_is_refused(status: int) -> None:
    answer = bind_failure(BIND, ApiError(status, message="no"))
    assert (answer.outcome, answer.status, answer.message) == ("refused", status, "no")


@pytest.mark.parametrize("error", [NEVER_SENT, CredentialsError("no token")])
def test_bind_that_was_never_sent_is_refused(error: Exception) -> None:
    assert bind_failure(BIND, error).outcome == "refused"


@pytest.mark.parametrize(
    "error",
    [
        *(ApiError(status) for status in (302, 408, 409, 500, 502, 503, 504)),
        LOST,
        TimeoutError(),
        RuntimeError("a bug"),
    ],
    ids=repr,
)
def test_outcome_of_a_bind_is_unknown_when_it_may_have_happened(error: Exception) -> None:
    assert bind_failure(BIND, error).outcome == "unknown"


def test_reading_a_pod_needs_only_the_permission_to_list() -> None:
    request = read_request(READ)
    assert request.method == "GET"
    assert request.path == "/api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Da"


def _list(*items: object) -> bytes:
    return msgspec.json.encode({"kind": "PodList", "metadata": {}, "items": items})


def test_read_finds_the_pod_of_the_uid_asked_for() -> None:
    found = pod_read(
        READ, _list({"metadata": {"name": "a", "uid": "uid-a"}, "spec": {"nodeName": "n"}})
    )
    assert found.pod is not None
    assert (found.pod.node_name, found.error) == ("n", "")


@pytest.mark.parametrize(
    "body", [_list(), _list({"metadata": {"name": "a", "uid": "uid-other"}})], ids=["none", "other"]
)
def test_pod_of_another_uid_is_another_pod(body: bytes) -> None:
    assert (pod_read(READ, body).pod, pod_read(READ, body).error) == (None, "")


def test_pod_that_cannot_be_read_is_not_taken_for_gone() -> None:
    broken = _list({"metadata": {"name": "a", "uid": "uid-a"}, "spec": {"nodeName": 7}})
    assert "spec.nodeName" in pod_read(READ, broken).error
    assert "no list" in pod_read(READ, b"<html>").error


def test_condition_is_patched_for_this_uid_only() -> None:
    patch = PatchCondition("uid-a", "default", "a", "Unschedulable", "0/1 nodes", 3)
    request = condition_request(patch, "2026-01-02T03:04:05Z")
    assert request.path == "/api/v1/namespaces/default/pods/a/status"
    assert request.content_type == "application/strategic-merge-patch+json"
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes",
        "observedGeneration": 3,
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    }
    assert msgspec.json.decode(request.body or b"") == {
        "metadata": {"uid": "uid-a"},
        "status": {"conditions": [condition]},
    }


def test_new_message_keeps_the_time_of_the_transition() -> None:
    patch = PatchCondition(
        "uid-a", "default", "a", "Unschedulable", "0/2 nodes", 3, is_transition=False
    )
    body = condition_request(patch, "2026-01-02T03:04:05Z").body or b""
    assert b"lastTransitionTime" not in body


@pytest.mark.parametrize("error", [ApiError(500), ApiError(503), ApiError(408), LOST, NEVER_SENT])
def test_server_trouble_may_pass(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", [ApiError(403), ApiError(409), ApiError(422), ValueError()])
def test_refusal_does_not_pass_by_itself(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize(
    ("nominated", "status"),
    [(None, {}), ("", {"nominatedNodeName": None}), ("n1", {"nominatedNodeName": "n1"})],
)
def test_nominated_node_is_left_or_cleared_or_set_with_the_condition(
    nominated: str | None, status: dict[str, str | None]
) -> None:
    patch = PatchCondition(
        "uid-a", "default", "a", "Unschedulable", "0/1", 1, nominated_node_name=nominated
    )
    body = msgspec.json.decode(condition_request(patch, NOW).body or b"")
    assert len(body["status"].pop("conditions")) == 1
    assert body["status"] == status


@pytest.mark.parametrize(("node_name", "sent"), [("", None), ("n1", "n1")])
def test_nomination_alone_touches_no_condition(node_name: str, sent: str | None) -> None:
    request = nomination_request(PatchNomination("uid-a", "default", "a", node_name))
    assert (request.method, request.path) == ("PATCH", "/api/v1/namespaces/default/pods/a/status")
    assert msgspec.json.decode(request.body or b"") == {
        "metadata": {"uid": "uid-a"},
        "status": {"nominatedNodeName": sent},
    }


@pytest.mark.parametrize(
    ("patch", "path", "metadata"),
    [
        (Patch("pods", "a", {}, "default"), "/api/v1/namespaces/default/pods/a", {}),
        (
            Patch("persistentvolumes", "v", {}, uid="u", resource_version="7"),
            "/api/v1/persistentvolumes/v",
            {"uid": "u", "resourceVersion": "7"},
        ),
        (
            Patch("things", "t", {"metadata": {"labels": {"a": None}}}, "x", "example.com/v1"),
            "/apis/example.com/v1/namespaces/x/things/t",
            {"labels": {"a": None}},
        ),
    ],
)
def test_patch_of_a_plugin_is_a_merge_patch_with_its_preconditions(
    patch: Patch, path: str, metadata: dict[str, object]
) -> None:
    request = patch_request(patch)
    assert (request.method, request.path) == ("PATCH", path)
    assert request.content_type == "application/merge-patch+json"
    assert msgspec.json.decode(request.body or b"") == {"metadata": metadata}


def test_victim_is_told_why_and_deleted_by_its_uid() -> None:
    evict = EvictPod("uid-a", "default", "a", "making room", 7)
    why = disruption_request(evict, NOW)
    assert (why.method, why.path) == ("PATCH", "/api/v1/namespaces/default/pods/a/status")
    assert msgspec.json.decode(why.body or b"") == {
        "metadata": {"uid": "uid-a"},
        "status": {
            "conditions": [
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "PreemptionByScheduler",
                    "message": "making room",
                    "observedGeneration": 7,
                    "lastTransitionTime": NOW,
                }
            ]
        },
    }
    delete = delete_request(evict)
    assert (delete.method, delete.path) == ("DELETE", "/api/v1/namespaces/default/pods/a")
    assert msgspec.json.decode(delete.body or b"") == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "uid-a"},
    }
