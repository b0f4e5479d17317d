import asyncio
from urllib.parse import quote

import msgspec
import pytest
import yaml

from api_face import Face, config_map

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


@pytest.fixture(scope="module")
def face() -> Face:
    """One cluster for the tests that only read it, or write names of their own."""
    return Face()


def test_object_goes_through_its_life(face: Face) -> None:
    created = face.ask("POST", CONFIG_MAPS, config_map("life", a="1"))
    assert (created.status, created.json["data"]) == (201, {"a": "1"})
    read = face.ask("GET", f"{CONFIG_MAPS}/life")
    assert (read.status, read.json) == (200, created.json)
    changed = face.ask("PUT", f"{CONFIG_MAPS}/life", created.json | {"data": {"a": "2"}})
    assert (changed.status, changed.json["data"]) == (200, {"a": "2"})
    merged = face.ask(
        "PATCH",
        f"{CONFIG_MAPS}/life",
        {"data": {"b": "3"}},
        Content_Type="application/merge-patch+json",
    )
    assert merged.json["data"] == {"a": "2", "b": "3"}
    assert face.ask("DELETE", f"{CONFIG_MAPS}/life").json["status"] == "Success"
    assert face.ask("GET", f"{CONFIG_MAPS}/life").status == 404


def test_yaml_is_read_and_written(face: Face) -> None:
    body = b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: yaml}\ndata: {day: 2026-11-22}\n"
    created = face.ask(
        "POST", CONFIG_MAPS, body, Content_Type="application/yaml", Accept="application/yaml"
    )
    assert created.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(created.body)["data"] == {"day": "2026-11-22"}


def test_list_can_be_a_table(face: Face) -> None:
    face.ask("POST", CONFIG_MAPS, config_map("shown", a="1", b="2"))
    face.now += 90
    answer = face.ask("GET", f"{CONFIG_MAPS}?fieldSelector=metadata.name=shown", Accept=TABLE)
    table = answer.json
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [row["cells"] for row in table["rows"]] == [["shown", 2, "90s"]]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert table["metadata"]["resourceVersion"]


@pytest.mark.parametrize(("include", "kind"), [("None", None), ("Object", "ConfigMap")])
def test_rows_hold_as_much_of_the_object_as_asked(
    face: Face, include: str, kind: str | None
) -> None:
    face.ask("POST", CONFIG_MAPS, config_map("included"))
    path = f"{CONFIG_MAPS}/included?includeObject={include}"
    shown = face.ask("GET", path, Accept=TABLE).json["rows"][0]["object"]
    assert (shown and shown["kind"]) == kind


def test_list_can_be_metadata_alone(face: Face) -> None:
    face.ask("POST", CONFIG_MAPS, config_map("meta", a="1"))
    answer = face.ask("GET", CONFIG_MAPS, Accept=METADATA)
    assert answer.json["kind"] == "PartialObjectMetadataList"
    assert all("data" not in item for item in answer.json["items"])


def test_refusal_stays_a_status_when_a_table_is_wanted(face: Face) -> None:
    answer = face.ask("GET", f"{CONFIG_MAPS}/nowhere", Accept=TABLE)
    assert (answer.status, answer.json["kind"]) == (404, "Status")


def test_dry_run_changes_nothing(face: Face) -> None:
    answer = face.ask("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("dry"))
    assert answer.status == 201
    assert face.ask("GET", f"{CONFIG_MAPS}/dry").status == 404


def test_unknown_fields_warn_unless_told_otherwise(face: Face) -> None:
    odd = config_map("odd") | {"bogus": 1}
    warned = face.ask("POST", CONFIG_MAPS, odd)
    assert warned.status == 201
    assert warned.headers["Warning"] == '299 - "unknown field \\"bogus\\""'
    strict = face.ask("POST", f"{CONFIG_MAPS}?fieldValidation=Strict", odd)
    assert strict.status == 400
    ignored = face.ask("POST", f"{CONFIG_MAPS}?fieldValidation=Ignore&dryRun=All", config_map("x"))
    assert "Warning" not in ignored.headers


def test_delete_options_come_from_the_body_or_the_parameters(face: Face) -> None:
    uid = face.ask("POST", CONFIG_MAPS, config_map("sure")).json["metadata"]["uid"]
    path = f"{CONFIG_MAPS}/sure"
    assert face.ask("DELETE", path, {"preconditions": {"uid": "another"}}).status == 409
    assert face.ask("DELETE", f"{path}?dryRun=All").status == 200
    assert face.ask("DELETE", path, {"preconditions": {"uid": uid}}).status == 200


def test_collection_is_deleted_by_selector(face: Face) -> None:
    for name, app in (("kept", "a"), ("gone", "b")):
        labelled = config_map(name)
        labelled["metadata"]["labels"] = {"app": app}
        face.ask("POST", CONFIG_MAPS, labelled)
    face.ask("DELETE", f"{CONFIG_MAPS}?labelSelector=app=b")
    assert face.ask("GET", f"{CONFIG_MAPS}/kept").status == 200
    assert face.ask("GET", f"{CONFIG_MAPS}/gone").status == 404


def test_who_has_no_token_is_anonymous_and_a_wrong_one_is_refused(face: Face) -> None:
    assert face.ask("GET", "/version", bearer="").status == 200
    denied = face.ask("GET", CONFIG_MAPS, bearer="")
    assert denied.status == 403
    assert denied.json["message"] == (
        'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" '
        'in API group "" in the namespace "default"'
    )
    assert face.ask("GET", "/version", bearer="wrong").status == 401


def test_who_may_do_nothing_is_not_told_what_is_not_there(face: Face) -> None:
    assert face.ask("GET", "/apis/example.com/v1/widgets", bearer="").status == 403
    assert face.ask("GET", "/apis/example.com/v1/widgets").status == 404


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_nothing_is_read_of_who_may_not_write(face: Face, method: str) -> None:
    answer = face.ask(method, f"{CONFIG_MAPS}?dryRun=no", b"{malformed", bearer="")
    assert answer.status == 403


def test_nothing_is_read_of_who_may_not_list(face: Face) -> None:
    assert face.ask("GET", f"{CONFIG_MAPS}?limit=malformed", bearer="").status == 403


LARGE = {f"key-{number}": "value" for number in range(4000)}


@pytest.mark.parametrize("kind", ["application/yaml", "application/json"])
def test_large_body_keeps_nobody_waiting(face: Face, kind: str) -> None:
    text = msgspec.json.encode(config_map("large-body", **LARGE))  # which YAML is, too
    path = f"{CONFIG_MAPS}?dryRun=All"
    assert in_order_of_answers(face, ("POST", path, text, kind, ""), QUICK) == [200, 201]


def test_large_answer_that_is_to_be_made_keeps_nobody_waiting(face: Face) -> None:
    face.ask("POST", CONFIG_MAPS, config_map("large-answer", **LARGE))
    path = f"{CONFIG_MAPS}/large-answer"
    large = ("GET", path, None, "", "application/yaml")
    assert in_order_of_answers(face, large, ("GET", f"{path}-not", None, "", "")) == [404, 200]


def test_large_body_that_comes_at_the_end_is_refused() -> None:
    face = Face()
    face.server.close()
    assert face.ask("POST", CONFIG_MAPS, config_map("late", **LARGE)).status == 503


QUICK = ("GET", "/version", None, "", "")


def in_order_of_answers(face: Face, *asked: tuple[str, str, bytes | None, str, str]) -> list[int]:
    """Ask all at once; return the codes as they come."""
    codes = []

    async def ask(method: str, path: str, body: bytes | None, kind: str, accept: str) -> None:
        answer = await face.asking(method, path, body, Content_Type=kind, Accept=accept)
        codes.append(answer.status)

    async def ask_all() -> None:
        async with asyncio.TaskGroup() as tasks:
            for one in asked:
                tasks.create_task(ask(*one))

    asyncio.run(ask_all())
    return codes


def test_admin_may_act_for_others(face: Face) -> None:
    denied = face.ask("GET", CONFIG_MAPS, Impersonate_User="eve")
    assert (denied.status, 'User "eve"' in denied.json["message"]) == (403, True)


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/api/v1/widgets", 404, "NotFound"),
        ("GET", "/apis/apps/v9/deployments", 404, "NotFound"),
        ("GET", "/api/v1/pods/lost", 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/nodes", 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/pods/a/b/c", 404, "NotFound"),
        ("GET", "/api//v1/pods", 404, "NotFound"),
        ("POST", "/api/v1/pods", 405, "MethodNotAllowed"),
        ("PUT", CONFIG_MAPS, 405, "MethodNotAllowed"),
        ("DELETE", "/api/v1/namespaces", 405, "MethodNotAllowed"),
        ("PROPFIND", CONFIG_MAPS, 405, "MethodNotAllowed"),
        ("HEAD", f"{CONFIG_MAPS}?watch=1", 405, "MethodNotAllowed"),
        ("POST", "/version", 405, "MethodNotAllowed"),
        ("GET", "/api/v1/namespaces/default/configmaps/..", 400, "BadRequest"),
        ("GET", "/api/v1/namespaces/default/pods/a/exec", 501, "NotImplemented"),
        ("PATCH", "/api/v1/namespaces/default/pods/a/resize", 501, "NotImplemented"),
        ("GET", f"{CONFIG_MAPS}?limit=many", 400, "BadRequest"),
        ("GET", f"{CONFIG_MAPS}?limit=99999999999999999999999", 400, "BadRequest"),
        ("GET", f"{CONFIG_MAPS}?labelSelector=a%20b", 400, "BadRequest"),
        ("GET", f"{CONFIG_MAPS}?fieldSelector=data.x=1", 400, "BadRequest"),
        ("GET", f"{CONFIG_MAPS}?resourceVersion=new", 400, "BadRequest"),
        ("GET", f"{CONFIG_MAPS}?resourceVersionMatch=Exact", 422, "Invalid"),
        ("GET", f"{CONFIG_MAPS}?resourceVersion=999999", 504, "Timeout"),
        ("GET", f"{CONFIG_MAPS}?continue=token", 400, "BadRequest"),
        ("GET", f"{CONFIG_MAPS}?watch=1&sendInitialEvents=true", 422, "Invalid"),
        ("GET", "/apis/metrics.k8s.io/v1beta1/nodes?watch=1", 405, "MethodNotAllowed"),
        ("DELETE", f"{CONFIG_MAPS}/a?gracePeriodSeconds=soon", 400, "BadRequest"),
        ("POST", f"{CONFIG_MAPS}?dryRun=Some", 422, "Invalid"),
        ("POST", f"{CONFIG_MAPS}?fieldValidation=Loose", 422, "Invalid"),
        ("POST", f"{CONFIG_MAPS}?fieldManager={'m' * 129}", 422, "Invalid"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_status(
    face: Face, method: str, path: str, status: int, reason: str
) -> None:
    answer = face.ask(method, path, config_map("refused") if method in ("POST", "PUT") else None)
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert answer.json["kind"] == "Status"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"a":' * 100_000, "application/json", 400),
        (b'{"metadata":' * 900 + b"1" + b"}" * 900, "application/json", 422),
        (b'{"metadata":{"name":{"a":"b"}}}', "application/json", 400),
        (b"a: b: c", "application/yaml", 400),
        (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b, 2026-11-22]", "application/yaml", 422),
        (b"[" * 50_000, "application/yaml", 400),
        (b"k8s\x00\x0a\x80", "application/vnd.kubernetes.protobuf", 400),
        (b"<a/>", "application/xml", 415),
        (b"x" * (3 * 1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_malformed_bodies_are_refused(
    face: Face, body: bytes, content_type: str, status: int
) -> None:
    answer = face.ask("POST", CONFIG_MAPS, body, Content_Type=content_type)
    assert (answer.status, answer.json["kind"]) == (status, "Status")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/apply-patch+yaml", b"{}", 415),
        ("application/merge-patch+json", b"[]", 400),
        ("application/json-patch+json", b"{}", 400),
        ("application/strategic-merge-patch+json", b"{", 400),
    ],
)
def test_malformed_patches_are_refused(
    face: Face, content_type: str, body: bytes, status: int
) -> None:
    answer = face.ask("PATCH", "/api/v1/namespaces/default", body, Content_Type=content_type)
    assert (answer.status, answer.json["kind"]) == (status, "Status")


MANY = "9" * 5000  # more digits than Python turns into an int


@pytest.mark.parametrize(
    ("version", "why"),
    [(MANY, "value out of range"), ("\u00b2", "invalid syntax"), ("-1", "invalid syntax")],
)
@pytest.mark.parametrize("path", [CONFIG_MAPS, f"{CONFIG_MAPS}/any", f"{CONFIG_MAPS}?watch=1"])
def test_resource_version_that_is_none_is_refused(
    face: Face, path: str, version: str, why: str
) -> None:
    query = f"{'&' if '?' in path else '?'}resourceVersion={quote(version)}"
    answer = face.ask("GET", path + query)
    assert (answer.status, why in answer.json["message"]) == (400, True)


@pytest.mark.parametrize("version", [MANY, "\u00b2", "-1", "0"])
def test_resource_version_that_is_none_is_passed_over_in_a_new_object(
    face: Face, version: str
) -> None:
    new = config_map("new")
    new["metadata"]["resourceVersion"] = version
    assert face.ask("POST", f"{CONFIG_MAPS}?dryRun=All", new).status == 201


def test_server_side_apply_is_refused_with_the_way_out(face: Face) -> None:
    answer = face.ask(
        "PATCH",
        "/api/v1/namespaces/default",
        b"{}",
        Content_Type="application/apply-patch+yaml",
    )
    assert "use plain `kubectl apply`" in answer.json["message"]


def test_who_accepts_nothing_that_is_served_is_told_so(face: Face) -> None:
    answer = face.ask("GET", CONFIG_MAPS, Accept="application/xml")
    assert (answer.status, answer.json["reason"]) == (406, "NotAcceptable")


def test_protobuf_first_and_json_second_is_answered_in_json(face: Face) -> None:
    accept = "application/vnd.kubernetes.protobuf,application/json"
    assert face.ask("GET", CONFIG_MAPS, Accept=accept).json["kind"] == "ConfigMapList"


def test_refusal_for_a_while_says_when_to_come_again(face: Face) -> None:
    answer = face.ask("GET", f"{CONFIG_MAPS}?resourceVersion=999999")
    assert answer.headers["Retry-After"] == "1"


def test_pretty_is_for_people(face: Face) -> None:
    plain = face.ask("GET", "/api/v1/namespaces/default")
    pretty = face.ask("GET", "/api/v1/namespaces/default?pretty=true")
    by_curl = face.ask("GET", "/api/v1/namespaces/default", User_Agent="curl/8.0")
    assert b"\n" not in plain.body
    assert pretty.body == by_curl.body
    assert b'\n  "kind": "Namespace"' in pretty.body
    assert msgspec.json.decode(pretty.body) == plain.json
