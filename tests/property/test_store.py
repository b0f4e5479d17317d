"""The cluster's store against a model that keeps every past state: watches, lists and pages."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.objects import Stored
from pilotfish.cluster.store import Change, Cursor, Store

WINDOW = 8
SLACK = WINDOW + WINDOW // 4  # so many changes may be kept before the oldest go
STORAGE = "pods"
NAMESPACES = st.sampled_from(["a", "a-b", "b"])  # the key "a-b/x" sorts before "a/x"
NAMES = st.sampled_from(["v", "w", "w-1", "x", "y"])
VALUES = st.integers(0, 2)
CHOICES = st.integers(0, 9)

Key = tuple[str, str]
State = dict[Key, int]


@dataclass
class Watcher:
    """Somebody who listed, watches from there and replays what comes."""

    cursor: Cursor
    seen: State
    started: int
    versions: list[int] = field(default_factory=list)

    def replay(self, change: Change) -> None:
        """Apply a change, which must fit what was seen."""
        key = (change.new.namespace, change.new.name)
        if change.type == "ADDED":
            assert change.old is None
            assert key not in self.seen
        else:
            assert change.old is not None
            assert value_of(change.old) == self.seen.pop(key)
        if change.type != "DELETED":
            self.seen[key] = value_of(change.new)
        self.versions.append(change.resource_version)


@dataclass
class Reader:
    """Somebody in the middle of a list in pages."""

    namespace: str
    limit: int
    token: str
    resource_version: int
    read: list[Stored]


class StoreAgainstModel(RuleBasedStateMachine):
    """Random histories of one storage, beside another that shares its sequence of versions."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(window=WINDOW)
        self.states: dict[int, State] = {self.store.resource_version: {}}  # by resourceVersion
        self.told: list[int] = []
        self.store.on_change.append(lambda change: self.told.append(change.resource_version))
        self.watchers: list[Watcher] = []
        self.readers: list[Reader] = []

    @property
    def now(self) -> State:
        """What the storage holds."""
        return self.states[self.store.resource_version]

    @rule(namespace=NAMESPACES, name=NAMES, value=VALUES)
    def put(self, namespace: str, name: str, value: int) -> None:
        """Write, and know from the model whether that changes anything."""
        before, state = self.store.resource_version, dict(self.now)
        obj = {"metadata": {"namespace": namespace, "name": name}, "spec": {"value": value}}
        stored = self.store.put(STORAGE, obj)
        unchanged = state.get((namespace, name)) == value
        state[namespace, name] = value
        assert value_of(stored) == value
        assert self.store.resource_version == (before if unchanged else before + 1)
        self.states[self.store.resource_version] = state

    @precondition(lambda self: self.now)
    @rule(choice=CHOICES)
    def remove(self, choice: int) -> None:
        """Take out one of what is there."""
        state = dict(self.now)
        key = sorted(state)[choice % len(state)]
        gone = self.store.remove(STORAGE, *key)
        assert value_of(gone) == state.pop(key)
        assert gone.resource_version == self.store.resource_version
        self.states[self.store.resource_version] = state

    @rule()
    def write_elsewhere(self) -> None:
        """Move the sequence of versions on by a write to another storage."""
        state = self.now
        version = str(self.store.resource_version)
        self.store.put("nodes", {"metadata": {"name": "n", "annotations": {"seen": version}}})
        self.states[self.store.resource_version] = state

    @rule()
    def begin_to_watch(self) -> None:
        """List, and watch from the version of the list."""
        snapshot = self.store.list(STORAGE)
        cursor = self.store.subscribe(STORAGE, snapshot.resource_version)
        seen = {(item.namespace, item.name): value_of(item) for item in snapshot.items}
        self.watchers.append(Watcher(cursor, seen, snapshot.resource_version))

    @precondition(lambda self: self.watchers)
    @rule(choice=CHOICES)
    def read_watch(self, choice: int) -> None:
        """Replay what came: it gives the storage as it is, unless the window passed it."""
        watcher = self.watchers[choice % len(self.watchers)]
        if watcher.cursor.is_expired:
            assert watcher.cursor.pending > WINDOW
            with pytest.raises(StatusError, match="too old resource version"):
                watcher.cursor.next()
            self.watchers.remove(watcher)
            return
        assert watcher.cursor.pending <= SLACK
        for change in watcher.cursor.next():
            watcher.replay(change)
        assert watcher.seen == self.now
        assert watcher.versions == self.versions_after(watcher.started)
        assert watcher.cursor.next() == []

    @rule(namespace=st.sampled_from(["", "a", "b"]), limit=st.integers(1, 2))
    def begin_pages(self, namespace: str, limit: int) -> None:
        """Read the first page of a list."""
        self.readers.append(Reader(namespace, limit, "", self.store.resource_version, []))
        self.read_page(-1)

    @precondition(lambda self: self.readers)
    @rule(choice=CHOICES)
    def read_page(self, choice: int) -> None:
        """Read the next page: all show the storage as the first found it."""
        reader = self.readers[choice % len(self.readers)]
        if reader.resource_version < self.store.log(STORAGE).floor:
            assert len(self.versions_after(reader.resource_version)) > WINDOW
            with pytest.raises(StatusError, match="continue parameter is too old"):
                self.store.page(STORAGE, reader.namespace, reader.limit, reader.token)
            self.readers.remove(reader)
            return
        page = self.store.page(STORAGE, reader.namespace, reader.limit, reader.token)
        expected = self.expected(reader.resource_version, reader.namespace)
        reader.read.extend(page.items)
        reader.token = page.continue_token
        values = [(item.namespace, item.name, value_of(item)) for item in reader.read]
        assert page.resource_version == reader.resource_version
        assert values == expected[: len(values)]
        assert (page.remaining or 0) == len(expected) - len(values)
        if not page.continue_token:
            assert values == expected
            self.readers.remove(reader)

    @rule(namespace=st.sampled_from(["", "a", "a-b"]), choice=st.integers(0, 6))
    def list_the_past(self, namespace: str, choice: int) -> None:
        """List at an earlier version."""
        at = max(self.store.resource_version - choice, 1)
        if at < self.store.log(STORAGE).floor:
            with pytest.raises(StatusError, match="the provided list is too old"):
                self.store.page(STORAGE, namespace, at=at)
            return
        page = self.store.page(STORAGE, namespace, at=at)
        values = [(item.namespace, item.name, value_of(item)) for item in page.items]
        assert values == self.expected(at, namespace)

    @invariant()
    def list_shows_the_model(self) -> None:
        """A list has everything, in the order of keys."""
        snapshot = self.store.list(STORAGE)
        values = [(item.namespace, item.name, value_of(item)) for item in snapshot.items]
        assert values == self.expected(self.store.resource_version, "")
        assert snapshot.resource_version == self.store.resource_version
        for item in snapshot.items:
            assert self.store.get(STORAGE, item.namespace, item.name) is item

    @invariant()
    def every_write_is_told_once_and_in_order(self) -> None:
        """Versions grow by one with each write."""
        assert self.told == list(range(2, self.store.resource_version + 1))

    @invariant()
    def changes_are_complete_or_refused(self) -> None:
        """From any version on, all changes are there or none is given."""
        oldest = self.store.log(STORAGE).floor
        for since in self.states:
            if since < oldest:
                with pytest.raises(StatusError, match=rf"version: {since} \({oldest}\)"):
                    self.store.log(STORAGE).since(since)
            else:
                changes = self.store.log(STORAGE).since(since)
                assert [c.resource_version for c in changes] == self.versions_after(since)

    def versions_after(self, since: int) -> list[int]:
        """Return the versions of the storage's own changes."""
        return [v for v in range(since + 1, len(self.states) + 1) if self.differs(v)]

    def differs(self, version: int) -> bool:
        """Say whether this version's write was to the storage."""
        return self.states[version] != self.states[version - 1]

    def expected(self, version: int, namespace: str) -> list[tuple[str, str, int]]:
        """Return what a list of that version shows."""
        items = sorted(self.states[version].items(), key=lambda item: "/".join(item[0]))
        return [(*key, value) for key, value in items if namespace in ("", key[0])]


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=80, stateful_step_count=60)


def value_of(stored: Stored) -> int:
    """Return what was put, having checked that body and header agree."""
    obj = stored.decode()
    assert obj["metadata"] == {
        "resourceVersion": str(stored.resource_version),
        "namespace": stored.namespace,
        "name": stored.name,
    }
    value: int = obj["spec"]["value"]
    return value
