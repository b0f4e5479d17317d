"""fieldValidation: what happens to fields that are unknown or named twice."""

from __future__ import annotations

import json

import pytest

from contract.objects import config_map, container, deployment, pod
from contract.server import MERGE_PATCH, STRATEGIC_MERGE_PATCH, Server

UNKNOWN = ['unknown field "spec.containers[0].bar"', 'unknown field "spec.foo"']
TWICE = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1"},"data":{}}'


def strange() -> dict[str, object]:
    """Make a pod with two unknown fields."""
    return pod("a", containers=[container(bar=1)], foo=2)


def test_strict_refuses_unknown_fields(api: Server, core: str) -> None:
    told = api.post(f"{core}/pods", strange(), fieldValidation="Strict").told
    assert told == (
        '400 BadRequest: Pod in version "v1" cannot be handled as a Pod: strict decoding error: '
        + ", ".join(UNKNOWN)
    )


@pytest.mark.parametrize("mode", ["Warn", ""])
def test_warn_drops_unknown_fields_and_says_so(api: Server, core: str, mode: str) -> None:
    query = {"fieldValidation": mode} if mode else {}
    answer = api.post(f"{core}/pods", strange(), **query)
    assert answer.code == 201
    assert sorted(text.replace('\\"', '"') for text in answer.warnings) == UNKNOWN
    assert "foo" not in answer.body["spec"]


def test_ignore_drops_unknown_fields_in_silence(api: Server, core: str) -> None:
    answer = api.post(f"{core}/pods", strange(), fieldValidation="Ignore")
    assert (answer.code, answer.warnings) == (201, [])
    assert "bar" not in answer.body["spec"]["containers"][0]


def test_refusal_warns_of_unknown_fields_too(api: Server, core: str) -> None:
    answer = api.post(f"{core}/pods", strange() | {"metadata": {"name": "A"}})
    assert answer.code == 422
    assert sorted(text.replace('\\"', '"') for text in answer.warnings) == UNKNOWN


@pytest.mark.parametrize("part", ["binding", "eviction"])
def test_part_of_a_pod_warns_of_unknown_fields(api: Server, core: str, part: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    target = {"target": {"kind": "Node", "name": "absent"}} if part == "binding" else {}
    answer = api.post(f"{core}/pods/a/{part}", {"metadata": {"name": "a"}, "foo": 1, **target})
    assert (answer.code, answer.warnings) == (201, ['unknown field \\"foo\\"'])


def test_scale_warns_of_unknown_fields(api: Server, space: str) -> None:
    path = f"/apis/apps/v1/namespaces/{space}/deployments"
    api.post(path, deployment("a")).ok()
    answer = api.patch(f"{path}/a/scale", {"foo": 1})
    assert (answer.code, answer.warnings) == (200, ['unknown field \\"foo\\"'])


def test_field_that_is_named_twice_is_refused_or_warned_of(api: Server, core: str) -> None:
    path = f"{core}/configmaps"
    strict = api.send("POST", f"{path}?fieldValidation=Strict", TWICE)
    assert strict.told == (
        '400 BadRequest: ConfigMap in version "v1" cannot be handled as a ConfigMap: strict '
        'decoding error: duplicate field "data"'
    )
    warned = api.send("POST", f"{path}?fieldValidation=Warn", TWICE)
    assert warned.code == 201
    assert [text.replace('\\"', '"') for text in warned.warnings] == ['duplicate field "data"']


@pytest.mark.parametrize("kind", [MERGE_PATCH, STRATEGIC_MERGE_PATCH])
def test_strict_patch_refuses_unknown_fields(api: Server, space: str, kind: str) -> None:
    path = f"/apis/apps/v1/namespaces/{space}/deployments"
    api.post(path, deployment("a")).ok()
    answer = api.patch(f"{path}/a", {"spec": {"foo": 1}}, kind, fieldValidation="Strict")
    assert answer.code == 422 if kind == MERGE_PATCH else 400
    assert 'unknown field "spec.foo"' in answer.told


def test_yaml_is_read_as_json_is(api: Server, core: str) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: 'yes'\n"
    answer = api.send("POST", f"{core}/configmaps", text, kind="application/yaml")
    assert (answer.code, answer.body["data"]) == (201, {"k": "yes"})
    shown = api.send("GET", f"{core}/configmaps/a", accept="application/yaml")
    assert b"\nkind: ConfigMap\n" in shown.raw


@pytest.mark.parametrize(
    ("value", "stored"),
    [(b'"\\u00e9\\ud83d\\ude00"', "\u00e9\U0001f600"), (json.dumps("a\nb").encode(), "a\nb")],
    ids=["beyond ASCII", "of two lines"],
)
def test_text_is_kept_as_it_is(api: Server, core: str, value: bytes, stored: str) -> None:
    body = json.dumps(config_map("a", data={"k": "@"})).encode().replace(b'"@"', value)
    assert api.send("POST", f"{core}/configmaps", body).ok()["data"] == {"k": stored}
