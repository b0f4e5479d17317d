"""Events: counted, folded, and bounded."""

from __future__ import annotations

from pilotfish.cluster.events.recorder import EventSource, Recorder
from pilotfish.cluster.kinds import CONFIG_MAPS, EVENTS
from unit.cluster.controllers.world import Json, World


def source(world: World) -> tuple[EventSource, Json]:
    obj = world.create(CONFIG_MAPS, {"metadata": {"name": "subject"}})
    return Recorder(world.client).source("test-controller", CONFIG_MAPS), obj


def events(world: World) -> list[Json]:
    found = world.all(EVENTS)
    return [event for event in found if event["involvedObject"]["name"] == "subject"]


def test_event_names_its_subject_and_who_reports() -> None:
    world = World()
    events_of, subject = source(world)
    events_of.warning(subject, "Broken", "it broke", world.now)
    (event,) = events(world)
    assert event["metadata"]["name"].startswith("subject.")
    assert event["involvedObject"]["uid"] == subject["metadata"]["uid"]
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "Broken", "it broke")
    assert event["source"] == {"component": "test-controller"}
    assert event["count"] == 1


def test_same_event_again_is_counted_up() -> None:
    world = World()
    events_of, subject = source(world)
    for _ in range(3):
        events_of.normal(subject, "Ping", "ping", world.now)
        world.now += 1
    (event,) = events(world)
    assert event["count"] == 3
    assert event["lastTimestamp"] > event["firstTimestamp"]


def test_many_similar_events_are_folded_into_one() -> None:
    world = World()
    events_of, subject = source(world)
    for number in range(15):
        events_of.normal(subject, "Ping", f"ping {number}", world.now)
    found = events(world)
    assert len(found) == 10
    folded = [e for e in found if e["message"].startswith("(combined from similar events): ")]
    assert [e["count"] for e in folded] == [6]


def test_beyond_a_burst_an_object_has_one_event_in_five_minutes() -> None:
    world = World()
    events_of, subject = source(world)
    for number in range(40):
        events_of.normal(subject, f"Reason{number}", "x", world.now)
    assert len(events(world)) == 25
    world.now += 301
    events_of.normal(subject, "Later", "x", world.now)
    events_of.normal(subject, "Later", "y", world.now)
    assert len(events(world)) == 26


def test_refused_event_is_dropped() -> None:
    world = World()
    events_of, subject = source(world)
    subject["metadata"]["namespace"] = "nowhere"
    events_of.normal(subject, "Ping", "ping", world.now)
    assert events(world) == []
