"""Objects in chunks stay in the order of their names, however many come and go."""

from __future__ import annotations

from random import Random

from pilotfish.cluster.objects import ObjectEncoder
from pilotfish.cluster.shelf import Shelf

NAMES = [f"pod-{number:05d}" for number in range(3_000)]


def shelf_of(names: list[str]) -> Shelf:
    shelf, encoder = Shelf(), ObjectEncoder()
    for name in names:
        shelf.put(encoder.encode({"metadata": {"name": name}}, 1, ()))
    return shelf


def test_thousands_of_names_in_any_order_are_listed_in_order() -> None:
    names = list(NAMES)
    Random(4).shuffle(names)
    assert [item.name for item in shelf_of(names)] == NAMES


def test_what_is_left_after_removals_is_listed_found_and_counted() -> None:
    rng = Random(4)
    shelf = shelf_of(NAMES)
    gone = set(rng.sample(NAMES, 2_000))
    for name in sorted(gone, key=lambda _: rng.random()):
        shelf.remove(name)
    left = [name for name in NAMES if name not in gone]
    assert [item.name for item in shelf] == left
    assert sorted(shelf.objects) == left
    for start in ("", *rng.sample(NAMES, 50), "zzz"):
        after = [name for name in left if name > start]
        assert [item.name for item in shelf.after(start)] == after
        assert shelf.count_after(start) == len(after)


def test_an_object_replaces_the_one_of_its_name() -> None:
    shelf, encoder = shelf_of(NAMES), ObjectEncoder()
    for name in NAMES:
        shelf.put(encoder.encode({"metadata": {"name": name}}, 2, ()))
    assert [(item.name, item.resource_version) for item in shelf] == [(name, 2) for name in NAMES]
    assert shelf.count_after("") == len(shelf.objects) == len(NAMES)


def test_an_emptied_shelf_can_be_filled_again() -> None:
    shelf = shelf_of(NAMES[:2])
    for name in NAMES[:2]:
        shelf.remove(name)
    assert list(shelf) == []
    assert shelf.count_after("") == 0
    assert list(shelf.after("")) == []
    shelf.put(ObjectEncoder().encode({"metadata": {"name": "a"}}, 3, ()))
    assert [item.name for item in shelf] == ["a"]
