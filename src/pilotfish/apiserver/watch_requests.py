"""Watches from the request to the stream.

Source: kubernetes v1.36 k8s.io/apiserver/pkg/storage/cacher/cacher.go for what a
resourceVersion means.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Final

from aiohttp import web

from pilotfish.apiserver.media_types import JSON, Accepted
from pilotfish.apiserver.rendering import IncludeObject
from pilotfish.apiserver.watch_events import EventLines, error_line
from pilotfish.apiserver.watch_streams import Watch, Watchers, send
from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.requests import ApiRequest

EXPIRED: Final = 410
_WHOLE_STATE: Final = ("", "0")  # resourceVersions that ask for what is there and what comes


class WatchEndpoint:
    """Takes requests to watch.

    Args:
        cluster: what is watched.
        clock: seconds since the epoch.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._lines: dict[tuple[str, ...], EventLines] = {}
        self.watchers = Watchers(cluster)

    async def serve(
        self,
        request: web.BaseRequest,
        wanted: ApiRequest,
        accepted: Accepted,
        include: IncludeObject,
    ) -> web.StreamResponse:
        """Send what changes until the watch or the connection ends.

        Raises:
            StatusError: the request is refused.
        """
        lines = self._lines_of(wanted, accepted, include)
        try:
            watch = self._begin(wanted, lines)
        except StatusError as error:
            if error.code != EXPIRED:
                raise
            return await send(request, _only(error_line(error)), JSON)
        store = self._cluster.store
        chunks = watch.chunks(
            self.watchers, wanted.resource.storage, lambda: store.resource_version
        )
        return await send(request, chunks, JSON)

    def _begin(self, request: ApiRequest, lines: EventLines) -> Watch:
        options = request.options
        cursor, selects = self._cluster.watch(request)
        wants_state = options.send_initial_events
        if wants_state is None:
            wants_state = options.resource_version in _WHOLE_STATE
        initial = None
        if wants_state:
            initial = self._cluster.store.list(request.resource.storage, request.namespace).items
        return Watch(
            cursor,
            selects,
            lines,
            initial=initial,
            marks_start=bool(options.send_initial_events) and options.allow_watch_bookmarks,
            bookmarks=options.allow_watch_bookmarks,
            life_seconds=self.watchers.life_seconds(options.timeout_seconds),
        )

    def _lines_of(
        self, request: ApiRequest, accepted: Accepted, include: IncludeObject
    ) -> EventLines:
        """Return the lines that all watches of this shape share."""
        resource, form = request.resource, accepted.form
        key = (resource.api_version, resource.plural, form, include if form == "table" else "")
        if (lines := self._lines.get(key)) is None:
            lines = self._lines[key] = EventLines(resource, form, include, self._clock)
        return lines


async def _only(line: bytes) -> AsyncGenerator[bytes, None]:
    yield line
