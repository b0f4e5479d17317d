"""Events that nobody writes any more go."""

from __future__ import annotations

import random

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import CONFIG_MAPS, EVENTS
from pilotfish.cluster.settings import ClusterSettings

START = 1_800_000_000.0
HOUR = 3600.0
LATEST = 120.0  # seconds that one may stay beyond its time


class Story:
    """A cluster without nodes, and events of one source in it."""

    def __init__(self, ttl_seconds: float = HOUR) -> None:
        settings = ClusterSettings(node_groups=(), event_ttl_seconds=ttl_seconds)
        self.cluster = Cluster(rng=random.Random(1), settings=settings, now=START)
        self.passed = 0.0
        self.source = Recorder(self.cluster.client).source("test", CONFIG_MAPS)

    def write(self, name: str, at: float) -> None:
        """Write an event about something, at so many seconds from the start."""
        subject = {"metadata": {"name": name, "namespace": "default", "uid": name}}
        self.source.normal(subject, "Ping", "ping", START + at)

    def names(self, at: float) -> list[str]:
        """Let time pass as its owner does, and give whose events are there then."""
        while (deadline := self.cluster.advance(START + self.passed)) is not None:
            if deadline > START + at:
                break
            self.passed = deadline - START
        self.cluster.advance(START + at)
        self.passed = at
        found = self.cluster.client.list(EVENTS, "default")
        return sorted(event["involvedObject"]["name"] for event in found)


def test_event_goes_an_hour_after_it_was_written() -> None:
    story = Story()
    story.write("a", at=0)
    assert story.names(at=HOUR - 1) == ["a"]
    assert story.names(at=HOUR + LATEST) == []


def test_event_that_is_counted_up_stays() -> None:
    story = Story()
    story.write("a", at=0)
    story.write("b", at=0)
    assert story.names(at=HOUR / 2) == ["a", "b"]
    story.write("b", at=HOUR / 2)
    assert story.names(at=HOUR + LATEST) == ["b"]
    assert story.names(at=1.5 * HOUR + LATEST) == []


def test_event_that_has_gone_is_written_anew() -> None:
    story = Story()
    story.write("a", at=0)
    assert story.names(at=HOUR + LATEST) == []
    story.write("a", at=HOUR + LATEST)
    assert story.names(at=HOUR + LATEST + 1) == ["a"]


def test_time_to_live_is_a_setting_and_many_go_at_once() -> None:
    story = Story(ttl_seconds=10.0)
    for number in range(1200):
        story.write(f"subject-{number}", at=0)
    assert len(story.names(at=9)) == 1200
    assert story.names(at=10 + LATEST) == []


def test_cluster_without_events_has_nothing_to_wait_for() -> None:
    story = Story()
    assert story.cluster.advance(START) is None
    story.write("a", at=0)
    assert story.names(at=HOUR + LATEST) == []
    assert story.cluster.advance(START + HOUR + LATEST) is None
