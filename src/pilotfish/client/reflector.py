"""Keeps a copy of one kind of object: lists, then watches, for ever; without any I/O.

Theory of operation
-------------------
The owner asks `next_request()` what to send, feeds the answer in, and applies what comes out:

    ListRequest  -> `page(body)`   for a 200, `failed(status)` for a refusal
    WatchRequest -> `line(line)`   for each line of the stream, `failed(status)` for a refusal

    state     | input                      | events                      | next state
    ----------|----------------------------|-----------------------------|-----------
    EMPTY     | a page with more to come   | Init, InitApply...          | LISTING
    EMPTY     | the only page              | Init, InitApply..., InitDone| WATCHING
    LISTING   | a page with more to come   | InitApply...                | LISTING
    LISTING   | the last page              | InitApply..., InitDone      | WATCHING
    LISTING   | refused                    | -                           | EMPTY if 400, 404, 410
    WATCHING  | ADDED, MODIFIED            | Apply                       | WATCHING
    WATCHING  | DELETED                    | Delete                      | WATCHING
    WATCHING  | BOOKMARK                   | Bookmark                    | WATCHING
    WATCHING  | an event older than known  | -                           | WATCHING
    WATCHING  | ERROR event, or refused    | -                           | EMPTY if 400, 404, 410
    WATCHING  | a line that is no event    | -                           | EMPTY
    any       | a cut, an end, no answer   | -                           | the same

A list replaces everything: what came since the last Init is the truth at InitDone, and whatever the
owner knows beyond it is gone. Init also revokes an earlier Init that never reached its InitDone.
Events repeat after a resumed watch and are safe to apply twice.

An object that cannot be decoded becomes `Malformed`, with as much of its identity as can be read;
the others of its page or stream are not affected.

Lists are consistent reads (no resourceVersion), in pages of 500. A list "as of any time"
(resourceVersion=0) would spare the server little, since it answers consistent reads from its cache
too (v1.31), and could take a scheduler back to a moment before its own binds. Pages whose continue
token expired (410) start the list anew rather than going on with an inconsistent one.

resourceVersions come from the server only: the first page's, then each event's. They are compared
as the integers that Kubernetes v1.35 says they are, to drop events older than the last one; one
that is no integer is passed on unchanged.

Source: kube-rs watcher (states and events); client-go v0.36 tools/cache/reflector.go (recovery).
"""

import enum
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from pilotfish.client.errors import ProtocolError, api_error

PAGE_LIMIT = 500  # upstream's pager.PageSize

T = TypeVar("T")


class State(enum.Enum):
    """What the reflector is about to do."""

    EMPTY = "empty"
    LISTING = "listing"
    WATCHING = "watching"


class ListRequest(msgspec.Struct, frozen=True):
    """List a page: the first one when `continue_token` is empty."""

    continue_token: str
    limit: int

    def params(self) -> dict[str, str]:
        """Return the query parameters."""
        params = {"limit": str(self.limit)}
        if self.continue_token:
            params["continue"] = self.continue_token
        return params


class WatchRequest(msgspec.Struct, frozen=True):
    """Watch what happened since `resource_version`."""

    resource_version: str

    def params(self) -> dict[str, str]:
        """Return the query parameters, without a time-out."""
        return {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.resource_version,
        }


class Init(msgspec.Struct, frozen=True):
    """A list begins; what an unfinished one delivered is void."""


class InitApply(msgspec.Struct, Generic[T], frozen=True):
    """An object of the list."""

    object: T


class InitDone(msgspec.Struct, frozen=True):
    """The list is complete: objects that were not in it are gone."""

    resource_version: str


class Apply(msgspec.Struct, Generic[T], frozen=True):
    """An object was added or changed."""

    object: T


class Delete(msgspec.Struct, Generic[T], frozen=True):
    """An object was deleted; this is its last state."""

    object: T


class Bookmark(msgspec.Struct, frozen=True):
    """Nothing happened up to this resourceVersion that was not told."""

    resource_version: str


class Malformed(msgspec.Struct, frozen=True):
    """An object could not be decoded; fields of its identity that could not be read are empty.

    Attributes:
        error: what the decode function raised.
        deleted: True when the server says that the object is gone.
    """

    error: Exception
    namespace: str
    name: str
    uid: str
    deleted: bool = False


Event = Init | InitApply[T] | InitDone | Apply[T] | Delete[T] | Bookmark | Malformed
Request = ListRequest | WatchRequest


class _ObjectMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""


class _Object(msgspec.Struct, frozen=True, gc=False):
    metadata: _ObjectMeta = _ObjectMeta()


class _WatchEvent(msgspec.Struct, frozen=True, gc=False):
    type: str
    object: msgspec.Raw


class _ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_token: str | None = msgspec.field(default="", name="continue")


class _ListHead(msgspec.Struct, frozen=True):
    metadata: _ListMeta


class _ListItems(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw] | None = None


_decode_head = msgspec.json.Decoder(_ListHead).decode
_decode_items = msgspec.json.Decoder(_ListItems).decode
_decode_event = msgspec.json.Decoder(_WatchEvent).decode
_decode_object = msgspec.json.Decoder(_Object).decode

# How the lines of kube-apiserver begin: knowing it saves reading each line three times.
_CHANGES: dict[bytes, type[Apply[Any] | Delete[Any]]] = {
    b'{"type":"MODIFIED","object":': Apply,
    b'{"type":"ADDED","object":': Apply,
    b'{"type":"DELETED","object":': Delete,
}

_RELIST = frozenset({400, 404, 410})  # what was asked for will never be served: list anew


class Reflector(Generic[T]):
    """The state machine; see the module's theory of operation.

    Args:
        decode: makes an object from its JSON.
        decode_page: makes all objects from the JSON of a whole list, which is faster; when it
            fails, the page is decoded item by item. None always goes item by item.
        version_of: reads an object's resourceVersion; without it the JSON is read a second time.
        malformed: what the functions raise, besides ValueErrors, for an object at fault.
        page_limit: objects a page.
    """

    def __init__(
        self,
        decode: Callable[[bytes | msgspec.Raw], T],
        *,
        decode_page: Callable[[bytes], Sequence[T]] | None = None,
        version_of: Callable[[T], str] | None = None,
        malformed: type[Exception] = ValueError,
        page_limit: int = PAGE_LIMIT,
    ) -> None:
        self._decode = decode
        self._decode_page = decode_page
        self._version_of = version_of
        self._at_fault = (malformed, ValueError)  # msgspec's, and broken UTF-8
        self._page_limit = page_limit
        self._continue = ""
        self._version = ""
        self.state = State.EMPTY

    @property
    def resource_version(self) -> str:
        """The resourceVersion up to which everything is known; empty before the first page."""
        return self._version

    def next_request(self) -> Request:
        """Return what to ask the server now."""
        if self.state is State.WATCHING:
            return WatchRequest(self._version)
        return ListRequest(self._continue, self._page_limit)

    def page(self, body: bytes) -> list[Event[T]]:
        """Take a page of the list.

        Raises:
            ProtocolError: the body is no list.
        """
        try:
            meta = _decode_head(body).metadata
            events = self._items(body)
        except ValueError as error:
            raise ProtocolError(f"the answer to a list request is no list: {error}") from error
        if not meta.resource_version or self.state is State.WATCHING:
            raise ProtocolError(f"no list page with a resourceVersion was expected: {self.state}")
        if self.state is State.EMPTY:
            # The first page's: what happened while later pages were read is watched.
            self._version = meta.resource_version
            events.insert(0, Init())
        self._continue = meta.continue_token or ""
        self.state = State.LISTING if self._continue else State.WATCHING
        if self.state is State.WATCHING:
            events.append(InitDone(self._version))
        return events

    def _items(self, body: bytes) -> list[Event[T]]:
        if self._decode_page is not None:
            try:
                return [InitApply(item) for item in self._decode_page(body)]
            except self._at_fault:
                pass  # one item is at fault: find out which
        return [self._item(raw) for raw in _decode_items(body).items or () if bytes(raw) != b"null"]

    def _item(self, raw: msgspec.Raw) -> Event[T]:
        try:
            return InitApply(self._decode(raw))
        except self._at_fault as error:
            return _malformed(raw, error)

    def line(self, line: bytes) -> Event[T] | None:
        """Take a line of the watch stream; None when it says nothing new.

        Raises:
            ApiError: an ERROR event; the stream is over.
            ProtocolError: the line is no watch event.
        """
        if self._version_of is not None:
            for prefix, kind in _CHANGES.items():
                if line.startswith(prefix):
                    try:
                        changed = self._decode(line[len(prefix) : -1])
                    except self._at_fault:
                        break  # the other way tells a malformed object from a malformed line
                    return kind(changed) if self._is_news(self._version_of(changed)) else None
        return self._any_line(line)

    def _any_line(self, line: bytes) -> Event[T] | None:
        """Take a line of any type and form."""
        try:
            event = _decode_event(line)
            if event.type == "ERROR":
                refusal = api_error(0, bytes(event.object), request="watch")
                self.failed(refusal.status)
                raise refusal
            version = _decode_object(event.object).metadata.resource_version
        except ValueError as error:
            if line == b"null":
                return None
            # Whatever this was, the next watch would only repeat it: the list tells the truth.
            self.restart()
            raise ProtocolError(f"a line of the watch is no watch event: {error}") from error
        if not self._is_news(version):
            return None
        if event.type == "BOOKMARK":
            return Bookmark(self._version)
        return self._change(event)

    def _is_news(self, version: str) -> bool:
        """Move on to the version of an event, unless it is from before what is known."""
        if _is_older(version, self._version):
            return False
        self._version = version or self._version
        return True

    def _change(self, event: _WatchEvent) -> Event[T] | None:
        try:
            match event.type:
                case "ADDED" | "MODIFIED":
                    return Apply(self._decode(event.object))
                case "DELETED":
                    return Delete(self._decode(event.object))
        except self._at_fault as error:
            return _malformed(event.object, error, deleted=event.type == "DELETED")
        return None  # a type that a later Kubernetes adds

    def failed(self, status: int) -> None:
        """Take a refusal of the last request."""
        if status in _RELIST:
            self.restart()

    def restart(self) -> None:
        """List anew next, whatever the state."""
        self.state = State.EMPTY
        self._continue = ""

    def check_invariants(self) -> None:
        """Raise AssertionError when the state contradicts itself."""
        legal = {
            State.EMPTY: not self._continue,
            State.LISTING: bool(self._continue and self._version),
            State.WATCHING: bool(self._version) and not self._continue,
        }
        if not legal[self.state]:
            raise AssertionError(
                f"{self.state} with continue={self._continue!r} from {self._version!r}"
            )


def _is_older(version: str, known: str) -> bool:
    """Tell whether `version` is surely before `known`.

    Equal ones are not: keys of one etcd lease expire together at one resourceVersion.
    """
    if not (version.isdecimal() and known.isdecimal()):
        return False
    return (len(version), version) < (len(known), known)


def _malformed(raw: msgspec.Raw, error: Exception, *, deleted: bool = False) -> Malformed:
    try:
        meta = _decode_object(raw).metadata
    except ValueError:
        meta = _ObjectMeta()
    return Malformed(error, meta.namespace, meta.name, meta.uid, deleted)
