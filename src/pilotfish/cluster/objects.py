"""Objects in work and at rest, and the bytes in which they travel.

In work an object is a `JsonObject`. At rest it is a `Stored`: its JSON without kind and apiVersion,
which begins with the resourceVersion, and a header for look-ups and selectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from pilotfish.cluster.events.versions import as_seen
from pilotfish.cluster.resources import Resource, SelectableField

JsonObject = dict[str, Any]

_OPENING: Final = b'{"metadata":{'
_VERSION: Final = b'{"metadata":{"resourceVersion":"'
_HELD_ELSEWHERE: Final = frozenset(("kind", "apiVersion", "metadata"))
PIECE_BYTES: Final = 256 * 1024  # of a list: bounds what a long one takes while it is sent
_POOL_SIZE: Final = 16_384  # what is shared before the pool starts anew


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An object at rest.

    Attributes:
        labels: its labels; objects with the same labels share them.
        selectable: the values of its selectable fields, where `ResourceTable.column` says.
        body: JSON without kind and apiVersion.
    """

    namespace: str
    name: str
    uid: str
    resource_version: int
    labels: Mapping[str, str]
    selectable: tuple[str, ...]
    body: bytes

    @property
    def key(self) -> str:
        """Return `namespace/name`, or the name alone of a cluster-scoped object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def decode(self, resource: Resource | None = None) -> JsonObject:
        """Return a fresh object to work on; with a resource it says its kind and apiVersion."""
        body = self.body if resource is None else as_seen(resource, self.body)
        content: JsonObject = msgspec.json.decode(body)
        if resource is None:
            return content
        return {"kind": resource.kind, "apiVersion": resource.api_version, **content}

    def is_being_deleted(self) -> bool:
        """Say whether the object only waits for its end; cheap for those that do not."""
        if b'"deletionTimestamp"' not in self.body:
            return False
        return self.decode()["metadata"].get("deletionTimestamp") is not None

    def content(self) -> bytes:
        """Return the part of the body that a new resourceVersion alone does not change."""
        return self.body[len(_VERSION) + len(str(self.resource_version)) :]

    def at(self, resource_version: int) -> Stored:
        """Return the same object at another resourceVersion."""
        return Stored(
            self.namespace,
            self.name,
            self.uid,
            resource_version,
            self.labels,
            self.selectable,
            b"%b%d%b" % (_VERSION, resource_version, self.content()),
        )


class ObjectEncoder:
    """Puts objects to rest; equal label sets, namespaces and field values are kept once."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._labels: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}

    def encode(
        self,
        obj: JsonObject,
        resource_version: int,
        fields: tuple[SelectableField, ...],
        old: Stored | None = None,
    ) -> Stored:
        """Put an object to rest at a resourceVersion; the object itself stays as it is.

        What names the object is that of `old`, the same one before, so that it is there once.
        """
        metadata = obj["metadata"]
        content = {key: value for key, value in obj.items() if key not in _HELD_ELSEWHERE}
        held = {key: value for key, value in metadata.items() if key != "resourceVersion"}
        encoded = self._encoder.encode({"metadata": held, **content})
        uid = metadata.get("uid") or ""
        return Stored(
            shared(metadata.get("namespace") or ""),
            metadata["name"] if old is None else old.name,
            old.uid if old is not None and old.uid == uid else uid,
            resource_version,
            self._shared_labels(metadata.get("labels") or {}),
            # A list first: a tuple of a generator keeps the room that it grew into.
            tuple([shared(field_value(obj, field)) for field in fields]),
            b'%b%d",%b' % (_VERSION, resource_version, encoded[len(_OPENING) :]),
        )

    def _shared_labels(self, labels: dict[str, str]) -> Mapping[str, str]:
        key = tuple(labels.items())
        if (shared := self._labels.get(key)) is None:
            if len(self._labels) >= _POOL_SIZE:
                self._labels.clear()
            shared = self._labels[key] = dict(key)
        return shared


@lru_cache(_POOL_SIZE)
def shared(text: str) -> str:
    """Return a text, for equal ones the same: what many objects say alike is kept once."""
    return text


def field_value(obj: JsonObject, field: SelectableField) -> str:
    """Return a selectable field's value as selectors write it."""
    for path in field.paths:
        value: Any = obj
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value:
            return "true" if value is True else str(value)
    return field.default


def single_document(resource: Resource, body: bytes) -> bytes:
    """Return the JSON of one object at rest, as answers to get and watches hold it."""
    return b'{"kind":"%b","apiVersion":"%b",%b' % (
        resource.kind.encode(),
        resource.api_version.encode(),
        as_seen(resource, body)[1:],
    )


def list_document(
    resource: Resource,
    bodies: Iterable[bytes],
    resource_version: int,
    *,
    continue_token: str = "",
    remaining: int | None = None,
) -> Iterator[bytes]:
    """Yield the JSON of a list in pieces; each but the last ends with a comma.

    Items carry neither kind nor apiVersion.
    """
    metadata: JsonObject = {"resourceVersion": str(resource_version)}
    if continue_token:
        metadata["continue"] = continue_token
    if remaining:
        metadata["remainingItemCount"] = remaining
    opening = b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[' % (
        resource.list_kind.encode(),
        resource.api_version.encode(),
        msgspec.json.encode(metadata),
    )
    items = (as_seen(resource, body) for body in bodies)
    piece = [opening + next(items, b"")]
    size = len(piece[0])
    for item in items:
        if size >= PIECE_BYTES:
            yield b",".join((*piece, b""))
            piece, size = [], 0
        piece.append(item)
        size += len(item)
    piece[-1] += b"]}"
    yield b",".join(piece)


def watch_event(kind: str, document: bytes) -> bytes:
    """Return one line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), document)


def bookmark(resource: Resource, resource_version: int, *, initial_events_end: bool) -> bytes:
    """Return the line that tells a watcher how far it has seen."""
    metadata: JsonObject = {"resourceVersion": str(resource_version)}
    if initial_events_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    document = msgspec.json.encode(
        {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    )
    return watch_event("BOOKMARK", document)
