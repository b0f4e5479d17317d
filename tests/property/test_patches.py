"""Patches against models that are too simple to be wrong."""

import contextlib
import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patch_strategies import (
    DEPLOYMENT,
    DEPLOYMENT_PATCHES,
    NAMES,
    documents,
    maps,
    named,
    orders,
)
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.patches import (
    MalformedPatchError,
    apply_patch,
    json_patch,
    merge_patch,
    strategic_merge_patch,
)
from pilotfish.cluster.requests import STRATEGIC_MERGE_PATCH
from pilotfish.cluster.schema import Gvk, Schema

Json = dict[str, Any]

SCHEMA = Schema.load()
DEPLOYMENT_KIND = Gvk("apps/v1", "Deployment")
POD = SCHEMA.of(Gvk("v1", "Pod"))


def rfc_7386(target: Any, patch: Any) -> Any:
    """Merge as the algorithm in the RFC reads."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = rfc_7386(target.get(name), value)
    return target


def merge_difference(old: Json, new: Json) -> Json:
    """Find the merge patch that leads from one object to another."""
    patch: Json = {name: None for name in old if name not in new}
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(name), dict):
            patch[name] = merge_difference(old[name], value)
        elif name not in old or old[name] != value or type(old[name]) is not type(value):
            patch[name] = value
    return patch


def json_difference(old: Json, new: Json, path: str = "") -> list[Json]:
    """Find a JSON patch that leads from one object to another and tests where it has been."""
    steps = [{"op": "remove", "path": f"{path}/{name}"} for name in old if name not in new]
    for name, value in new.items():
        here = f"{path}/{name}"
        if isinstance(value, dict) and isinstance(old.get(name), dict):
            steps += json_difference(old[name], value, here)
        else:
            op = "replace" if name in old else "add"
            steps.append({"op": op, "path": here, "value": value})
            steps.append({"op": "test", "path": here, "value": value})
    return steps


@given(documents(), documents(nulls=True, lists=False))
def test_merge_patch_is_the_algorithm_of_the_rfc(obj: Json, patch: Json) -> None:
    before = copy.deepcopy((obj, patch))
    assert merge_patch(obj, patch) == rfc_7386(obj, patch)
    assert (obj, patch) == before


@given(documents(), documents())
def test_merge_patch_leads_from_any_object_to_any_other(old: Json, new: Json) -> None:
    assert merge_patch(old, merge_difference(old, new)) == new


@given(documents(), documents(nulls=True))
def test_merge_patch_applied_twice_is_applied_once(obj: Json, patch: Json) -> None:
    once = merge_patch(obj, patch)
    assert merge_patch(once, patch) == once


@given(documents(nulls=True), documents(nulls=True))
def test_json_patch_leads_from_any_object_to_any_other(old: Json, new: Json) -> None:
    before = copy.deepcopy((old, new))
    assert json_patch(old, json_difference(old, new)) == new
    assert (old, new) == before


@given(st.lists(st.integers(0, 9), max_size=5), st.data())
def test_json_patch_moves_items_of_lists_as_python_does(
    items: list[int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(items)))
    added = json_patch({"l": items}, [{"op": "add", "path": f"/l/{place}", "value": "new"}])["l"]
    assert added == [*items[:place], "new", *items[place:]]
    target = data.draw(st.integers(0, len(items)))
    step = {"op": "move", "from": f"/l/{place}", "path": f"/l/{target}"}
    moved = json_patch({"l": added}, [step])["l"]
    assert moved == [*items[:target], "new", *items[target:]]


@given(maps(), maps())
def test_strategic_merge_patch_without_lists_is_a_merge_patch(labels: Json, patch: Json) -> None:
    obj = {"metadata": {"labels": {name: value for name, value in labels.items() if value}}}
    change = {"metadata": {"labels": patch}}
    assert strategic_merge_patch(obj, change, POD) == rfc_7386(obj, change)


@given(named({"image": NAMES}, deletes=False), named({"image": NAMES}))
def test_strategic_merge_patch_of_a_list_merges_by_name(
    live: list[Json], patch: list[Json]
) -> None:
    obj, change = {"spec": {"containers": live}}, {"spec": {"containers": patch}}
    merged = strategic_merge_patch(obj, change, POD)["spec"]["containers"]
    expected = {item["name"]: item for item in live}
    for item in patch:
        if "$patch" in item:
            expected.pop(item["name"], None)
        else:
            expected[item["name"]] = {**expected.get(item["name"], {}), **item}
    assert {item["name"]: item for item in merged} == expected
    assert len(merged) == len(expected)
    assert ranks(merged, patch) == sorted(ranks(merged, patch))
    untouched = [item for item in live if not any(c["name"] == item["name"] for c in patch)]
    assert ranks(merged, untouched) == sorted(ranks(merged, untouched))


@given(named({"image": NAMES}, deletes=False).filter(bool), orders())
def test_strategic_merge_patch_puts_a_list_in_order(live: list[Json], order: list[Json]) -> None:
    patch = {"spec": {"$setElementOrder/containers": order}}
    merged = strategic_merge_patch({"spec": {"containers": live}}, patch, POD)
    found = merged["spec"]["containers"]
    assert ranks(found, order) == sorted(ranks(found, order))
    others = [item for item in live if not any(same["name"] == item["name"] for same in order)]
    assert ranks(found, others) == sorted(ranks(found, others))
    assert sorted(map(str, found)) == sorted(map(str, live))


def ranks(items: list[Json], order: list[Json]) -> list[int]:
    """Return the places in an order of those items that it names."""
    names = [item["name"] for item in order if "$patch" not in item]
    return [names.index(item["name"]) for item in items if item["name"] in names]


@given(DEPLOYMENT_PATCHES)
def test_any_strategic_merge_patch_is_applied_or_refused_with_a_status(patch: Json) -> None:
    before = copy.deepcopy((DEPLOYMENT, patch))
    code, found = 200, DEPLOYMENT
    try:
        found, _ = apply_patch(SCHEMA, DEPLOYMENT_KIND, STRATEGIC_MERGE_PATCH, DEPLOYMENT, patch)
    except StatusError as error:
        code = error.code
    assert code in (200, 400, 422)
    assert code != 200 or SCHEMA.check(DEPLOYMENT_KIND, found)[0] == found
    assert (DEPLOYMENT, patch) == before


@given(documents(nulls=True), documents(nulls=True))
def test_no_document_as_object_and_patch_does_worse_than_malformed(obj: Json, patch: Json) -> None:
    with contextlib.suppress(MalformedPatchError):
        strategic_merge_patch({"spec": obj}, {"spec": patch}, POD)
