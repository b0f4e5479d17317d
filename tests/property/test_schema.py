"""Objects of every kind, well and badly typed, read and defaulted."""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patch_strategies import documents
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.schema import Field, Gvk, Schema, TypeInfo

Json = dict[str, Any]

SCHEMA = Schema.load()
KINDS = st.sampled_from([Gvk(*name.split()) for name in SCHEMA.table.kinds])
TIMES = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+01:00"]
LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(["", "a", "ClientIP", "ClusterIP", "LoadBalancer", "RollingUpdate"]),
    "integer": st.sampled_from([0, 1, -1, 80]),
    "boolean": st.booleans(),
    "number": st.sampled_from([0, 0.5]),
    "bytes": st.sampled_from(["", "AA=="]),
    "quantity": st.sampled_from(["0", "1000m", "1Gi", "1u", 1, 0.5]),
    "int-or-string": st.sampled_from([0, 1, "", "25%"]),
    "time": st.sampled_from(TIMES),
    "micro-time": st.sampled_from([time[:19] + ".123456Z" for time in TIMES]),
    "any": st.just({"a": 1}),
}


def values(draw: Callable[..., Any], field: Field) -> Any:
    """Draw a value of a field's type; now and then null."""
    if draw(st.integers(0, 9)) == 0:
        return None
    if field.info is not None:
        return objects(draw, field.info)
    if field.items is None:
        return draw(LEAVES[field.type])
    if field.type == "list":
        return [values(draw, field.items) for _ in range(draw(st.integers(0, 2)))]
    keys = draw(st.lists(st.sampled_from(["cpu", "memory", "a"]), max_size=2, unique=True))
    return {key: values(draw, field.items) for key in keys}


def objects(draw: Callable[..., Any], info: TypeInfo) -> Json:
    """Draw an object of a type, with few of its fields."""
    names = draw(st.lists(st.sampled_from(sorted(info.fields)), max_size=4)) if info.fields else []
    return {name: values(draw, info.fields[name]) for name in names}


@st.composite
def well_typed(draw: Callable[..., Any]) -> tuple[Gvk, Json]:
    """Draw a kind and an object of it."""
    kind = draw(KINDS)
    body = objects(draw, SCHEMA.of(kind))
    return kind, body | {"apiVersion": kind.api_version, "kind": kind.kind}


@given(well_typed())
def test_well_typed_object_is_read_and_defaulted_once_and_for_all(case: tuple[Gvk, Json]) -> None:
    kind, body = case
    given_body = copy.deepcopy(body)
    found, warnings = SCHEMA.check(kind, body)
    SCHEMA.apply_defaults(kind, found)
    once = copy.deepcopy(found)
    again, _ = SCHEMA.check(kind, found)
    assert SCHEMA.apply_defaults(kind, again) == once
    assert warnings == ()
    assert body == given_body


@given(KINDS, documents(nulls=True), st.sampled_from(["metadata", "spec", "status", "kind"]))
def test_any_document_is_read_or_refused_as_a_bad_request(
    kind: Gvk, body: Json, place: str
) -> None:
    code = 200
    try:
        SCHEMA.check(kind, {**body, place: body})
    except StatusError as error:
        code = error.code
    assert code in (200, 400)


@given(well_typed(), st.data())
def test_one_wrong_value_in_a_well_typed_object_is_refused(
    case: tuple[Gvk, Json], data: st.DataObject
) -> None:
    kind, body = case
    wrong = data.draw(st.sampled_from([[[]], {"a": []}, True]))
    metadata = {"metadata": {"name": wrong}}
    refused = False
    try:
        SCHEMA.check(kind, body | (metadata if "metadata" in body else {"apiVersion": wrong}))
    except StatusError as error:
        refused = error.code == 400
    assert refused
