import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import web

from loopback_server import (
    Answer,
    Loopback,
    answer,
    cut,
    end,
    hang,
    in_loop,
    loopback,
    refusal,
    refusing_address,
    stream,
)
from pilotfish.client.api_client import ApiClient
from pilotfish.client.cluster_config import ClusterConfig
from pilotfish.client.errors import ApiError, ClientError, ConnectionFailed, ProtocolError
from pilotfish.client.reflector import (
    Apply,
    Bookmark,
    Delete,
    Event,
    InitApply,
    InitDone,
    Reflector,
)
from pilotfish.client.watch import Timing, list_all, reflect

QUICK = Timing(spacing=0.0, backoff=0.01, backoff_max=0.02)


def page(*names: str, version: int = 10, more: str = "") -> Answer:
    items = [{"metadata": {"name": name}} for name in names]
    metadata = {"resourceVersion": str(version), "continue": more}
    return answer(200, {"metadata": metadata, "items": items})


def line(kind: str, name: str, version: int) -> bytes:
    metadata = {"name": name, "resourceVersion": str(version)}
    return msgspec.json.encode({"type": kind, "object": {"metadata": metadata}}) + b"\n"


EXPIRED = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n'


@dataclass
class Watcher:
    """What a reflection told its owner."""

    server: Loopback
    events: list[str] = field(default_factory=list)
    troubles: list[ClientError] = field(default_factory=list)
    recoveries: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_event(self, event: Event[dict[str, Any]]) -> None:
        """Note an event in short."""
        match event:
            case InitApply(obj) | Apply(obj) | Delete(obj):
                self.events.append(f"{type(event).__name__} {obj['metadata']['name']}")
            case InitDone(version) | Bookmark(version):
                self.events.append(f"{type(event).__name__} {version}")
            case _:
                self.events.append(type(event).__name__)
        self.changed.set()

    def on_trouble(self, error: ClientError) -> None:
        """Note trouble."""
        self.troubles.append(error)
        self.changed.set()

    def on_recovered(self) -> None:
        """Note recovery."""
        self.recoveries += 1
        self.changed.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for something to be true after some news."""
        while not reached():
            self.changed.clear()
            await self.changed.wait()

    async def until_event(self, event: str) -> None:
        """Wait for an event."""
        await self.until(lambda: event in self.events)

    def versions(self) -> list[str | None]:
        """Return what each request asked for: a resourceVersion, or None for a list."""
        return [request.query.get("resourceVersion") for request in self.server.requests]


@asynccontextmanager
async def reflecting(*answers: Answer, timing: Timing = QUICK) -> AsyncIterator[Watcher]:
    """Reflect /api/v1/pods of a server that gives these answers; of none without answers."""
    async with loopback(*answers) as server, AsyncExitStack() as stack:
        if not answers:
            server.url = stack.enter_context(refusing_address())
        watcher = Watcher(server)
        async with ApiClient(ClusterConfig(server=server.url, source="test")) as client:
            reflection = reflect(
                client,
                "/api/v1/pods",
                Reflector(msgspec.json.decode),
                watcher.on_event,
                rng=random.Random(1),
                params={"fieldSelector": "spec.nodeName="},
                on_trouble=watcher.on_trouble,
                on_recovered=watcher.on_recovered,
                timing=timing,
            )
            task = asyncio.create_task(reflection)
            try:
                yield watcher
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@in_loop
async def test_a_list_in_pages_and_then_a_watch() -> None:
    changes = line("ADDED", "c", 11) + line("DELETED", "a", 12)
    async with reflecting(page("a", more="next"), page("b"), stream(changes, then=hang)) as w:
        await w.until_event("Delete a")

    first, second, watch = (dict(request.query) for request in w.server.requests)
    assert w.events == ["Init", "InitApply a", "InitApply b", "InitDone 10", "Apply c", "Delete a"]
    assert first == {"fieldSelector": "spec.nodeName=", "limit": "500"}
    assert second == {**first, "continue": "next"}
    assert 300 <= int(watch.pop("timeoutSeconds")) < 600
    assert watch == {
        "fieldSelector": "spec.nodeName=",
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "10",
    }
    assert w.troubles == []


@in_loop
async def test_a_stream_cut_in_mid_line_resumes_after_the_last_whole_line() -> None:
    half = line("ADDED", "c", 12)[:-9]
    async with reflecting(
        page("a"),
        stream(line("ADDED", "b", 11)[:20], line("ADDED", "b", 11)[20:] + half, then=cut),
        stream(line("ADDED", "c", 12), then=hang),
    ) as w:
        await w.until_event("Apply c")

    assert w.versions() == [None, "10", "11"]
    assert w.events == ["Init", "InitApply a", "InitDone 10", "Apply b", "Apply c"]
    assert w.troubles == [], "a stream that ends is resumed, not an error"


@in_loop
async def test_a_stream_that_ends_resumes_from_its_bookmark() -> None:
    async with reflecting(
        page(),
        stream(line("BOOKMARK", "", 50), then=end),
        stream(line("ADDED", "a", 51), then=hang),
    ) as w:
        await w.until_event("Apply a")

    assert w.versions() == [None, "10", "50"]


@in_loop
async def test_an_expired_watch_lists_anew_at_once() -> None:
    for expired in (refusal(410, "Expired"), stream(EXPIRED, then=end)):
        slow = Timing(backoff=60.0)
        again = (page("b", version=20), stream(then=hang))
        async with reflecting(page("a"), expired, *again, timing=slow) as w:
            await w.until_event("InitDone 20")

        assert w.versions()[:3] == [None, "10", None]
        assert w.troubles == []


@in_loop
async def test_an_expired_continue_token_starts_the_list_over() -> None:
    async with reflecting(
        page("a", more="next"),
        refusal(410, "Expired"),
        page("b", version=20),
        stream(then=hang),
    ) as w:
        await w.until_event("InitDone 20")

    assert w.events == ["Init", "InitApply a", "Init", "InitApply b", "InitDone 20"]
    assert "continue" not in w.server.requests[2].query


@in_loop
async def test_410_without_end_is_paced_and_told() -> None:
    listing = [page("a"), stream(EXPIRED, then=end)] * 4
    async with reflecting(*listing, timing=Timing(backoff=0.02, backoff_max=0.02)) as w:
        started = asyncio.get_running_loop().time()
        await w.until(lambda: len(w.troubles) == 3)

    assert asyncio.get_running_loop().time() - started >= 2 * 0.02, "two pauses"
    assert all(isinstance(error, ApiError) and error.status == 410 for error in w.troubles)
    assert w.recoveries == 2, "each watch that opened after trouble"


@in_loop
async def test_streams_that_end_at_once_are_paced_and_told() -> None:
    timing = Timing(backoff=0.02, backoff_max=0.02)
    async with reflecting(page("a"), stream(then=end), timing=timing) as w:
        started = asyncio.get_running_loop().time()
        await w.until(lambda: len(w.troubles) == 3)
        assert asyncio.get_running_loop().time() - started >= 2 * 0.02
        assert len(w.server.requests) == 4

    assert all(isinstance(error, ProtocolError) for error in w.troubles)
    assert set(w.versions()) == {None, "10"}


@in_loop
async def test_watches_that_end_early_with_news_are_spaced() -> None:
    timing = Timing(spacing=0.05)
    streams = [stream(line("ADDED", f"p{n}", 11 + n), then=end) for n in range(3)]
    async with reflecting(page(), *streams, timing=timing) as w:
        started = asyncio.get_running_loop().time()
        await w.until_event("Apply p2")

    assert asyncio.get_running_loop().time() - started >= 2 * 0.05
    assert w.troubles == []


@in_loop
async def test_a_silent_watch_is_taken_for_dead_and_resumed() -> None:
    answers = {
        None: page(),
        "10": stream(line("ADDED", "a", 11), then=hang),
        "11": stream(line("ADDED", "b", 12), then=hang),
    }

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        return await answers[request.query.get("resourceVersion")](request)

    timing = Timing(idle=0.05, spacing=0.0, backoff=0.01, backoff_max=0.02)
    async with reflecting(respond, timing=timing) as w:
        await w.until_event("Apply b")

    seen = dict.fromkeys(w.versions())  # on a busy machine some watches hear nothing in time
    assert [*seen] == [None, "10", "11"]


@in_loop
async def test_a_missing_permission_is_told_until_it_is_there() -> None:
    no = refusal(403, "Forbidden")
    async with reflecting(no, no, page("a"), stream(line("ADDED", "b", 11), then=hang)) as w:
        await w.until_event("Apply b")

    statuses = [error.status for error in w.troubles if isinstance(error, ApiError)]
    assert statuses == [403, 403]
    assert w.recoveries == 1


@in_loop
async def test_a_server_that_is_down_is_tried_again() -> None:
    async with reflecting() as w:
        await w.until(lambda: len(w.troubles) == 2)

    assert all(isinstance(error, ConnectionFailed) for error in w.troubles)


@in_loop
async def test_a_line_of_garbage_lists_anew() -> None:
    async with reflecting(page("a"), stream(b"<html>\n", then=hang), page("b", version=20)) as w:
        await w.until_event("InitDone 20")

    assert [type(error) for error in w.troubles] == [ProtocolError]


@in_loop
async def test_retry_after_lengthens_the_pause() -> None:
    async with reflecting(refusal(503, Retry_After="3600"), page("a")) as w:
        await w.until(lambda: bool(w.troubles))
        (error,) = w.troubles

    assert isinstance(error, ApiError)
    assert error.retry_after_seconds == 3600
    assert len(w.server.requests) == 1


@in_loop
async def test_the_owner_s_own_error_is_not_taken_for_the_network_s() -> None:
    def defect(_event: Event[Any]) -> None:
        raise OSError("disk full")

    async with loopback(page("a"), stream(line("ADDED", "b", 11), then=hang)) as server:
        reflector = Reflector(msgspec.json.decode)
        async with ApiClient(ClusterConfig(server=server.url, source="test")) as client:
            await list_all(client, "/x", reflector, Watcher(server).on_event)
            with pytest.raises(OSError, match="disk full"):
                await reflect(client, "/x", reflector, defect, rng=random.Random(1))


@in_loop
async def test_polling_lists_all_pages_each_time() -> None:
    reflector = Reflector(msgspec.json.decode)
    async with loopback(page("a", more="next"), page("b"), page("c", version=20)) as server:
        w = Watcher(server)
        async with ApiClient(ClusterConfig(server=server.url, source="test")) as client:
            await list_all(client, "/x", reflector, w.on_event)
            reflector.restart()
            await list_all(client, "/x", reflector, w.on_event)

    assert w.events == [
        *("Init", "InitApply a", "InitApply b", "InitDone 10"),
        *("Init", "InitApply c", "InitDone 20"),
    ]
