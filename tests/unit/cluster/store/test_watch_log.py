"""Cursors and the bounded window of a watch log."""

from __future__ import annotations

import pytest

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.store import Store
from pilotfish.cluster.store.watch_log import WatchLog

WINDOW = 8


def store_with(nodes: int) -> Store:
    """Make a store whose versions 2, 3, ... each added a node."""
    store = Store(window=WINDOW)
    for number in range(nodes):
        store.put("nodes", {"metadata": {"name": f"n{number}"}})
    return store


def test_a_cursor_gives_each_change_once_and_remembers_how_far_it_has_seen() -> None:
    store = store_with(2)
    cursor = store.subscribe("nodes", 2)
    assert [change.resource_version for change in cursor.next()] == [3]
    assert cursor.next() == []
    store.remove("nodes", "", "n0")
    assert cursor.pending == 1
    assert [change.type for change in cursor.next()] == ["DELETED"]
    assert (cursor.pending, cursor.resource_version) == (0, 4)


def test_a_cursor_does_not_see_other_storages() -> None:
    store = store_with(1)
    cursor = store.subscribe("nodes", store.resource_version)
    store.put("pods", {"metadata": {"name": "p", "namespace": "default"}})
    assert cursor.next() == []


def test_a_change_carries_the_object_before_it() -> None:
    store = store_with(1)
    cursor = store.subscribe("nodes", store.resource_version)
    store.put("nodes", {"metadata": {"name": "n0", "labels": {"zone": "a"}}})
    (change,) = cursor.next()
    assert change.old is not None
    assert (change.old.labels, change.new.labels) == ({}, {"zone": "a"})


def test_a_cursor_that_stops_reading_is_expired_and_costs_the_log_nothing() -> None:
    store = store_with(0)
    slow = store.subscribe("nodes", 1)
    quick = store.subscribe("nodes", 1)
    for number in range(50):
        store.put("nodes", {"metadata": {"name": f"n{number}"}})
        assert len(quick.next()) == 1
        assert len(store.log("nodes").since(store.log("nodes").floor)) <= WINDOW + 2
    assert slow.is_expired
    assert not quick.is_expired
    oldest = store.log("nodes").floor
    with pytest.raises(StatusError, match=rf"^too old resource version: 1 \({oldest}\)$") as gone:
        slow.next()
    assert (gone.value.code, gone.value.reason) == (410, "Expired")


def test_a_cursor_within_the_window_loses_nothing() -> None:
    store = store_with(0)
    cursor = store.subscribe("nodes", 1)
    for number in range(WINDOW):
        store.put("nodes", {"metadata": {"name": f"n{number}"}})
    assert not cursor.is_expired
    assert [change.resource_version for change in cursor.next()] == list(range(2, 2 + WINDOW))


def test_a_version_older_than_the_window_cannot_be_watched_from() -> None:
    store = store_with(30)
    oldest = store.log("nodes").floor
    assert len(store.subscribe("nodes", oldest).next()) == store.resource_version - oldest
    with pytest.raises(StatusError, match="too old resource version"):
        store.subscribe("nodes", oldest - 1)
    assert store.subscribe("pods", 1).next() == []


def test_a_watch_from_a_version_yet_to_come_begins_behind_it() -> None:
    store = store_with(1)
    cursor = store.subscribe("nodes", 3)
    store.put("nodes", {"metadata": {"name": "early"}})
    assert cursor.next() == []
    store.put("nodes", {"metadata": {"name": "later"}})
    assert [change.new.name for change in cursor.next()] == ["later"]


def test_large_objects_are_forgotten_sooner() -> None:
    store = store_with(8)
    changes = store.log("nodes").since(1)
    size = len(changes[0].new.body)
    log = WatchLog(window=1000, floor=1, window_bytes=4 * size)
    for change in changes:
        log.append(change)
        kept = log.since(log.floor)
        assert change in kept
        assert sum(len(one.new.body) for one in kept) <= 4 * size
    assert log.floor > 1
