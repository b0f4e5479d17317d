import copy
from typing import Any

import pytest

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.schema import Gvk, Schema
from schema_examples import EXAMPLES, manifest, pod

SCHEMA = Schema.load()
POD = Gvk("v1", "Pod")


def refusal(kind: Gvk, body: dict[str, Any], **options: Any) -> str:
    with pytest.raises(StatusError) as refused:
        SCHEMA.check(kind, body, **options)
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")
    return refused.value.message


def test_unknown_fields_are_refused_together_with_their_paths() -> None:
    body = pod(containers=[{"name": "c", "image": "i", "foo": 1}], bar={"x": 1})
    assert refusal(POD, body) == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error:'
        ' unknown field "spec.containers[0].foo", unknown field "spec.bar"'
    )


def test_unknown_fields_are_dropped_with_a_warning_where_that_is_asked_for() -> None:
    found, warnings = SCHEMA.check(POD, pod(bar=1), "Warn")
    assert warnings == ('unknown field "spec.bar"',)
    assert "bar" not in found["spec"]


def test_unknown_fields_are_dropped_in_silence_where_that_is_asked_for() -> None:
    found, warnings = SCHEMA.check(POD, pod(bar=1), "Ignore")
    assert warnings == ()
    assert "bar" not in found["spec"]


def test_duplicates_are_refused_unless_their_field_is_unknown() -> None:
    duplicates = {"metadata.labels.a", "spec.bar"}
    body = pod(bar=1) | {"metadata": {"labels": {"a": "b"}}}
    assert refusal(POD, body, duplicates=duplicates).endswith(
        'strict decoding error: duplicate field "metadata.labels.a", unknown field "spec.bar"'
    )


def test_number_of_strict_errors_in_a_message_is_bounded() -> None:
    body = manifest("v1", "Pod", **{f"field{i}": i for i in range(150)})
    assert refusal(POD, body).count("unknown field") == 100


def test_wrong_type_counts_for_more_than_an_unknown_field() -> None:
    message = refusal(POD, pod(bar=1, hostNetwork=1))
    assert message.endswith(
        "json: cannot unmarshal number into Go struct field PodSpec.spec.hostNetwork of type bool"
    )


@pytest.mark.parametrize("mode", ["Warn", "Ignore"])
def test_wrong_type_is_refused_in_every_mode(mode: str) -> None:
    assert "cannot unmarshal" in refusal(POD, pod(hostNetwork=1), mode=mode)


def test_object_of_another_kind_is_refused() -> None:
    assert refusal(POD, manifest("v1", "Service")) == (
        'Service in version "v1" cannot be handled as a Pod:'
        " converting (v1.Service) to (core.Pod): unknown conversion"
    )


def test_event_of_the_other_group_is_refused_by_its_version() -> None:
    assert refusal(Gvk("v1", "Event"), manifest("events.k8s.io/v1", "Event")) == (
        "the API version in the data (events.k8s.io/v1)"
        " does not match the expected API version (v1)"
    )


def test_names_in_paths_are_quoted() -> None:
    assert refusal(POD, pod() | {'a"b': 1}).endswith(r'unknown field "a\"b"')


@pytest.mark.parametrize("identity", [{"kind": ["Pod"]}, {"apiVersion": {}}, {"apiVersion": 5}])
def test_kind_that_is_no_text_is_refused(identity: dict[str, Any]) -> None:
    assert "couldn't get version/kind" in refusal(POD, pod() | identity)


def test_object_without_kind_and_version_is_taken_for_what_the_path_is_for() -> None:
    found, _ = SCHEMA.check(POD, {"metadata": {"name": "a"}})
    assert found["metadata"] == {"name": "a"}


def test_empty_optional_fields_vanish_and_pointers_to_empty_values_stay() -> None:
    body = pod(
        nodeSelector={},
        tolerations=[],
        hostNetwork=False,
        nodeName="",
        terminationGracePeriodSeconds=0,
        securityContext={},
        priority=None,
    )
    spec = SCHEMA.check(POD, body)[0]["spec"]
    assert spec == {
        "automountServiceAccountToken": False,
        "containers": [{"name": "c", "image": "app", "resources": {}}],
        "terminationGracePeriodSeconds": 0,
        "securityContext": {},
    }


def test_fields_that_are_always_written_appear() -> None:
    event = SCHEMA.check(Gvk("v1", "Event"), {"reason": "R"})[0]
    assert event == {
        "metadata": {},
        "involvedObject": {},
        "reason": "R",
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    }


def test_quantities_and_times_become_canonical() -> None:
    body = pod(containers=[{"name": "c", "resources": {"limits": {"cpu": 2, "memory": "1024Mi"}}}])
    body["metadata"]["creationTimestamp"] = "2026-01-02T03:04:05.6+01:00"
    found = SCHEMA.check(POD, body)[0]
    assert found["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "2", "memory": "1Gi"}}
    assert found["metadata"]["creationTimestamp"] == "2026-01-02T02:04:05Z"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["kind"])
def test_reading_and_defaulting_again_changes_nothing(example: dict[str, Any]) -> None:
    kind = Gvk(example["apiVersion"], example["kind"])
    given = copy.deepcopy(example)
    once = SCHEMA.apply_defaults(kind, SCHEMA.check(kind, example)[0])
    again, _ = SCHEMA.check(kind, copy.deepcopy(once))
    assert again == once
    assert SCHEMA.apply_defaults(kind, again) == once
    assert example == given


def test_kind_without_a_type_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        SCHEMA.of(Gvk("v1", "Foo"))
