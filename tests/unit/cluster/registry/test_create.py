import re

import pytest

from pilotfish.cluster.field_errors import MOST_ERRORS
from pilotfish.cluster.schema.decoding import MAX_DEPTH
from unit.cluster.registry.api import Api, message

CONFIG = {"metadata": {"name": "a"}, "data": {"k": "v"}}
UUID_4 = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_created_object_has_uid_time_namespace_and_a_resource_version(api: Api) -> None:
    created = api.create("configmaps", CONFIG)
    metadata = created["metadata"]
    assert UUID_4.fullmatch(metadata["uid"])
    assert metadata["creationTimestamp"] == "2001-09-09T01:46:40Z"
    assert metadata["namespace"] == "default"
    assert int(metadata["resourceVersion"]) == api.cluster.store.resource_version
    assert (created["kind"], created["apiVersion"]) == ("ConfigMap", "v1")
    assert api.get("configmaps", "a") == created


def test_fields_of_the_system_are_not_taken_from_the_client(api: Api) -> None:
    forged = {
        "name": "a",
        "uid": "mine",
        "creationTimestamp": "2020-01-01T00:00:00Z",
        "generation": 7,
        "deletionTimestamp": "2020-01-01T00:00:00Z",
        "managedFields": [{"manager": "me"}],
    }
    metadata = api.create("configmaps", {"metadata": forged})["metadata"]
    assert metadata["uid"] != "mine"
    assert set(metadata) == {"name", "namespace", "uid", "creationTimestamp", "resourceVersion"}


def test_object_that_is_wrong_everywhere_is_told_its_first_mistakes(api: Api) -> None:
    spec = {"containers": [{"name": f"c{i}"} for i in range(2 * MOST_ERRORS)]}
    refusal = api.create("pods", {"metadata": {"name": "a"}, "spec": spec})
    causes = refusal["details"]["causes"]
    assert len(causes) == MOST_ERRORS
    assert causes[0]["field"] == "spec.containers[0].image"


def test_content_without_a_type_may_not_be_too_deep(api: Api) -> None:
    data: dict[str, object] = {}
    for _ in range(MAX_DEPTH):
        data = {"in": data}
    revision = {"metadata": {"name": "a"}, "revision": 1, "data": data}
    assert message(api.create("controllerrevisions.apps", revision), 400).endswith("max depth")
    revision["data"] = data["in"]
    assert api.create("controllerrevisions.apps", revision)["data"] == data["in"]


def test_same_seed_gives_the_same_names_and_uids() -> None:
    first, second = (
        Api(seed=4).create("configmaps", {"metadata": {"generateName": "x-"}}) for _ in range(2)
    )
    assert first["metadata"] == second["metadata"]


def test_second_object_of_a_name_is_refused(api: Api) -> None:
    api.create("configmaps", CONFIG)
    refusal = api.create("configmaps", CONFIG)
    assert message(refusal, 409) == 'configmaps "a" already exists'
    assert refusal["reason"] == "AlreadyExists"


def test_generated_name_has_five_letters_of_upstreams_alphabet(api: Api) -> None:
    created = api.create("configmaps", {"metadata": {"generateName": "x-"}})
    assert re.fullmatch("x-[bcdfghjklmnpqrstvwxz2456789]{5}", created["metadata"]["name"])


def test_long_prefix_is_cut_so_that_the_generated_name_is_a_label(api: Api) -> None:
    created = api.create("configmaps", {"metadata": {"generateName": "x" * 80}})
    assert len(created["metadata"]["name"]) == 63


def test_taken_name_beside_a_generate_name_says_that_the_server_could_not_help(api: Api) -> None:
    api.create("configmaps", CONFIG)
    refusal = api.create("configmaps", {"metadata": {"name": "a", "generateName": "x-"}})
    assert message(refusal, 409) == (
        'configmaps "a" already exists, the server was not able to generate a unique name for '
        "the object"
    )


def test_dry_run_answers_the_object_and_keeps_nothing(api: Api) -> None:
    before = api.cluster.store.resource_version
    created = api.create("configmaps", CONFIG, dry_run=True)
    assert created["data"] == {"k": "v"}
    assert "resourceVersion" not in created["metadata"]
    assert api.cluster.store.resource_version == before
    api.create("configmaps", CONFIG)
    assert api.create("configmaps", CONFIG, dry_run=True)["code"] == 409


@pytest.mark.parametrize(
    ("metadata", "code", "text"),
    [
        (
            {"name": "a", "resourceVersion": "5"},
            500,
            "resourceVersion should not be set on objects to be created",
        ),
        (
            {"name": "a", "namespace": "other"},
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            {},
            422,
            (
                'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is '
                "required"
            ),
        ),
        (
            {"name": "Bad_Name"},
            422,
            (
                'ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a '
                "lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
                "'-' or '.', and must start and end with an alphanumeric character (e.g. "
                "'example.com', regex used for validation is "
                r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ),
        ),
        (
            {"name": "a", "annotations": {"k": "x" * 300_000}},
            422,
            (
                'ConfigMap "a" is invalid: metadata.annotations: Too long: may not be more than '
                "262144 bytes"
            ),
        ),
        (
            {"name": "a", "finalizers": ["mine"]},
            422,
            (
                'ConfigMap "a" is invalid: metadata.finalizers[0]: Invalid value: "mine": name is '
                "neither a standard finalizer name nor is it fully qualified"
            ),
        ),
        (
            {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "x", "name": "y"}]},
            422,
            (
                'ConfigMap "a" is invalid: metadata.ownerReferences.uid: Invalid value: "": must '
                "not be empty"
            ),
        ),
    ],
)
def test_metadata_is_refused_in_upstreams_words(
    api: Api, metadata: dict[str, object], code: int, text: str
) -> None:
    assert message(api.create("configmaps", {"metadata": metadata}), code) == text


def test_bad_labels_are_told_one_by_one_with_causes(api: Api) -> None:
    refusal = api.create("configmaps", {"metadata": {"name": "a", "labels": {"a b": "c d"}}})
    causes = refusal["details"]["causes"]
    assert [cause["field"] for cause in causes] == ["metadata.labels", "metadata.labels"]
    assert {cause["reason"] for cause in causes} == {"FieldValueInvalid"}
    expected = 'Invalid value: "a b": name part must consist of alphanumeric characters'
    assert causes[0]["message"].startswith(expected)
    assert message(refusal, 422).startswith('ConfigMap "a" is invalid: [metadata.labels: ')


def test_namespace_that_is_not_there_is_not_found(api: Api) -> None:
    refusal = api.create("configmaps", CONFIG, namespace="nope")
    assert message(refusal, 404) == 'namespaces "nope" not found'


def test_namespace_that_is_going_takes_nothing_new(api: Api) -> None:
    api.create("namespaces", {"metadata": {"name": "going", "finalizers": ["a.b/c"]}})
    api.delete("namespaces", "going")
    refusal = api.create("configmaps", {"metadata": {"generateName": "x-"}}, namespace="going")
    assert message(refusal, 403) == (
        'configmaps "x-" is forbidden: unable to create new content in namespace going because it '
        "is being terminated"
    )
    assert refusal["details"]["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": "namespace going is being terminated",
            "field": "metadata.namespace",
        }
    ]


def test_object_of_another_kind_is_refused(api: Api) -> None:
    refusal = api.create("configmaps", {"kind": "Pod", "apiVersion": "v1", **CONFIG})
    assert message(refusal, 400) == (
        'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to '
        "(core.ConfigMap): unknown conversion"
    )


def test_body_that_is_no_object_is_refused(api: Api) -> None:
    assert api.ask("create", "configmaps", body=[])["code"] == 400
    assert api.ask("create", "pods", "p", None, part="binding")["code"] == 400


@pytest.mark.parametrize("mode", ["Strict", "Warn", "Ignore"])
def test_unknown_field_is_refused_or_dropped_as_asked(api: Api, mode: str) -> None:
    answer = api.create("configmaps", CONFIG | {"foo": 1}, field_validation=mode)
    if mode == "Strict":
        assert message(answer, 400) == (
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
            'unknown field "foo"'
        )
    else:
        assert "foo" not in answer
