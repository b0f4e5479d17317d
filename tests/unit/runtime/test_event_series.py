from collections.abc import Iterator

import pytest

from pilotfish.core.effects import RecordEvent
from pilotfish.runtime.event_series import (
    FINISH_SECONDS,
    REFRESH_SECONDS,
    EventLog,
    Series,
)


def event(name: str = "a", note: str = "0/1 nodes are available") -> RecordEvent:
    return RecordEvent(
        f"uid-{name}",
        "default",
        name,
        "Warning",
        "FailedScheduling",
        "Scheduling",
        note,
        "my-scheduler",
    )


@pytest.fixture
def log() -> Iterator[EventLog]:
    log = EventLog(series_limit=4, queue_limit=6)
    yield log
    log.check_invariants()


def write_all(log: EventLog, now: float) -> list[Series]:
    """Write what is queued, as a server that always succeeds."""
    written = []
    while (series := log.next()) is not None:
        series.written_count, series.written_at = series.count, now
        written.append(series)
    return written


def test_first_sight_creates_the_event(log: EventLog) -> None:
    log.observe(event(), now=100.0)
    (series,) = write_all(log, now=100.0)
    assert (series.count, series.first_seen) == (1, 100.0)


def test_first_repeat_starts_a_series_of_two(log: EventLog) -> None:
    log.observe(event(), now=100.0)
    write_all(log, now=100.0)
    log.observe(event(), now=101.0)
    (series,) = write_all(log, now=101.0)
    assert (series.count, series.first_seen, series.last_seen) == (2, 100.0, 101.0)


def test_further_repeats_are_only_counted(log: EventLog) -> None:
    for second in range(60):
        log.observe(event(), now=float(second))
        write_all(log, now=float(second))
        log.sweep(float(second))
        assert len(write_all(log, now=float(second))) == 0
    assert write_all(log, 60.0) == []


def test_repeats_before_the_first_request_cost_one_request(log: EventLog) -> None:
    for second in range(5):
        log.observe(event(), now=float(second))
    (series,) = write_all(log, now=5.0)
    assert series.count == 5


def test_final_count_is_written_when_the_series_ends(log: EventLog) -> None:
    for second in range(5):
        log.observe(event(), now=float(second))
        write_all(log, now=float(second))
    log.sweep(4.0 + FINISH_SECONDS)
    (series,) = write_all(log, now=400.0)
    assert series.count == 5
    assert len(log) == 0


def test_single_event_ends_without_a_request(log: EventLog) -> None:
    log.observe(event(), now=0.0)
    write_all(log, now=0.0)
    log.sweep(FINISH_SECONDS)
    assert write_all(log, now=FINISH_SECONDS) == []
    assert len(log) == 0


def test_long_series_is_refreshed(log: EventLog) -> None:
    for now in range(0, 2100, 300):
        log.observe(event(), float(now))
        write_all(log, float(now))
    log.sweep(299.0 + REFRESH_SECONDS)
    assert write_all(log, 2099.0) == []
    log.sweep(300.0 + REFRESH_SECONDS)
    (series,) = write_all(log, 2100.0)
    assert series.count == 7


def test_repeat_after_the_series_ended_is_a_new_event(log: EventLog) -> None:
    log.observe(event(), now=0.0)
    write_all(log, now=0.0)
    log.observe(event(), now=FINISH_SECONDS)
    (series,) = write_all(log, now=FINISH_SECONDS)
    assert (series.count, series.written_count, series.first_seen) == (1, 1, FINISH_SECONDS)


def test_changed_note_is_a_new_event(log: EventLog) -> None:
    log.observe(event(note="0/1 nodes"), now=0.0)
    log.observe(event(note="0/2 nodes"), now=1.0)
    assert [series.count for series in write_all(log, now=1.0)] == [1, 1]


def test_memory_is_bounded(log: EventLog) -> None:
    for number in range(100):
        log.observe(event(f"pod-{number}"), now=float(number))
        write_all(log, now=float(number))
    assert len(log) == 4


def test_series_that_makes_room_leaves_its_count(log: EventLog) -> None:
    for second in range(3):
        log.observe(event("old"), now=float(second))
        write_all(log, now=float(second))
    for number in range(4):
        log.observe(event(f"pod-{number}"), now=10.0)
    counts = {series.event.name: series.count for series in write_all(log, now=10.0)}
    assert counts == {"old": 3, "pod-0": 1, "pod-1": 1, "pod-2": 1, "pod-3": 1}


def test_full_queue_drops_the_oldest_and_counts_it(log: EventLog) -> None:
    for number in range(8):
        log.observe(event(f"pod-{number}"), now=float(number))
    assert log.dropped == 2
    assert [s.event.name for s in write_all(log, 9.0)] == [f"pod-{n}" for n in range(2, 8)]
