"""The HTTP face answers anything with a Status, never with a fault of its own."""

import json
from functools import cache
from urllib.parse import quote

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api_face import Answer, Face
from pilotfish.cluster.resources import TABLE, Resource

FAULTS = 500

segments = st.sampled_from(
    [
        *("api", "apis", "v1", "v1beta1", "namespaces", "default", "pods", "nodes", "status"),
        *("watch", "scale", "binding", "eviction", "token", "exec", "web", "apps", "", ".."),
        *sorted({resource.plural for resource in TABLE} | {resource.group for resource in TABLE}),
    ]
)
paths = st.lists(segments | st.text(max_size=5), max_size=7).map(
    lambda parts: "/" + "/".join(quote(part, safe="") for part in parts)
)
parameters = st.dictionaries(
    st.sampled_from(
        [
            "limit",
            "continue",
            "labelSelector",
            "fieldSelector",
            "resourceVersion",
            "resourceVersionMatch",
            "pretty",
            "dryRun",
            "fieldValidation",
            "fieldManager",
            "gracePeriodSeconds",
            "propagationPolicy",
            "includeObject",
            "timeoutSeconds",
            "tailLines",
            "sinceTime",
            "container",
        ]
    ),
    st.sampled_from(["", "1", "-1", "a=b", "All", "Strict", "Exact", "true", "9" * 30, "0"])
    | st.text(max_size=5),
    max_size=3,
).map(lambda found: "&".join(f"{key}={quote(value)}" for key, value in found.items()))
methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
types = st.sampled_from(
    [
        "",
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/strategic-merge-patch+json",
        "text/plain",
        ";;",
    ]
)
names = st.sampled_from(
    [
        "metadata",
        "name",
        "namespace",
        "labels",
        "annotations",
        "spec",
        "status",
        "kind",
        "apiVersion",
        "containers",
        "template",
        "op",
        "path",
        "value",
        "target",
        "replicas",
        "finalizers",
        "ownerReferences",
        "uid",
        "resourceVersion",
        "items",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | names,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
bodies = (
    values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
    | st.binary(max_size=40).map(lambda raw: b"k8s\x00" + raw)
)


@cache
def face() -> Face:
    """One cluster for all examples: they change nothing that the next one minds."""
    return Face(nodes=1)


def check(answer: Answer, method: str) -> None:
    """See that an answer is well, or says what is wrong with the request."""
    if answer.status >= FAULTS:
        assert answer.status in (501, 504), answer.body
    if answer.status >= 400 and method != "HEAD":
        is_text = answer.headers["Content-Type"].startswith("text/plain")
        assert is_text or answer.json["kind"] == "Status"


@settings(max_examples=300)
@given(methods, paths, parameters, types, types, bodies)
def test_any_request_is_answered(
    method: str, path: str, query: str, content_type: str, accept: str, body: bytes
) -> None:
    answer = face().ask(method, f"{path}?{query}", body, Content_Type=content_type, Accept=accept)
    check(answer, method)


@settings(max_examples=300)
@given(
    st.sampled_from(
        [
            ("POST", "pods", "application/json"),
            ("POST", "pods", "application/yaml"),
            ("PUT", "configmaps/odd", "application/json"),
            ("PATCH", "configmaps/odd", "application/merge-patch+json"),
            ("DELETE", "configmaps/odd", "application/json"),
        ]
    ),
    bodies,
)
def test_any_bytes_are_read_or_refused(where: tuple[str, str, str], body: bytes) -> None:
    """The request is right but for its body, so that this is what is looked at."""
    method, path, content_type = where
    full = f"/api/v1/namespaces/default/{path}?dryRun=All"
    check(face().ask(method, full, body, Content_Type=content_type), method)


@settings(max_examples=300)
@given(
    st.sampled_from([r for r in TABLE if "create" in r.verbs]), values, st.sampled_from(["", "odd"])
)
def test_any_object_is_created_or_refused(resource: Resource, value: object, name: str) -> None:
    """The shapes are odd, the kind is right, so that they get past the first check."""
    body = value if isinstance(value, dict) else {"spec": value}
    if name:
        body = body | {"metadata": {"name": name}}
    root = f"/apis/{resource.group}" if resource.group else "/api"
    where = "/namespaces/default" if resource.namespaced else ""
    path = f"{root}/{resource.version}{where}/{resource.plural}?dryRun=All"
    check(face().ask("POST", path, json.dumps(body).encode()), "POST")


@settings(max_examples=300)
@given(
    st.sampled_from(
        [
            ("POST", "pods/odd/binding"),
            ("POST", "bindings"),
            ("POST", "pods/odd/eviction"),
            ("POST", "serviceaccounts/default/token"),
            ("PUT", "pods/odd/status"),
            ("PUT", "configmaps/odd"),
        ]
    ),
    values,
)
def test_any_part_of_an_object_is_written_or_refused(where: tuple[str, str], value: object) -> None:
    method, path = where
    body = value if isinstance(value, dict) else {"spec": value, "target": value}
    full = f"/api/v1/namespaces/default/{path}?dryRun=All"
    check(face().ask(method, full, json.dumps(body).encode()), method)


@settings(max_examples=300)
@given(
    st.sampled_from(["merge-patch", "json-patch", "strategic-merge-patch"]),
    st.sampled_from(["nodes/node-1", "namespaces/default", "nodes/node-1/status"]),
    values
    | st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]),
                "path": st.sampled_from(["", "/", "/spec", "/metadata/labels/a", "/spec/taints/0"]),
            },
            optional={"value": values, "from": st.sampled_from(["", "/spec", "/a/b"])},
        ),
        max_size=3,
    ),
)
def test_any_patch_is_applied_or_refused(kind: str, path: str, patch: object) -> None:
    answer = face().ask(
        "PATCH",
        f"/api/v1/{path}?dryRun=All",
        json.dumps(patch).encode(),
        Content_Type=f"application/{kind}+json",
    )
    check(answer, "PATCH")
    if answer.status < 300:
        assert msgspec.json.decode(answer.body)["metadata"]["name"]
