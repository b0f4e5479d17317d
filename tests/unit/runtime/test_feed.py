import logging

import msgspec
import pytest

from make import node, pod
from pilotfish.api.codec import MalformedObjectError, encode
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.client import Apply, Delete, Event, Init, InitApply, InitDone, Malformed
from pilotfish.core.inputs import Applied, Deleted, Input, Replaced, Unreadable
from pilotfish.framework.errors import ProfileError
from pilotfish.runtime.feed import KINDS, Feed, kinds_for, reflector_of

LOG = logging.getLogger("pilotfish")
NODES, PODS = KINDS[:2]


def broken(field: str = "spec.nodeName", *, deleted: bool = False) -> Malformed:
    identity = {"namespace": "default", "name": "b", "uid": "uid-b"}
    error = MalformedObjectError("Pod", identity, field, "Expected `str`, got `int`")
    return Malformed(error, "default", "b", "uid-b", deleted)


def take_all(feed: Feed, *events: Event[KubernetesObject]) -> None:
    for event in events:
        feed.take(event)


def test_list_is_handed_over_as_a_whole() -> None:
    inputs: list[Input] = []
    feed = Feed(NODES, inputs.append, LOG)
    take_all(feed, Init(), InitApply(node("a")), InitApply(node("b")))
    assert inputs == []
    feed.take(InitDone("7"))
    assert inputs == [Replaced("nodes", (node("a"), node("b")))]


def test_list_that_starts_anew_voids_the_unfinished_one() -> None:
    inputs: list[Input] = []
    feed = Feed(NODES, inputs.append, LOG)
    take_all(feed, Init(), InitApply(node("a")), Init(), InitApply(node("b")), InitDone("8"))
    assert inputs == [Replaced("nodes", (node("b"),))]


def test_changes_are_passed_on() -> None:
    inputs: list[Input] = []
    feed = Feed(PODS, inputs.append, LOG)
    feed.take(Apply(pod("a")))
    feed.take(Delete(pod("a")))
    assert inputs == [Applied("pods", pod("a")), Deleted("pods", pod("a"))]


def test_malformed_object_in_a_list_is_known_to_be_there() -> None:
    inputs: list[Input] = []
    feed = Feed(PODS, inputs.append, LOG)
    take_all(feed, Init(), InitApply(pod("a")), broken(), InitDone("7"))
    assert inputs == [Replaced("pods", (pod("a"),), ("uid-b",))]


def test_malformed_change_concerns_its_object_alone() -> None:
    inputs: list[Input] = []
    feed = Feed(PODS, inputs.append, LOG)
    feed.take(broken())
    assert inputs == [Unreadable("pods", "default", "b", "uid-b")]


def test_malformed_object_can_still_be_deleted() -> None:
    inputs: list[Input] = []
    Feed(PODS, inputs.append, LOG).take(broken(deleted=True))
    (deleted,) = inputs
    assert isinstance(deleted, Deleted)
    assert (deleted.kind, deleted.object.uid, deleted.object.key) == ("pods", "uid-b", "default/b")
    assert isinstance(deleted.object, Pod)


def test_each_fault_is_reported_once_until_it_is_mended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed = Feed(PODS, lambda _: None, LOG)
    feed.take(broken())
    feed.take(broken())
    assert len(caplog.records) == 1
    assert "pod default/b: spec.nodeName" in caplog.text
    feed.take(broken("spec.priority"))
    assert len(caplog.records) == 2
    feed.take(Apply(pod("b")))
    feed.take(broken("spec.priority"))
    assert len(caplog.records) == 3


def test_page_with_a_malformed_object_yields_the_others() -> None:
    items = [
        encode(node("good")),
        b'{"metadata":{"name":"bad"},"status":{"allocatable":{"cpu":"x"}}}',
    ]
    body = b'{"metadata":{"resourceVersion":"5"},"items":[' + b",".join(items) + b"]}"
    events = reflector_of(NODES).page(body)
    assert [type(event) for event in events] == [Init, InitApply, Malformed, InitDone]
    assert events[1] == InitApply(node("good"))


def test_watch_line_is_decoded_as_its_kind() -> None:
    reflector = reflector_of(NODES)
    reflector.page(b'{"metadata":{"resourceVersion":"5"},"items":[]}')
    line = {"type": "ADDED", "object": msgspec.Raw(encode(node("a")))}
    assert reflector.line(msgspec.json.encode(line)) == Apply(node("a"))


def test_only_kinds_that_somebody_reads_are_fed() -> None:
    assert [kind.name for kind in kinds_for(frozenset())] == ["nodes", "pods"]
    assert [kind.name for kind in kinds_for({"services"})] == ["nodes", "pods", "services"]


def test_kind_that_is_not_known_is_named() -> None:
    with pytest.raises(ProfileError, match="a plugin reads service, which") as caught:
        kinds_for({"services", "service"})
    assert "services" in caught.value.hint
