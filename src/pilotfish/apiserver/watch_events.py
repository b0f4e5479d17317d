"""Changes as the lines of a watch; each is written once for all watchers that want it alike.

Source: kubernetes v1.36 k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go, convertToWatchEvent,
and pkg/endpoints/handlers/watch.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from pilotfish.apiserver.media_types import Form
from pilotfish.apiserver.rendering import (
    NO_COLUMNS,
    IncludeObject,
    columns_of,
    list_metadata,
    metadata_only,
    row,
    table,
)
from pilotfish.cluster import objects
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.objects import Stored, single_document, watch_event
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.store import Change

Selects = Callable[[Stored], bool]
REMEMBERED: Final = 4096  # lines, beyond which all are forgotten
REMEMBERED_BYTES: Final = 16 * 2**20  # likewise


class EventLines:
    """Writes the lines of one resource in one form.

    Args:
        resource: what is watched.
        form: how objects are shown.
        include: with tables, how much of each object goes with its row.
        clock: seconds since the epoch, for ages in tables.
    """

    def __init__(
        self, resource: Resource, form: Form, include: IncludeObject, clock: Callable[[], float]
    ) -> None:
        self._resource = resource
        self._form = form
        self._include: IncludeObject = include
        self._clock = clock
        self._lines: dict[tuple[str, int], bytes] = {}
        self._bytes = 0

    def added(self, items: Iterable[Stored]) -> Iterator[bytes]:
        """Show objects that are there already."""
        for stored in items:
            yield self._write("ADDED", stored)

    def changed(self, change: Change, selects: Selects) -> bytes:
        """Show a change as someone sees it who looks at a selection; nothing where not at all."""
        new, old = change.new, change.old
        is_selected = change.type != "DELETED" and selects(new)
        was_selected = old is not None and selects(old)
        if is_selected:
            return self._line("MODIFIED" if was_selected else "ADDED", new)
        if was_selected and old is not None:
            gone = new if change.type == "DELETED" else old.at(change.resource_version)
            return self._line("DELETED", gone)
        return b""

    def bookmark(self, resource_version: int, *, initial_events_end: bool = False) -> bytes:
        """Tell how far the watcher has seen."""
        if self._form == "object":
            return objects.bookmark(
                self._resource, resource_version, initial_events_end=initial_events_end
            )
        metadata: dict[str, object] = {"resourceVersion": str(resource_version)}
        if initial_events_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        body = msgspec.json.encode({"metadata": metadata})
        if self._form == "metadata":
            return watch_event("BOOKMARK", metadata_only(body))
        partial = msgspec.json.encode({"cells": [], "object": msgspec.Raw(metadata_only(body))})
        content = table(list_metadata(str(resource_version)), NO_COLUMNS, [partial])
        return watch_event("BOOKMARK", content)

    def with_columns(self, line: bytes) -> bytes:
        """Put the columns into the first line of a watch; only tables have some."""
        if self._form != "table":
            return line
        return line.replace(NO_COLUMNS, columns_of(self._resource.kind), 1)

    def _line(self, kind: str, stored: Stored) -> bytes:
        key = (kind, stored.resource_version)
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= REMEMBERED or self._bytes > REMEMBERED_BYTES:
                self._lines.clear()
                self._bytes = 0
            line = self._lines[key] = self._write(kind, stored)
            self._bytes += len(line)
        return line

    def _write(self, kind: str, stored: Stored) -> bytes:
        match self._form:
            case "object":
                content = single_document(self._resource, stored.body)
            case "metadata":
                content = metadata_only(stored.body)
            case "table":
                shown = row(self._resource, stored.body, self._include, self._clock())
                metadata = list_metadata(str(stored.resource_version))
                content = table(metadata, NO_COLUMNS, [shown])
        return watch_event(kind, content)


def error_line(error: StatusError) -> bytes:
    """Tell a watcher why nothing more comes."""
    return watch_event("ERROR", msgspec.json.encode(error.status()))
