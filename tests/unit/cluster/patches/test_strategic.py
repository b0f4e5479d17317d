from collections.abc import Iterable
from typing import Any

import pytest

from pilotfish.cluster.patches import MalformedPatchError, strategic_merge_patch
from pilotfish.cluster.schema import Gvk, Schema

POD = Schema.load().of(Gvk("v1", "Pod"))


def containers(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "image": "old"} for name in names]


def patched(live: Any, field: str = "containers", **patch: Any) -> Any:
    obj = {"spec": {field: live}}
    changes = {
        name.replace("order", f"$setElementOrder/{field}"): value for name, value in patch.items()
    }
    return strategic_merge_patch(obj, {"spec": changes}, POD)["spec"].get(field)


def names(elements: list[dict[str, Any]]) -> str:
    return "".join(element["name"] for element in elements)


def order(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_element_with_a_known_key_is_merged() -> None:
    assert patched(containers("a", "b"), containers=[{"name": "b", "tty": True}]) == [
        {"name": "a", "image": "old"},
        {"name": "b", "image": "old", "tty": True},
    ]


def test_new_elements_come_first_where_the_patch_has_no_order() -> None:
    assert names(patched(containers("a", "b"), containers=order("cb"))) == "cab"
    assert names(patched(containers("a", "b"), containers=order("c"))) == "cab"


def test_order_of_the_patch_wins_and_others_keep_their_place() -> None:
    live = containers("a", "b", "c", "d")
    assert names(patched(live, order=order("db"))) == "acdb"
    assert names(patched(live, containers=order("e"), order=order("dea"))) == "bcdea"


def test_long_lists_take_no_longer_than_they_are_long() -> None:
    """Comparing each with each, this took minutes: nobody else is served meanwhile."""
    names = [f"c{number}" for number in range(10_000)]
    live = containers(*names)
    ordered = order(reversed(names))
    changed = patched(live, containers=containers(*reversed(names)), order=ordered)
    assert [element["name"] for element in changed] == names[::-1]
    assert patched(live, containers=[{**each, "$patch": "delete"} for each in ordered]) == []


def test_marked_element_is_deleted() -> None:
    gone = [{"name": "a", "$patch": "delete"}]
    assert names(patched(containers("a", "b"), containers=gone)) == "b"


def test_marked_list_is_replaced() -> None:
    changes = [{"$patch": "replace"}, *order("x")]
    assert patched(containers("a", "b"), containers=changes) == [{"name": "x"}]


def test_atomic_list_is_replaced() -> None:
    live = [{"key": "a"}, {"key": "b"}]
    assert patched(live, "tolerations", tolerations=[{"key": "c"}]) == [{"key": "c"}]


def test_primitive_lists_are_merged_without_duplicates_and_deleted_from() -> None:
    obj = {"metadata": {"finalizers": ["a", "b"]}}
    merged = strategic_merge_patch(obj, {"metadata": {"finalizers": ["c", "b"]}}, POD)
    assert sorted(merged["metadata"]["finalizers"]) == ["a", "b", "c"]
    gone = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "x"]}}
    assert strategic_merge_patch(obj, gone, POD) == {"metadata": {"finalizers": ["b"]}}


def test_retained_keys_drop_the_others() -> None:
    live = [{"name": "v", "emptyDir": {}}]
    change = {"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}
    assert patched(live, "volumes", volumes=[change]) == [{"name": "v", "configMap": {"name": "c"}}]


def test_null_deletes_a_field_and_is_never_stored() -> None:
    obj = {"spec": {"nodeName": "n", "hostNetwork": True}}
    patch = {"spec": {"nodeName": None, "affinity": None, "dnsConfig": {"searches": None}}}
    assert strategic_merge_patch(obj, patch, POD) == {
        "spec": {"hostNetwork": True, "dnsConfig": {}}
    }


def test_object_is_replaced_or_emptied_by_directive() -> None:
    obj = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    for directive, left in (("replace", {"c": "3"}), ("delete", {})):
        patch = {"metadata": {"labels": {"$patch": directive, "c": "3"}}}
        assert strategic_merge_patch(obj, patch, POD) == {"metadata": {"labels": left}}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            {"containers": [{"image": "x"}]},
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            {"containers": [{"name": "a", "$patch": "fly"}]},
            "unknown patch type: fly in map: map[$patch:fly name:a]",
        ),
        (
            {"containers": [{"name": "a", "$patch": "merge"}]},
            "merging lists cannot yet be specified in the patch",
        ),
        (
            {"containers": ["a"]},
            "list element types are not identical: [[map[image:old name:a]] [a]]",
        ),
        (
            {"$setElementOrder/foo": []},
            'unable to find api field in struct PodSpec for the json field "foo"',
        ),
        ({"$setElementOrder/nodeName": []}, "expected slice or array type, but got: string"),
        ({"$setElementOrder": []}, "invalid patch format of setElementOrder list"),
        ({"$setElementOrder/volumes": [], "volumes": []}, "no elements in any of the given slices"),
        ({"$deleteFromPrimitiveList": []}, "invalid patch format of primitive list"),
        ({"$retainKeys": ["a"], "b": 1}, "invalid patch format of retainKeys"),
        ({"$retainKeys": "a"}, "invalid patch format of retainKeys"),
        (
            {"$setElementOrder/containers": {}},
            "expected a []interface {}, but received a map[string]interface {}",
        ),
    ],
)
def test_malformed_patch_is_refused_in_upstreams_words(spec: dict[str, Any], reason: str) -> None:
    obj = {"spec": {"containers": containers("a")}}
    with pytest.raises(MalformedPatchError) as refused:
        strategic_merge_patch(obj, {"spec": spec}, POD)
    assert str(refused.value) == reason


def test_elements_must_be_in_the_order_that_the_patch_asks_for() -> None:
    with pytest.raises(MalformedPatchError, match="The order in patch list"):
        patched(containers("a"), containers=order("ba"), order=order("ab"))
