"""Logs of containers, as they are or as they come.

Source: kubernetes v1.36 pkg/registry/core/pod/rest/log.go and
pkg/apis/core/validation/validation.go, ValidatePodLogOptions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Final

import msgspec
from aiohttp import web

from pilotfish.apiserver.media_types import TEXT
from pilotfish.apiserver.parameters import Query
from pilotfish.apiserver.replies import text_reply
from pilotfish.apiserver.routing import Route
from pilotfish.apiserver.watch_streams import Alarm, send
from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import GroupKind, bad_request, invalid
from pilotfish.cluster.field_errors import field_forbidden, field_invalid
from pilotfish.cluster.kubelet.logs import LogLine, LogOptions, LogReader
from pilotfish.cluster.timestamps import seconds_of

NO_CONTENT: Final = 204
LOOK_SECONDS: Final = 1.0  # how often a follower looks whether its container has ended


class _Wanted(msgspec.Struct, frozen=True):
    """What a request asks for beside which lines."""

    follow: bool
    timestamps: bool
    limit_bytes: int | None


class LogEndpoint:
    """Takes requests for logs.

    Args:
        cluster: whose pods write them.
        clock: seconds since the epoch.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._followers: set[asyncio.Event] = set()
        self._is_closing = False

    def wake(self) -> None:
        """Let followers look at what a process wrote."""
        for event in self._followers:
            event.set()

    def close(self) -> None:
        """End all logs that are followed."""
        self._is_closing = True
        self.wake()

    async def serve(
        self, request: web.BaseRequest, route: Route, query: Query
    ) -> web.StreamResponse:
        """Answer with a container's log.

        Raises:
            StatusError: the request is refused.
        """
        now = self._clock()
        options, wanted = _read(query, route.name, now)
        logs = self._cluster.kubelets.logs
        if not logs.has_node(route.namespace, route.name, options):
            return web.Response(status=NO_CONTENT)
        reader = logs.reader(route.namespace, route.name, options, now)
        if not wanted.follow:
            return text_reply(200, _cut(_text(reader.take(now), wanted), wanted.limit_bytes))
        return await send(request, self._follow(reader, wanted), TEXT)

    async def _follow(self, reader: LogReader, wanted: _Wanted) -> AsyncGenerator[bytes, None]:
        event = asyncio.Event()
        self._followers.add(event)
        timer = Alarm(event)
        left = wanted.limit_bytes
        try:
            while not self._is_closing:
                event.clear()
                is_over = reader.is_over()  # asked first: what it wrote last is not missed
                now = self._clock()
                chunk = _cut(_text(reader.take(now), wanted), left)
                if left is not None:
                    left -= len(chunk)
                if chunk:
                    yield chunk
                if is_over or left == 0:
                    return
                upcoming = reader.next_time(now)
                wait = LOOK_SECONDS if upcoming is None else min(LOOK_SECONDS, upcoming - now)
                timer.set(asyncio.get_running_loop().time() + max(0.0, wait))
                await event.wait()
        finally:
            timer.cancel()
            self._followers.discard(event)


def _text(lines: Iterable[LogLine], wanted: _Wanted) -> bytes:
    return b"".join([line.render(timestamps=wanted.timestamps) for line in lines])


def _cut(text: bytes, limit: int | None) -> bytes:
    return text if limit is None else text[:limit]


def _read(query: Query, pod: str, now: float) -> tuple[LogOptions, _Wanted]:
    """Read the parameters of a request for a log.

    Raises:
        StatusError: 400 or 422.
    """
    tail, limit = query.integer("tailLines"), query.integer("limitBytes")
    seconds, time = query.integer("sinceSeconds"), query.text("sinceTime")
    problems = []
    if tail is not None and tail < 0:
        problems.append(field_invalid("tailLines", tail, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        problems.append(field_invalid("limitBytes", limit, "must be greater than 0"))
    if seconds is not None and time:
        words = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        problems.append(field_forbidden("", words))
    elif seconds is not None and seconds < 1:
        problems.append(field_invalid("sinceSeconds", seconds, "must be greater than 0"))
    if problems:
        raise invalid(GroupKind("", "PodLogOptions"), pod, problems)
    since = None if seconds is None else now - seconds
    if time:
        try:
            since = seconds_of(time)
        except ValueError:
            raise bad_request(f'parsing time "{time}": it is no RFC 3339 time') from None
    options = LogOptions(
        container=query.text("container"),
        previous=query.flag("previous"),
        since=since,
        tail_lines=tail,
    )
    return options, _Wanted(query.flag("follow"), query.flag("timestamps"), limit)
