"""Patches of the three kinds, and what no patch may be."""

from __future__ import annotations

from typing import Any

import pytest

from contract.objects import config_map, container, deployment, node
from contract.server import JSON, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, Server


@pytest.fixture
def path(api: Server, core: str) -> str:
    """A ConfigMap with two entries."""
    api.post(f"{core}/configmaps", config_map("a", data={"k": "v", "l": "w"})).ok()
    return f"{core}/configmaps/a"


@pytest.mark.parametrize(
    ("kind", "patch", "data"),
    [
        (MERGE_PATCH, {"data": {"k": "1", "m": "2"}}, {"k": "1", "l": "w", "m": "2"}),
        (MERGE_PATCH, {"data": {"k": None}}, {"l": "w"}),
        (STRATEGIC_MERGE_PATCH, {"data": {"k": None, "m": "2"}}, {"l": "w", "m": "2"}),
        (STRATEGIC_MERGE_PATCH, {"data": {"$patch": "replace", "m": "2"}}, {"m": "2"}),
        (
            JSON_PATCH,
            [{"op": "add", "path": "/data/m", "value": "2"}],
            {"k": "v", "l": "w", "m": "2"},
        ),
        (JSON_PATCH, [{"op": "move", "from": "/data/k", "path": "/data/m"}], {"l": "w", "m": "v"}),
        (
            JSON_PATCH,
            [
                {"op": "test", "path": "/data/k", "value": "v"},
                {"op": "replace", "path": "/data/k", "value": "1"},
                {"op": "remove", "path": "/data/l"},
            ],
            {"k": "1"},
        ),
    ],
)
def test_patch_of_each_kind_changes_the_object(
    api: Server, path: str, kind: str, patch: Any, data: dict[str, str]
) -> None:
    assert api.patch(path, patch, kind).ok()["data"] == data
    assert api.get(path).body["data"] == data


def test_strategic_patch_merges_containers_by_name(api: Server, space: str) -> None:
    deployments = f"/apis/apps/v1/namespaces/{space}/deployments"
    api.post(deployments, deployment("a")).ok()
    added = container("extra", env=[{"name": "A", "value": "1"}])
    patch = {"spec": {"template": {"spec": {"containers": [added]}}}}
    for _ in range(2):
        changed = api.patch(f"{deployments}/a", patch, STRATEGIC_MERGE_PATCH).ok()
        containers = changed["spec"]["template"]["spec"]["containers"]
        assert [each["name"] for each in containers] == ["extra", "main"]
    patch["spec"]["template"]["spec"]["containers"] = [{"name": "main", "$patch": "delete"}]
    changed = api.patch(f"{deployments}/a", patch, STRATEGIC_MERGE_PATCH).ok()
    assert [c["name"] for c in changed["spec"]["template"]["spec"]["containers"]] == ["extra"]


def test_strategic_patch_replaces_taints(api: Server) -> None:
    """Taints have no merge key: the list is one value."""
    name, first, second = (
        "contract-taints",
        *({"key": key, "effect": "NoSchedule"} for key in ("a", "b")),
    )
    api.post("/api/v1/nodes", node(name, taints=[first])).ok()
    patch = {"spec": {"taints": [second]}}
    changed = api.patch(f"/api/v1/nodes/{name}", patch, STRATEGIC_MERGE_PATCH).ok()
    api.delete(f"/api/v1/nodes/{name}")
    assert changed["spec"]["taints"] == [second]


def test_patch_may_name_the_version_it_was_made_for(api: Server, path: str) -> None:
    stale = {"metadata": {"resourceVersion": "1"}, "data": {"k": "2"}}
    assert api.patch(path, stale).told == (
        '409 Conflict: Operation cannot be fulfilled on configmaps "a": the object has been '
        "modified; please apply your changes to the latest version and try again"
    )
    fresh = api.get(path).body["metadata"]["resourceVersion"]
    assert api.patch(path, {"metadata": {"resourceVersion": fresh}, "data": {"k": "2"}}).code == 200


@pytest.mark.parametrize(
    ("kind", "patch", "told"),
    [
        (
            JSON,
            {},
            "415 UnsupportedMediaType: 415: Unsupported Media Type",
        ),
        (MERGE_PATCH, b"{", "400 BadRequest: error decoding patch: unexpected end of JSON input"),
        (
            MERGE_PATCH,
            {"metadata": {"name": "b"}},
            "400 BadRequest: the name of the object (b) does not match the name on the URL (a)",
        ),
        (
            MERGE_PATCH,
            {"metadata": {"namespace": "b"}},
            (
                "400 BadRequest: the namespace of the provided object does not match the namespace "
                "sent on the request"
            ),
        ),
        (
            MERGE_PATCH,
            {"metadata": {"uid": "b"}},
            (
                '422 Invalid: ConfigMap "a" is invalid: metadata.uid: Invalid value: "b": field is '
                "immutable"
            ),
        ),
        (
            JSON_PATCH,
            [{"op": "test", "path": "/data/k", "value": "other"}],
            "422 Invalid: the server rejected our request due to an error in our request",
        ),
        (
            JSON_PATCH,
            [{"op": "remove", "path": "/data/absent"}],
            "422 Invalid: the server rejected our request due to an error in our request",
        ),
        (
            JSON_PATCH,
            [{"op": "remove", "path": "/data/k"}] * 10001,
            (
                "413 RequestEntityTooLarge: Request entity too large: The allowed maximum "
                "operations in a JSON patch is 10000, got 10001"
            ),
        ),
    ],
    ids=[
        "of no known type",
        "cut short",
        "of the name",
        "of the namespace",
        "of the uid",
        "that tests in vain",
        "that removes what is not there",
        "of too many operations",
    ],
)
def test_unfit_patch_is_refused(api: Server, path: str, kind: str, patch: Any, told: str) -> None:
    assert api.patch(path, patch, kind).told == told


def test_patch_to_an_immutable_map_is_refused(api: Server, core: str) -> None:
    api.post(f"{core}/configmaps", config_map("b", data={"k": "v"}, immutable=True)).ok()
    told = api.patch(f"{core}/configmaps/b", {"data": {"k": "w"}}).told
    assert told == (
        '422 Invalid: ConfigMap "b" is invalid: data: Forbidden: field is immutable when '
        "`immutable` is set"
    )
