"""Whatever happens on the way, the consumer's store ends up equal to the server's."""

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.client.errors import ApiError, ProtocolError
from pilotfish.client.lines import LineSplitter
from pilotfish.client.reflector import (
    Apply,
    Delete,
    Event,
    Init,
    InitApply,
    InitDone,
    ListRequest,
    Malformed,
    Reflector,
    WatchRequest,
)

NAMES = st.sampled_from("abcde")
MUTATIONS = st.lists(st.tuples(NAMES, st.integers(0, 3)), max_size=4)  # 0 deletes
NOISE = st.sampled_from(["bookmark", "stale", "again", "null", "blank", "malformed", "garbage"])

Json = dict[str, Any]


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """What the store needs to know."""

    name: str
    resource_version: str


class Thing(msgspec.Struct, frozen=True):
    """An object."""

    metadata: Meta
    size: int


def decode(data: bytes | msgspec.Raw) -> Thing:
    return msgspec.json.decode(data, type=Thing)


@dataclass
class Server:
    """A collection with versions, a log that can be compacted, and snapshots for paging."""

    version: int = 1
    objects: dict[str, Json] = field(default_factory=dict)
    log: list[Json] = field(default_factory=list)
    compacted: int = 0
    snapshots: dict[int, list[Json]] = field(default_factory=dict)

    def mutate(self, name: str, size: int) -> None:
        """Set an object's size; 0 deletes it."""
        known = self.objects.get(name)
        if size == 0 and known is None:
            return
        self.version += 1
        metadata = {"name": name, "resourceVersion": str(self.version)}
        obj = {"metadata": metadata, "size": size or (known or {})["size"]}
        kind = "DELETED" if size == 0 else "MODIFIED" if known else "ADDED"
        self.log.append({"type": kind, "object": obj})
        if size:
            self.objects[name] = obj
        else:
            del self.objects[name]

    def page(self, request: ListRequest) -> bytes:
        """Answer a list request from the snapshot that its token names."""
        if request.continue_token:
            version, start = map(int, request.continue_token.split("/"))
        else:
            version, start = self.version, 0
            self.snapshots[version] = list(self.objects.values())
        items = self.snapshots[version]
        end = start + request.limit
        token = f"{version}/{end}" if end < len(items) else ""
        metadata = {"resourceVersion": str(version), "continue": token}
        return msgspec.json.encode({"metadata": metadata, "items": items[start:end]})

    def since(self, version: int) -> list[Json]:
        """Return the events after `version`."""
        return [event for event in self.log if _version(event) > version]


def _version(event: Json) -> int:
    return int(event["object"]["metadata"]["resourceVersion"])


@dataclass
class Store:
    """A consumer as the theory of operation asks for: it swaps at InitDone."""

    objects: dict[str, Thing] = field(default_factory=dict)
    incoming: dict[str, Thing] = field(default_factory=dict)

    def apply(self, event: Event[Thing] | None) -> None:
        """Take an event."""
        match event:
            case Init():
                self.incoming = {}
            case InitApply(thing):
                self.incoming[thing.metadata.name] = thing
            case InitDone():
                self.objects = self.incoming
            case Apply(thing):
                self.objects[thing.metadata.name] = thing
            case Delete(thing):
                self.objects.pop(thing.metadata.name, None)
            case Malformed():
                assert event.name == "broken"


def noise(kind: str, server: Server, event: Json) -> bytes:
    version = event["object"]["metadata"]["resourceVersion"]
    broken = {"metadata": {"name": "broken", "resourceVersion": version}, "size": "x"}
    messages: dict[str, Any] = {
        "bookmark": {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}},
        "stale": server.log[0],
        "again": event,
        "null": None,
        "malformed": {"type": "ADDED", "object": broken},
    }
    if kind in messages:
        return msgspec.json.encode(messages[kind])
    return b"" if kind == "blank" else b"<html>"


def stream(data: st.DataObject, server: Server, request: WatchRequest) -> bytes:
    """Return what a watch delivers before it is cut at any byte: events, and noise between them."""
    lines: list[bytes] = []
    for event in server.since(int(request.resource_version)):
        lines.append(msgspec.json.encode(event))
        lines += [noise(kind, server, event) for kind in data.draw(st.lists(NOISE, max_size=2))]
    body = b"".join(line + b"\n" for line in lines)
    return body[: data.draw(st.integers(0, len(body)))]


def feed(data: st.DataObject, body: bytes, reflector: Reflector[Thing], store: Store) -> None:
    splitter = LineSplitter()
    for chunk in cut(data, body):
        for line in splitter.feed(chunk):
            store.apply(reflector.line(line))
            reflector.check_invariants()


def cut(data: st.DataObject, body: bytes) -> list[bytes]:
    places = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    edges = [0, *places, len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def step_with_faults(
    data: st.DataObject, server: Server, reflector: Reflector[Thing], store: Store
) -> None:
    request = reflector.next_request()
    status = data.draw(st.sampled_from([200, 200, 200, 410, 503]))
    if status != 200:
        reflector.failed(status)
    elif isinstance(request, ListRequest):
        for event in reflector.page(server.page(request)):
            store.apply(event)
    elif int(request.resource_version) < server.compacted:
        error = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}
        with suppress(ApiError):
            reflector.line(msgspec.json.encode(error))
    else:
        with suppress(ProtocolError):  # garbage: the list tells the truth
            feed(data, stream(data, server, request), reflector, store)


def settle(server: Server, reflector: Reflector[Thing], store: Store) -> None:
    """Serve without faults until nothing is left to say."""
    while isinstance(request := reflector.next_request(), ListRequest):
        for event in reflector.page(server.page(request)):
            store.apply(event)
    if int(request.resource_version) < server.compacted:
        reflector.failed(410)
        settle(server, reflector, store)
        return
    for change in server.since(int(request.resource_version)):
        store.apply(reflector.line(msgspec.json.encode(change)))


@given(st.data())
def test_the_store_equals_the_server_s_whatever_the_faults(data: st.DataObject) -> None:
    server, store = Server(), Store()
    version_of = data.draw(st.sampled_from([attrgetter("metadata.resource_version"), None]))
    reflector = Reflector(decode, version_of=version_of, page_limit=2)
    given_out = {"1"}

    for _ in range(data.draw(st.integers(0, 12))):
        for name, size in data.draw(MUTATIONS):
            server.mutate(name, size)
            given_out.add(str(server.version))
        if data.draw(st.booleans()):
            server.compacted = server.version
        step_with_faults(data, server, reflector, store)
        reflector.check_invariants()
        assert reflector.resource_version in {"", *given_out}, "versions come from the server"
    settle(server, reflector, store)

    assert store.objects == msgspec.convert(server.objects, dict[str, Thing])


@given(st.data(), st.lists(st.binary(max_size=8).filter(lambda line: b"\n" not in line)))
def test_lines_do_not_depend_on_where_the_stream_is_cut(
    data: st.DataObject, lines: list[bytes]
) -> None:
    body = b"".join(line + b"\n" for line in lines) + b"a line that is cut"
    splitter = LineSplitter()

    split = [line for chunk in cut(data, body) for line in splitter.feed(chunk)]

    assert split == [line for line in lines if line.strip()]
