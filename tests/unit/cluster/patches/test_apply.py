from typing import Any

import pytest

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.patches import apply_patch
from pilotfish.cluster.requests import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from pilotfish.cluster.schema import Gvk, Schema

SCHEMA = Schema.load()
POD = Gvk("v1", "Pod")
LIVE = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}}


def refusal(patch_type: str, patch: Any, **options: Any) -> StatusError:
    with pytest.raises(StatusError) as refused:
        apply_patch(SCHEMA, POD, patch_type, LIVE, patch, **options)
    return refused.value


@pytest.mark.parametrize(
    ("patch_type", "patch"),
    [
        (JSON_PATCH, [{"op": "add", "path": "/spec/nodeName", "value": "n"}]),
        (MERGE_PATCH, {"spec": {"nodeName": "n"}}),
        (STRATEGIC_MERGE_PATCH, {"spec": {"nodeName": "n"}}),
    ],
)
def test_patch_comes_out_in_wire_form(patch_type: str, patch: Any) -> None:
    found, warnings = apply_patch(SCHEMA, POD, patch_type, LIVE, patch)
    assert found["spec"] == {"nodeName": "n", "containers": None}
    assert warnings == ()


def test_unknown_field_is_a_cause_at_the_patch() -> None:
    refused = refusal(STRATEGIC_MERGE_PATCH, {"spec": {"foo": [1, None, True]}})
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.message == (
        ' "" is invalid: patch: Invalid value: "map[spec:map[foo:[1 <nil> true]]]":'
        ' strict decoding error: unknown field "spec.foo"'
    )
    assert [cause.field for cause in refused.causes] == ["patch"]


def test_unknown_field_is_a_warning_where_that_is_asked_for() -> None:
    found, warnings = apply_patch(SCHEMA, POD, MERGE_PATCH, LIVE, {"spec": {"foo": 1}}, "Warn")
    assert warnings == ('unknown field "spec.foo"',)
    assert "foo" not in found["spec"]


def test_duplicate_in_the_patchs_text_is_refused() -> None:
    patch = {"metadata": {"labels": {"a": "b"}}}
    refused = refusal(MERGE_PATCH, patch, duplicates=["metadata.labels.a"])
    assert refused.message.endswith('strict decoding error: duplicate field "metadata.labels.a"')


def test_json_patch_that_does_not_fit_is_refused_without_reasons() -> None:
    refused = refusal(JSON_PATCH, [{"op": "remove", "path": "/spec/foo"}])
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.message == "the server rejected our request due to an error in our request"
    assert refused.status()["details"] == {}


def test_json_patch_of_too_many_operations_is_refused() -> None:
    assert refusal(JSON_PATCH, [{"op": "test", "path": "/x"}] * 10_001).code == 413


@pytest.mark.parametrize("patch_type", [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH])
@pytest.mark.parametrize("patch", ["x", 5, 1.5, True])
def test_patch_of_the_wrong_shape_is_a_bad_request(patch_type: str, patch: Any) -> None:
    refused = refusal(patch_type, patch)
    assert (refused.code, refused.reason) == (400, "BadRequest")
    assert "json: cannot unmarshal" in refused.message


def test_null_is_an_empty_strategic_merge_patch() -> None:
    found, _ = apply_patch(SCHEMA, POD, STRATEGIC_MERGE_PATCH, LIVE, None)
    assert found["metadata"] == {"name": "a"}
