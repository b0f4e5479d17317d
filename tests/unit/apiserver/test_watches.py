"""Watches as streams of lines, without a connection."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest

from api_face import Face, config_map
from loopback_server import in_loop
from pilotfish.apiserver import watch_streams
from pilotfish.apiserver.media_types import Form
from pilotfish.apiserver.watch_events import EventLines
from pilotfish.apiserver.watch_requests import WatchEndpoint
from pilotfish.apiserver.watch_streams import BATCH, Watch
from pilotfish.cluster.authentication import ADMIN
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.requests import SYSTEM, ApiRequest, Options
from pilotfish.cluster.resources import TABLE, Resource

MAPS = TABLE.of_kind("v1", "ConfigMap")
assert MAPS is not None
CONFIG_MAPS: Resource = MAPS


class Watcher:
    """A watch of the ConfigMaps of `default`."""

    def __init__(self, face: Face, form: Form = "object", **options: Any) -> None:
        self._store = face.cluster.store
        self.endpoint = WatchEndpoint(face.cluster, lambda: face.now)
        lines = EventLines(CONFIG_MAPS, form, "Metadata", lambda: face.now)
        request = ApiRequest(
            verb="watch",
            resource=CONFIG_MAPS,
            user=ADMIN,
            namespace="default",
            options=Options(**options),
        )
        self.watch: Watch = self.endpoint._begin(request, lines)

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Return what is sent, chunk by chunk."""
        return self.watch.chunks(
            self.endpoint.watchers, CONFIG_MAPS.storage, lambda: self._store.resource_version
        )

    async def events(self, count: int) -> list[Any]:
        """Return the next events."""
        chunks = self.chunks()
        found: list[Any] = []
        async for chunk in chunks:
            found += [msgspec.json.decode(line) for line in chunk.splitlines()]
            if len(found) >= count:
                break
        await chunks.aclose()
        return found


def write(face: Face, verb: Any, name: str, body: Any = None) -> None:
    """Change a ConfigMap."""
    request = ApiRequest(
        verb=verb, resource=CONFIG_MAPS, user=SYSTEM, namespace="default", name=name, body=body
    )
    face.cluster.request(request, face.now)


def labelled(name: str, app: str) -> dict[str, Any]:
    """Make a ConfigMap with a label."""
    return {"metadata": {"name": name, "namespace": "default", "labels": {"app": app}}}


def summary(events: list[Any]) -> list[tuple[str, str]]:
    """Return type and name of events."""
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


@pytest.fixture
def face() -> Face:
    return Face()


@in_loop
async def test_state_comes_first_then_changes(face: Face) -> None:
    write(face, "create", "", config_map("a"))
    watcher = Watcher(face)
    write(face, "create", "", config_map("b"))
    write(face, "update", "b", config_map("b", x="1"))
    write(face, "delete", "a")
    assert summary(await watcher.events(4)) == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("MODIFIED", "b"),
        ("DELETED", "a"),
    ]


@in_loop
async def test_events_say_what_their_objects_are(face: Face) -> None:
    write(face, "create", "", config_map("a", x="1"))
    [event] = await Watcher(face).events(1)
    assert event["object"]["kind"] == "ConfigMap"
    assert (event["object"]["apiVersion"], event["object"]["data"]) == ("v1", {"x": "1"})


@in_loop
async def test_change_of_a_selected_label_adds_and_deletes(face: Face) -> None:
    watcher = Watcher(face, label_selector="app=web")
    write(face, "create", "", labelled("a", "db"))
    write(face, "update", "a", labelled("a", "web"))
    write(face, "update", "a", labelled("a", "db"))
    write(face, "delete", "a")
    events = await watcher.events(2)
    assert summary(events) == [("ADDED", "a"), ("DELETED", "a")]
    gone = events[1]["object"]["metadata"]
    assert gone["labels"] == {"app": "web"}  # as it was when it was last selected
    assert int(gone["resourceVersion"]) > int(events[0]["object"]["metadata"]["resourceVersion"])


@in_loop
async def test_watch_goes_on_behind_a_resource_version(face: Face) -> None:
    write(face, "create", "", config_map("a"))
    seen = str(face.cluster.store.resource_version)
    write(face, "create", "", config_map("b"))
    assert summary(await Watcher(face, resource_version=seen).events(1)) == [("ADDED", "b")]


@in_loop
async def test_versions_yet_to_come_are_waited_for(face: Face) -> None:
    future = str(face.cluster.store.resource_version + 1)
    watcher = Watcher(face, resource_version=future)
    write(face, "create", "", config_map("a"))
    write(face, "create", "", config_map("b"))
    assert summary(await watcher.events(1)) == [("ADDED", "b")]


@in_loop
async def test_initial_events_end_with_a_bookmark(face: Face) -> None:
    write(face, "create", "", config_map("a"))
    watcher = Watcher(
        face,
        send_initial_events=True,
        resource_version_match="NotOlderThan",
        allow_watch_bookmarks=True,
    )
    added, bookmark = await watcher.events(2)
    assert (added["type"], bookmark["type"]) == ("ADDED", "BOOKMARK")
    metadata = bookmark["object"]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert metadata["resourceVersion"] == str(face.cluster.store.resource_version)


@in_loop
async def test_bookmark_passes_over_nothing_that_was_written_while_lines_were_sent(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_streams, "BOOKMARK_SECONDS", 0.0)
    watcher = Watcher(face, resource_version="1", allow_watch_bookmarks=True)
    write(face, "create", "", config_map("a"))
    chunks = watcher.chunks()
    await anext(chunks)
    write(face, "create", "", config_map("b"))
    bookmark, added = [msgspec.json.decode(await anext(chunks)) for _ in range(2)]
    await chunks.aclose()
    assert (bookmark["type"], added["type"]) == ("BOOKMARK", "ADDED")
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in (bookmark, added)]
    assert versions[0] < versions[1]


def test_initial_events_at_a_version_yet_to_come_are_refused(face: Face) -> None:
    with pytest.raises(StatusError) as refused:
        Watcher(face, send_initial_events=True, resource_version="1000000")
    assert (refused.value.code, refused.value.causes[0].reason) == (504, "ResourceVersionTooLarge")


@in_loop
async def test_table_names_its_columns_once(face: Face) -> None:
    write(face, "create", "", config_map("a", x="1"))
    write(face, "create", "", config_map("b"))
    tables = [event["object"] for event in await Watcher(face, "table").events(2)]
    assert [column["name"] for column in tables[0]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert tables[1]["columnDefinitions"] is None
    assert [table["rows"][0]["cells"] for table in tables] == [["a", 1, "0s"], ["b", 0, "0s"]]


@in_loop
async def test_large_state_comes_in_batches(face: Face) -> None:
    for number in range(BATCH + 1):
        write(face, "create", "", config_map(f"m-{number}"))
    watcher = Watcher(face)
    chunks = watcher.chunks()
    sizes = [len((await anext(chunks)).splitlines()) for _ in range(2)]
    await chunks.aclose()
    assert sizes == [BATCH, 1]


@in_loop
async def test_watcher_that_missed_too_much_is_told_to_list_again(face: Face) -> None:
    watcher = Watcher(face)
    log = face.cluster.store.log(CONFIG_MAPS.storage)
    write(face, "create", "", config_map("missed"))
    log.drop(1)
    [event] = await watcher.events(1)
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert event["object"]["reason"] == "Expired"


def test_watch_from_a_forgotten_version_is_expired(face: Face) -> None:
    write(face, "create", "", config_map("a"))
    face.cluster.store.log(CONFIG_MAPS.storage).drop(1)
    with pytest.raises(StatusError) as refused:
        Watcher(face, resource_version="1")
    assert refused.value.code == 410


@in_loop
async def test_watch_ends_after_its_time_with_a_bookmark_before(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_streams, "EARLY_SECONDS", 3600.0)
    watcher = Watcher(face, allow_watch_bookmarks=True)
    watcher.watch._life_seconds = 3600.01
    [bookmark] = await watcher.events(1)
    assert bookmark["type"] == "BOOKMARK"
    watcher.watch._life_seconds = 0.0
    assert await watcher.events(1) == []


@in_loop
async def test_watch_of_less_than_no_time_ends_at_once(face: Face) -> None:
    assert await Watcher(face, timeout_seconds=-1).events(1) == []


@in_loop
async def test_closing_ends_all_watches_and_leaves_no_watcher(face: Face) -> None:
    watchers = [Watcher(face) for _ in range(3)]
    async with asyncio.TaskGroup() as tasks:
        for watcher in watchers:
            tasks.create_task(watcher.events(1))
        await asyncio.sleep(0)
        for watcher in watchers:
            watcher.endpoint.watchers.close()
    assert [len(watcher.endpoint.watchers) for watcher in watchers] == [0, 0, 0]


@in_loop
async def test_same_change_is_written_once_for_all(face: Face) -> None:
    lines = EventLines(CONFIG_MAPS, "object", "Metadata", lambda: face.now)
    write(face, "create", "", config_map("a"))
    [change] = face.cluster.store.log(CONFIG_MAPS.storage).since(1)
    first, second = (lines.changed(change, lambda _: True) for _ in range(2))
    assert first is second
