"""Watches: streams that follow the store, each at its own speed.

*Theory of operation.* A watcher holds a cursor on the store's log, no queue of its own. A change
wakes the watchers of its storage, and each reads what it has missed as its connection takes more.
One that does not read fills its socket's buffer and stays behind; it is cut off after
STALLED_SECONDS, or told 410 once the log's window has passed it. Others notice nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from itertools import islice
from typing import Final

from aiohttp import HttpVersion11, web

from pilotfish.apiserver.watch_events import EventLines, Selects, error_line
from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.objects import Stored
from pilotfish.cluster.store import Change, Cursor

BATCH: Final = 256  # lines in one write: bounds what a watcher holds in memory
STALLED_SECONDS: Final = 30.0  # how long a watcher may leave a write unread
BOOKMARK_SECONDS: Final = 60.0  # upstream's period
EARLY_SECONDS: Final = 2.0  # a bookmark comes so long before the end
MIN_WATCH_SECONDS: Final = 1800.0  # upstream's min-request-timeout; a watch lives up to twice that


class Watchers:
    """Wakes watchers when their storage changes.

    Args:
        cluster: what is watched.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}
        self._rng = random.SystemRandom()
        self.is_closing = False
        cluster.store.on_change.append(self._wake)

    def __len__(self) -> int:
        """Count the watchers."""
        return sum(map(len, self._events.values()))

    def enter(self, storage: str) -> asyncio.Event:
        """Add a watcher; its event is set when its storage changes."""
        event = asyncio.Event()
        self._events.setdefault(storage, set()).add(event)
        return event

    def leave(self, storage: str, event: asyncio.Event) -> None:
        """Take a watcher away."""
        self._events[storage].discard(event)

    def close(self) -> None:
        """End all watches."""
        self.is_closing = True
        for events in self._events.values():
            for event in events:
                event.set()

    def life_seconds(self, asked: int | None) -> float:
        """Return how long a watch lasts; zero leaves it to the server."""
        return float(asked or MIN_WATCH_SECONDS * (1 + self._rng.random()))

    def _wake(self, change: Change) -> None:
        for event in self._events.get(change.storage, ()):
            event.set()


class Watch:
    """One watch as it is asked for.

    Args:
        cursor: the changes to show.
        selects: which objects are shown.
        lines: shows them.
        initial: the objects to show first; None where only changes are wanted.
        marks_start: whether a bookmark says that the initial objects are all shown.
        bookmarks: whether bookmarks are wanted from time to time.
        life_seconds: how long it lasts.
    """

    def __init__(
        self,
        cursor: Cursor,
        selects: Selects,
        lines: EventLines,
        *,
        initial: Iterable[Stored] | None,
        marks_start: bool,
        bookmarks: bool,
        life_seconds: float,
    ) -> None:
        self._cursor = cursor
        self._selects = selects
        self._lines = lines
        self._initial = initial
        self._marks_start = marks_start
        self._bookmarks = bookmarks
        self._life_seconds = life_seconds

    async def chunks(
        self, watchers: Watchers, storage: str, version: Callable[[], int]
    ) -> AsyncGenerator[bytes, None]:
        """Yield lines, several at a time, until the end.

        Args:
            watchers: wakes this watch.
            storage: what it watches.
            version: the store's newest resourceVersion.
        """
        event = watchers.enter(storage)
        loop = asyncio.get_running_loop()
        is_first = True
        end = loop.time() + self._life_seconds
        timer = Alarm(event)
        try:
            for chunk in self._start():
                yield self._lines.with_columns(chunk) if is_first else chunk
                is_first = False
            mark = self._next_mark(end)
            while not watchers.is_closing:
                event.clear()
                seen = version()  # what is written while lines are sent comes in the next round
                for chunk in self._read():
                    yield self._lines.with_columns(chunk) if is_first else chunk
                    is_first = False
                now = loop.time()
                if now >= end:
                    return
                if now >= mark:
                    yield self._lines.bookmark(seen)
                    mark = self._next_mark(end)
                timer.set(min(mark, end))
                await event.wait()
        except StatusError as error:
            yield error_line(error)
        finally:
            timer.cancel()
            watchers.leave(storage, event)

    def _start(self) -> Iterable[bytes]:
        if self._initial is None:
            return
        lines = self._lines.added(filter(self._selects, self._initial))
        while batch := list(islice(lines, BATCH)):
            yield b"".join(batch)
        if self._marks_start:
            yield self._lines.bookmark(self._cursor.resource_version, initial_events_end=True)
        self._initial = None

    def _read(self) -> Iterable[bytes]:
        """Read what is new.

        Raises:
            StatusError: Expired: too much was missed.
        """
        changes = self._cursor.next()
        for start in range(0, len(changes), BATCH):
            batch = changes[start : start + BATCH]
            if chunk := b"".join([self._lines.changed(c, self._selects) for c in batch]):
                yield chunk

    def _next_mark(self, end: float) -> float:
        if not self._bookmarks:
            return float("inf")
        now = asyncio.get_running_loop().time()
        regular, early = now + BOOKMARK_SECONDS, end - EARLY_SECONDS
        return early if now < early < regular else regular


class Alarm:
    """Sets an event at a time, which may be moved."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event
        self._at = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at: float) -> None:
        """Set the time, on the loop's clock."""
        if self._handle is not None and self._at == at:
            return
        self.cancel()
        self._at = at
        self._handle = asyncio.get_running_loop().call_at(at, self._ring)

    def cancel(self) -> None:
        """Stay silent."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._event.set()


async def send(
    request: web.BaseRequest, chunks: AsyncGenerator[bytes, None], media_type: str
) -> web.StreamResponse:
    """Send chunks as they come, and cut the connection of who does not read them.

    It is cut, too, where chunks fail: half an answer must not look like a whole one.
    """
    headers = {"Cache-Control": "no-cache, private", "Content-Type": media_type}
    response = web.StreamResponse(headers=headers)
    if request.version >= HttpVersion11:  # for older ones the end is that of the connection
        response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                async with asyncio.timeout(STALLED_SECONDS):
                    await response.write(chunk)
        await response.write_eof()
    except TimeoutError:
        _cut(request)
    except Exception:
        _cut(request)
        raise
    return response


def _cut(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()
