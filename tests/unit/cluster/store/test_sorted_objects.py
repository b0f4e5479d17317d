"""Objects in chunks stay in the order of their names, however many come and go."""

from __future__ import annotations

from random import Random

from pilotfish.cluster.objects import ObjectEncoder
from pilotfish.cluster.store.sorted_objects import SortedObjects

NAMES = [f"pod-{number:05d}" for number in range(3_000)]


def objects_of(names: list[str]) -> SortedObjects:
    objects, encoder = SortedObjects(), ObjectEncoder()
    for name in names:
        objects.put(encoder.encode({"metadata": {"name": name}}, 1, ()))
    return objects


def test_thousands_of_names_in_any_order_are_listed_in_order() -> None:
    names = list(NAMES)
    Random(4).shuffle(names)
    assert [item.name for item in objects_of(names)] == NAMES


def test_what_is_left_after_removals_is_listed_found_and_counted() -> None:
    rng = Random(4)
    objects = objects_of(NAMES)
    gone = set(rng.sample(NAMES, 2_000))
    for name in sorted(gone, key=lambda _: rng.random()):
        objects.remove(name)
    left = [name for name in NAMES if name not in gone]
    assert [item.name for item in objects] == left
    assert sorted(objects.by_name) == left
    for start in ("", *rng.sample(NAMES, 50), "zzz"):
        after = [name for name in left if name > start]
        assert [item.name for item in objects.after(start)] == after
        assert objects.count_after(start) == len(after)


def test_an_object_replaces_the_one_of_its_name() -> None:
    objects, encoder = objects_of(NAMES), ObjectEncoder()
    for name in NAMES:
        objects.put(encoder.encode({"metadata": {"name": name}}, 2, ()))
    assert [(item.name, item.resource_version) for item in objects] == [(name, 2) for name in NAMES]
    assert objects.count_after("") == len(objects.by_name) == len(NAMES)


def test_an_emptied_namespace_can_be_filled_again() -> None:
    objects = objects_of(NAMES[:2])
    for name in NAMES[:2]:
        objects.remove(name)
    assert list(objects) == []
    assert objects.count_after("") == 0
    assert list(objects.after("")) == []
    objects.put(ObjectEncoder().encode({"metadata": {"name": "a"}}, 3, ()))
    assert [item.name for item in objects] == ["a"]
