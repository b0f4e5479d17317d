"""Which Events are news, which only count up a series. Pure.

Theory of operation
-------------------
Events that agree in pod, type, reason, action and note are one *series*:

    what happens              | state of the series     | what is written
    --------------------------|-------------------------|--------------------------------------
    seen for the first time   | count 1                 | the Event, created
    seen again within 6 min   | count 2                 | series.count 2, patched
    seen again and again      | count 3, 4, ...         | nothing
    30 min since the last one | count n                 | series.count n, patched
      was written             |                         |
    6 min without a repeat    | forgotten               | series.count n, patched, if it is news
    too many series           | the oldest is forgotten | as above

Whatever is to be written waits in a queue that holds a series at most once; the count is read when
its turn comes, so repeats that come quickly cost one request.

Source: client-go v0.36 tools/events/event_broadcaster.go. Differs: the note belongs to the key, so
a changed message is a new Event; series and queue are bounded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pilotfish.core.effects import RecordEvent

FINISH_SECONDS = 360.0  # upstream's finishTime
REFRESH_SECONDS = 1800.0  # upstream's refreshTime
FIRST_REPEAT = 2
SERIES_LIMIT = 4096
QUEUE_LIMIT = 16384


@dataclass(slots=True, eq=False)
class Series:
    """One Event and its repeats; times in seconds since the epoch.

    Attributes:
        count: how often it was seen.
        written_count: the count that the server knows; 0 before the Event is created.
    """

    event: RecordEvent
    first_seen: float
    last_seen: float
    count: int = 1
    written_count: int = 0
    written_at: float = 0.0
    tries: int = 0
    is_queued: bool = False


@dataclass(slots=True)
class EventLog:
    """All recent series and the queue of those to write."""

    series_limit: int = SERIES_LIMIT
    queue_limit: int = QUEUE_LIMIT
    dropped: int = 0
    queue: deque[Series] = field(default_factory=deque)
    _series: dict[RecordEvent, Series] = field(default_factory=dict)  # the oldest first

    def __len__(self) -> int:
        return len(self._series)

    def observe(self, event: RecordEvent, now: float) -> None:
        """Take an event."""
        series = self._series.get(event)
        if series is None or now - series.last_seen >= FINISH_SECONDS:
            self._start(event, now)
            return
        series.count += 1
        series.last_seen = now
        if series.count == FIRST_REPEAT:
            self.enqueue(series)

    def _start(self, event: RecordEvent, now: float) -> None:
        if (finished := self._series.pop(event, None)) is not None:
            self._write_count(finished)
        elif len(self._series) >= self.series_limit:
            oldest = next(iter(self._series))
            self._write_count(self._series.pop(oldest))
        self._series[event] = series = Series(event, now, now)
        self.enqueue(series)

    def sweep(self, now: float) -> None:
        """Finish series that ended and refresh those that go on; call it about once a minute."""
        ended = [
            event
            for event, series in self._series.items()
            if now - series.last_seen >= FINISH_SECONDS
        ]
        for event in ended:
            self._write_count(self._series.pop(event))
        for series in self._series.values():
            if now - series.written_at >= REFRESH_SECONDS:
                self._write_count(series)

    def _write_count(self, series: Series) -> None:
        """Put up the count of an Event that the server knows, unless it knows the count too."""
        if 0 < series.written_count < series.count:
            self.enqueue(series)

    def enqueue(self, series: Series) -> None:
        """Put a series up for writing once; the oldest makes room where there is none."""
        if series.is_queued:
            return
        if len(self.queue) >= self.queue_limit:
            self.queue.popleft().is_queued = False
            self.dropped += 1
        series.is_queued = True
        self.queue.append(series)

    def next(self) -> Series | None:
        """Return the series to write now; None when there is nothing to write."""
        if not self.queue:
            return None
        series = self.queue.popleft()
        series.is_queued = False
        return series

    def check_invariants(self) -> None:
        """Raise AssertionError when the queue contradicts the series' own marks."""
        queued = {id(series) for series in self.queue}
        marked = {id(series) for series in self._series.values() if series.is_queued}
        if len(queued) != len(self.queue) or not marked <= queued:
            raise AssertionError(f"{len(self.queue)} queued, {len(queued)} distinct")
        if len(self._series) > self.series_limit or len(self.queue) > self.queue_limit:
            raise AssertionError(f"{len(self._series)} series, {len(self.queue)} queued")
