"""Objects at rest and the JSON in which they travel."""

from __future__ import annotations

import json

import pytest

from pilotfish.cluster.objects import (
    PIECE_BYTES,
    JsonObject,
    ObjectEncoder,
    bookmark,
    field_value,
    list_document,
    single_document,
    watch_event,
)
from pilotfish.cluster.resources import RESOURCES, field

(PODS,) = (each for each in RESOURCES if each.storage == "pods")
NEXT = "t"
POD: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "a",
        "namespace": "b",
        "uid": "u",
        "annotations": {"resourceVersion": "1"},
    },
    "spec": {"containers": [{"name": "é"}]},
}


def test_an_object_comes_back_as_it_went_in() -> None:
    stored = ObjectEncoder().encode(POD, 7, ())
    assert (stored.key, stored.uid, stored.resource_version) == ("b/a", "u", 7)
    back = stored.decode(PODS)
    assert back.pop("metadata") == {**POD["metadata"], "resourceVersion": "7"}
    assert back == {key: value for key, value in POD.items() if key != "metadata"}


def test_another_resource_version_changes_nothing_else() -> None:
    stored = ObjectEncoder().encode(POD, 9, ())
    later = stored.at(1_000)
    assert later.decode()["metadata"].pop("resourceVersion") == "1000"
    assert (later.resource_version, later.content()) == (1_000, stored.content())
    assert later.at(9) == stored


def test_a_cluster_scoped_object_has_its_name_as_key() -> None:
    assert ObjectEncoder().encode({"metadata": {"name": "n"}}, 1, ()).key == "n"


@pytest.mark.parametrize(
    ("value", "text"),
    [("n1", "n1"), (True, "true"), (False, "no"), (None, "no"), (3, "3"), (0, "no"), ("", "no")],
)
def test_a_selectable_value_is_written_as_selectors_write_it(value: object, text: str) -> None:
    assert field_value({"spec": {"x": value}}, field("spec.x", default="no")) == text


def test_a_selectable_value_on_a_broken_path_is_the_default() -> None:
    assert field_value({"spec": ["x"]}, field("spec.x.y", default="no")) == "no"


def test_a_single_object_says_its_kind_and_an_item_of_a_list_does_not() -> None:
    encoder = ObjectEncoder()
    bodies = [encoder.encode({"metadata": {"name": n}}, 5, ()).body for n in "abc"]
    first = json.loads(single_document(PODS, bodies[0]))
    assert first == {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "5", "name": "a"},
    }
    listed = json.loads(b"".join(list_document(PODS, bodies, 8, continue_token=NEXT, remaining=2)))
    assert (listed["kind"], listed["apiVersion"]) == ("PodList", "v1")
    assert listed["metadata"] == {
        "resourceVersion": "8",
        "continue": NEXT,
        "remainingItemCount": 2,
    }
    assert [list(item) for item in listed["items"]] == [["metadata"]] * 3


@pytest.mark.parametrize("count", [0, 1])
def test_short_lists_are_json_too(count: int) -> None:
    bodies = [ObjectEncoder().encode(POD, 5, ()).body] * count
    listed = json.loads(b"".join(list_document(PODS, bodies, 8)))
    assert listed["metadata"] == {"resourceVersion": "8"}
    assert len(listed["items"]) == count


def test_a_watch_tells_one_event_a_line() -> None:
    line = watch_event("ADDED", single_document(PODS, ObjectEncoder().encode(POD, 5, ()).body))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    told = json.loads(line)
    assert (told["type"], told["object"]["kind"]) == ("ADDED", "Pod")


def test_a_bookmark_says_how_far_and_whether_the_beginning_is_complete() -> None:
    told = json.loads(bookmark(PODS, 610, initial_events_end=True))
    assert told == {
        "type": "BOOKMARK",
        "object": {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {
                "resourceVersion": "610",
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
        },
    }
    later = json.loads(bookmark(PODS, 611, initial_events_end=False))
    assert later["object"]["metadata"] == {"resourceVersion": "611"}


def test_label_sets_are_shared_and_the_pool_stays_bounded() -> None:
    encoder = ObjectEncoder()

    def labels(number: int) -> object:
        obj = {"metadata": {"name": "a", "labels": {"number": str(number)}}}
        return encoder.encode(obj, 1, ()).labels

    first = labels(0)
    assert labels(0) is first
    for number in range(20_000):
        labels(number)
    assert labels(0) == first
    assert labels(0) is not first


def test_what_names_an_object_is_there_once_though_it_is_written_again() -> None:
    encoder = ObjectEncoder()
    before, after = (json.loads(json.dumps(POD)) for _ in range(2))
    old = encoder.encode(before, 1, ())
    new = encoder.encode(after, 2, (), old)
    assert new == ObjectEncoder().encode(POD, 2, ())
    assert (new.name is old.name, new.uid is old.uid) == (True, True)
    assert new.namespace is old.namespace


def test_pieces_of_a_list_are_bounded_by_bytes_and_end_with_a_comma_but_the_last() -> None:
    body = ObjectEncoder().encode({**POD, "data": "x" * 10_000}, 5, ()).body
    pieces = list(list_document(PODS, [body] * 100, 8))
    assert len(json.loads(b"".join(pieces))["items"]) == 100
    assert all(PIECE_BYTES <= len(piece) < PIECE_BYTES + 2 * len(body) for piece in pieces[:-1])
    assert [piece.endswith(b",") for piece in pieces] == [True] * (len(pieces) - 1) + [False]


def test_values_of_selectable_fields_are_shared() -> None:
    encoder, where = ObjectEncoder(), (field("spec.x"),)
    text = '{"metadata": {"name": "a"}, "spec": {"x": "two words"}}'
    a, b = (encoder.encode(json.loads(text), 1, where).selectable[0] for _ in range(2))
    assert a is b
