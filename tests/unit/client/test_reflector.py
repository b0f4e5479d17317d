from operator import attrgetter
from typing import Any

import msgspec
import pytest

from pilotfish.client.errors import ApiError, ProtocolError
from pilotfish.client.reflector import (
    Apply,
    Bookmark,
    Delete,
    Event,
    Init,
    InitApply,
    InitDone,
    ListRequest,
    Malformed,
    Reflector,
    State,
    WatchRequest,
)


class Meta(msgspec.Struct, frozen=True, rename="camel", eq=False):
    """Enough identity to tell things apart."""

    name: str
    resource_version: str = ""

    def __eq__(self, other: object) -> bool:
        """Compare names alone: versions are the reflector's affair."""
        return isinstance(other, Meta) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


class Thing(msgspec.Struct, frozen=True):
    """An object whose `size` can be malformed."""

    metadata: Meta
    size: int = 0


class Things(msgspec.Struct, frozen=True):
    """A list of them."""

    items: list[Thing]


def decode(data: bytes | msgspec.Raw) -> Thing:
    return msgspec.json.decode(data, type=Thing)


def decode_page(body: bytes) -> list[Thing]:
    return msgspec.json.decode(body, type=Things).items


def thing(name: str, size: int = 0) -> Thing:
    return Thing(Meta(name), size)


def item(name: str, version: int = 1, size: Any = 0) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": name, "uid": f"u-{name}"}
    return {"metadata": {**metadata, "resourceVersion": str(version)}, "size": size}


def page(*items: Any, version: Any = "10", more: str = "") -> bytes:
    metadata = {"resourceVersion": version, "continue": more}
    return msgspec.json.encode({"kind": "List", "metadata": metadata, "items": items})


def line(kind: str, obj: Any) -> bytes:
    return msgspec.json.encode({"type": kind, "object": obj})


def bookmark(version: int) -> bytes:
    return line("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


def status(code: int) -> bytes:
    return line("ERROR", {"kind": "Status", "code": code, "reason": "Expired", "message": "old"})


@pytest.fixture(params=["reads versions", "is told versions"])
def reflector(request: pytest.FixtureRequest) -> Reflector[Thing]:
    """A reflector that has not begun."""
    told = attrgetter("metadata.resource_version") if "told" in request.param else None
    return Reflector(decode, version_of=told)


@pytest.fixture
def watching(reflector: Reflector[Thing]) -> Reflector[Thing]:
    """A reflector that watches from 10, with `a` known."""
    reflector.page(page(item("a", 9)))
    return reflector


def test_a_list_in_two_pages_and_then_a_watch(reflector: Reflector[Thing]) -> None:
    assert reflector.next_request() == ListRequest("", 500)
    assert reflector.page(page(item("a"), more="next")) == [Init(), InitApply(thing("a"))]
    assert reflector.next_request() == ListRequest("next", 500)
    assert reflector.page(page(item("b"))) == [InitApply(thing("b")), InitDone("10")]
    assert reflector.next_request() == WatchRequest("10")


def test_requests_as_query_parameters() -> None:
    assert ListRequest("", 500).params() == {"limit": "500"}
    assert ListRequest("next", 2).params() == {"limit": "2", "continue": "next"}
    assert WatchRequest("10").params() == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "10",
    }


def test_the_watch_starts_at_the_first_page_s_version(reflector: Reflector[Thing]) -> None:
    reflector.page(page(item("a"), version="10", more="next"))
    reflector.page(page(item("b"), version="12"))

    assert reflector.next_request() == WatchRequest("10")


def test_changes_move_the_version(watching: Reflector[Thing]) -> None:
    assert watching.line(line("ADDED", item("b", 11))) == Apply(thing("b"))
    assert watching.line(line("MODIFIED", item("b", 12, 5))) == Apply(thing("b", 5))
    assert watching.line(line("DELETED", item("b", 13, 5))) == Delete(thing("b", 5))
    assert watching.next_request() == WatchRequest("13")


def test_a_bookmark_moves_the_version_without_an_object(watching: Reflector[Thing]) -> None:
    assert watching.line(bookmark(99)) == Bookmark("99")
    assert watching.next_request() == WatchRequest("99")


@pytest.mark.parametrize(
    "late", [line("MODIFIED", item("a", 9, 7)), line("DELETED", item("a", 8)), bookmark(2)]
)
def test_what_is_older_than_the_list_is_dropped(watching: Reflector[Thing], late: bytes) -> None:
    assert watching.line(late) is None
    assert watching.next_request() == WatchRequest("10")


def test_a_duplicate_is_passed_on_and_harmless(watching: Reflector[Thing]) -> None:
    event = line("MODIFIED", item("a", 11, 7))

    assert watching.line(event) == watching.line(event) == Apply(thing("a", 7))


def test_versions_that_are_no_numbers_are_not_compared(reflector: Reflector[Thing]) -> None:
    reflector.page(page(version="xyz"))
    changed = item("a")
    changed["metadata"]["resourceVersion"] = "abc"

    assert reflector.line(line("ADDED", changed)) == Apply(thing("a"))
    assert reflector.next_request() == WatchRequest("abc")


@pytest.mark.parametrize("code", [400, 404, 410])
def test_a_watch_that_can_never_resume_lists_anew(watching: Reflector[Thing], code: int) -> None:
    watching.failed(code)

    assert watching.next_request() == ListRequest("", 500)
    assert watching.page(page(item("b"), version="20")) == [
        Init(),
        InitApply(thing("b")),
        InitDone("20"),
    ]


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_other_refusals_of_a_watch_resume_it(watching: Reflector[Thing], code: int) -> None:
    watching.failed(code)

    assert watching.next_request() == WatchRequest("10")


def test_an_expired_error_in_the_stream_lists_anew(watching: Reflector[Thing]) -> None:
    with pytest.raises(ApiError) as caught:
        watching.line(status(410))

    assert (caught.value.status, caught.value.reason) == (410, "Expired")
    assert watching.state is State.EMPTY


def test_another_error_in_the_stream_resumes(watching: Reflector[Thing]) -> None:
    with pytest.raises(ApiError, match="watch: 500 old"):
        watching.line(status(500))

    assert watching.next_request() == WatchRequest("10")


def test_an_expired_continue_token_starts_the_list_over(reflector: Reflector[Thing]) -> None:
    reflector.page(page(item("a"), more="next"))

    reflector.failed(410)

    assert reflector.next_request() == ListRequest("", 500)
    assert reflector.page(page(item("b"), version="20")) == [
        Init(),
        InitApply(thing("b")),
        InitDone("20"),
    ]


def test_a_page_that_did_not_come_is_asked_for_again(reflector: Reflector[Thing]) -> None:
    reflector.page(page(item("a"), more="next"))

    reflector.failed(503)

    assert reflector.next_request() == ListRequest("next", 500)


def broken(name: str, *, deleted: bool = False) -> tuple[object, ...]:
    return ("ns", name, f"u-{name}", deleted)


def identity(event: Event[Thing] | None) -> tuple[object, ...]:
    assert isinstance(event, Malformed)
    assert isinstance(event.error, msgspec.ValidationError)
    return (event.namespace, event.name, event.uid, event.deleted)


@pytest.mark.parametrize("fast", [decode_page, None])
def test_a_malformed_item_is_named_and_the_others_are_kept(fast: Any) -> None:
    reflector = Reflector(decode, decode_page=fast)

    init, a, bad, c, done = reflector.page(page(item("a"), item("b", size="x"), item("c")))

    assert (init, done) == (Init(), InitDone("10"))
    assert (a, c) == (InitApply(thing("a")), InitApply(thing("c")))
    assert identity(bad) == broken("b")


def test_a_malformed_change_is_named_and_the_stream_goes_on(watching: Reflector[Thing]) -> None:
    assert identity(watching.line(line("MODIFIED", item("b", 11, "x")))) == broken("b")
    gone = watching.line(line("DELETED", item("b", 12, "x")))
    assert identity(gone) == broken("b", deleted=True)
    assert watching.line(line("ADDED", item("c", 13))) == Apply(thing("c"))
    assert watching.next_request() == WatchRequest("13")


def test_an_item_without_identity_is_reported_too(reflector: Reflector[Thing]) -> None:
    _, bad, _ = reflector.page(page({"metadata": "x"}))

    assert isinstance(bad, Malformed)
    assert (bad.namespace, bad.name, bad.uid) == ("", "", "")


class StrangeThingError(Exception):
    """What a decode function may raise of its own."""


def test_a_decode_function_may_raise_its_own_error_or_msgspec_s() -> None:
    def choosy(data: bytes | msgspec.Raw) -> Thing:
        if b"strange" in bytes(data):
            raise StrangeThingError
        return decode(data)

    def choosy_page(body: bytes) -> list[Thing]:
        return [choosy(body)]

    reflector = Reflector(
        choosy,
        decode_page=choosy_page,
        version_of=attrgetter("metadata.resource_version"),
        malformed=StrangeThingError,
    )
    names = ("fine", "strange")

    listed = reflector.page(page(*map(item, names), item("bad", size="x")))
    added = [reflector.line(line("ADDED", item(name, 11))) for name in names]

    assert [type(event) for event in listed[1:-1]] == [InitApply, Malformed, Malformed]
    assert [type(event) for event in added] == [Apply, Malformed]


def test_text_that_is_no_utf8_is_malformed(watching: Reflector[Thing]) -> None:
    """Without a readable version the stream cannot go on; the list names what can be named."""
    with pytest.raises(ProtocolError):
        watching.line(line("ADDED", item("text", 11)).replace(b"text", b"\xff"))

    listed = watching.page(page(item("a"), item("text")).replace(b"text", b"\xff"))

    assert [type(event) for event in listed] == [Init, InitApply, Malformed, InitDone]


def test_only_declared_errors_are_malformed_objects() -> None:
    def defect(_data: bytes | msgspec.Raw) -> Thing:
        raise KeyError("a bug in decode")

    with pytest.raises(KeyError):
        Reflector(defect).page(page(item("a")))


@pytest.mark.parametrize(
    "form", ['{"type":"ADDED","object":%s,"new":1}', '{"object":%s,"type":"ADDED"}']
)
def test_a_line_may_have_another_form(watching: Reflector[Thing], form: str) -> None:
    obj = msgspec.json.encode(item("b", 11)).decode()

    assert watching.line((form % obj).encode()) == Apply(thing("b"))


def test_null_items_and_null_lines_say_nothing(reflector: Reflector[Thing]) -> None:
    assert reflector.page(page(None, item("a"), None)) == [
        Init(),
        InitApply(thing("a")),
        InitDone("10"),
    ]
    assert reflector.line(b"null") is None
    reflector.restart()
    nothing = b'{"metadata":{"resourceVersion":"11","continue":null},"items":null}'
    assert reflector.page(nothing) == [Init(), InitDone("11")]


def test_a_type_of_a_later_kubernetes_is_passed_over(watching: Reflector[Thing]) -> None:
    assert watching.line(line("ROTATED", item("a", 11))) is None


@pytest.mark.parametrize("garbage", [b"<html>", b"[]", b'{"type":"ADDED"}', b'{"kind":"Status"}'])
def test_a_line_that_is_no_event_lists_anew(watching: Reflector[Thing], garbage: bytes) -> None:
    with pytest.raises(ProtocolError, match="no watch event"):
        watching.line(garbage)

    assert watching.state is State.EMPTY


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"metadata":{},"items":[]}', page(version=""), b'{"items":5}']
)
def test_a_page_that_is_no_list_changes_nothing(reflector: Reflector[Thing], body: bytes) -> None:
    with pytest.raises(ProtocolError):
        reflector.page(body)

    assert reflector.next_request() == ListRequest("", 500)
    reflector.check_invariants()


def test_a_page_while_watching_is_an_error(watching: Reflector[Thing]) -> None:
    with pytest.raises(ProtocolError):
        watching.page(page(item("b")))

    assert watching.next_request() == WatchRequest("10")
