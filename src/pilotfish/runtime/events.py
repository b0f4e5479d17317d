"""Kubernetes Events: written in the background, best effort, after the binds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from pilotfish.client import ApiClient, ApiError, ClientError, Response
from pilotfish.core.effects import RecordEvent
from pilotfish.runtime.attempt import attempt
from pilotfish.runtime.event_series import EventLog, Series
from pilotfish.runtime.notices import Notices
from pilotfish.runtime.requests import JSON, STRATEGIC_MERGE_PATCH, Request, describe, is_transient

IN_FLIGHT = 16
TRIES = 12  # upstream's maxTriesPerEvent
RETRY_SECONDS = 10.0  # upstream's defaultSleepDuration; spread by up to a quarter
SWEEP_SECONDS = 60.0
NAME_LIMIT = 253
INSTANCE_LIMIT = 128
NOT_FOUND, CONFLICT = 404, 409
TERMINATING = "being terminated"  # in the message of a refusal that is no fault of the role

_encode = msgspec.json.Encoder().encode


class _Metadata(msgspec.Struct, frozen=True, gc=False):
    name: str
    namespace: str


class _Regarding(msgspec.Struct, frozen=True, rename="camel", gc=False):
    namespace: str
    name: str
    uid: str
    kind: str = "Pod"
    api_version: str = "v1"


class _Series(msgspec.Struct, frozen=True, rename="camel", gc=False):
    count: int
    last_observed_time: str


class _SeriesPatch(msgspec.Struct, frozen=True):
    series: _Series


class _Event(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: _Metadata
    event_time: str
    reporting_controller: str
    reporting_instance: str
    action: str
    reason: str
    regarding: _Regarding
    note: str
    type: str
    api_version: str
    kind: str
    related: _Regarding | None = None
    series: _Series | None = None


class EventRecorder:
    """Writes Events.

    Args:
        client: sends the requests.
        tasks: owns the tasks.
        notices: says what goes wrong.
        rng: spreads the pauses between tries.
        host_name: ends the reporting instance's name.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        client: ApiClient,
        tasks: asyncio.TaskGroup,
        notices: Notices,
        rng: random.Random,
        *,
        host_name: str,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._notices = notices
        self._rng = rng
        self._host_name = host_name
        self._clock = clock
        self._log = EventLog()
        self._free = IN_FLIGHT
        self._is_served = True
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def unwritten(self) -> int:
        """How many Events wait for their turn or are being written."""
        return len(self._log.queue) + IN_FLIGHT - self._free

    async def drained(self) -> None:
        """Wait until nothing is being written; what waits for another try does not count."""
        await self._idle.wait()

    def record(self, event: RecordEvent) -> None:
        """Take an Event; returns at once."""
        if not self._is_served:
            return
        self._log.observe(event, self._clock())
        if self._log.dropped:
            self._notices.once(
                "events dropped", "the API server takes Events too slowly: the oldest are dropped"
            )
        self._start()

    async def sweep_forever(self) -> None:
        """Finish and refresh series until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._log.sweep(self._clock())
            self._start()

    def _start(self) -> None:
        if self._free and self._log.queue:
            self._free -= 1
            self._idle.clear()
            self._tasks.create_task(self._write_all())

    async def _write_all(self) -> None:
        """Hold one place as long as there is something to write."""
        while (series := self._log.next()) is not None:
            self._start()
            count = series.count
            error = await self._write(series)
            if error is None:
                series.written_count = count
                series.written_at = self._clock()
                series.tries = 0
            else:
                self._failed(series, error)
        self._free += 1
        if self._free == IN_FLIGHT:
            self._idle.set()

    async def _write(self, series: Series) -> Exception | None:
        if series.written_count:
            answer = await attempt(self._client, patch_request(series))
            if _status(answer) != NOT_FOUND:
                return answer if isinstance(answer, Exception) else None
            # It expired: the series needs an Event anew.
        request = create_request(series, self._host_name)
        answer = await attempt(self._client, request)
        if _status(answer) == CONFLICT:  # an earlier try reached the server after all
            return None
        return answer if isinstance(answer, Exception) else None

    def _failed(self, series: Series, error: Exception) -> None:
        """Try later what may succeed later; say why else."""
        if is_transient(error):
            if series.tries < TRIES:
                series.tries += 1
                pause = RETRY_SECONDS * (1.0 + self._rng.random() / 4)
                asyncio.get_running_loop().call_later(pause, self._again, series)
            return
        match error:
            case ApiError(status=404, reason=reason) if reason != "NotFound":
                self._is_served = False
                self._log.queue.clear()
                text = "the API server has no events.k8s.io: no Events are made"
                self._notices.once("events", text)
            case ApiError(status=404):
                pass  # the namespace is gone
            case ApiError(status=403) if TERMINATING in str(error):
                pass  # it is going, and its Events with it
            case ApiError(status=403):
                self._notices.once(
                    "events forbidden",
                    f"Events cannot be written: {error}",
                    hint="grant the verbs create and patch on events of the group events.k8s.io",
                )
            case ApiError(status=status):
                self._notices.once(f"events {status}", f"an Event was not written: {error}")
            case ClientError():
                self._notices.once("events", f"an Event was not written: {describe(error)}")
            case _:
                self._notices.bug(error)

    def _again(self, series: Series) -> None:
        self._log.enqueue(series)
        self._start()


def _status(answer: Response | Exception) -> int:
    return answer.status if isinstance(answer, ApiError | Response) else 0


def create_request(series: Series, host_name: str) -> Request:
    """Make the request that creates the Event, as reported from a host."""
    event = series.event
    other = event.related
    body = _Event(
        metadata=_Metadata(event_name(series), event.namespace),
        event_time=_micro_time(series.first_seen),
        reporting_controller=event.controller,
        reporting_instance=f"{event.controller}-{host_name}"[:INSTANCE_LIMIT],
        action=event.action,
        reason=event.reason,
        regarding=_Regarding(event.namespace, event.name, event.uid),
        note=event.note,
        type=event.type,
        api_version="events.k8s.io/v1",
        kind="Event",
        related=_Regarding(other.namespace, other.name, other.uid) if other else None,
        series=_series(series) if series.count > 1 else None,
    )
    return Request("POST", _path(event), _encode(body), JSON)


def patch_request(series: Series) -> Request:
    """Make the request that brings the Event's series up to date."""
    path = f"{_path(series.event)}/{event_name(series)}"
    return Request("PATCH", path, _encode(_SeriesPatch(_series(series))), STRATEGIC_MERGE_PATCH)


def event_name(series: Series) -> str:
    """Return the Event's name: it begins with the pod's name, by which `kubectl` users find it.

    Source: client-go v0.36 tools/record/util/util.go, GenerateEventName. Differs: a long pod name
    is cut, not replaced by a random one.
    """
    suffix = f".{int(series.first_seen * 1e9):x}"
    return series.event.name[: NAME_LIMIT - len(suffix)].rstrip(".-") + suffix


def _path(event: RecordEvent) -> str:
    return f"/apis/events.k8s.io/v1/namespaces/{event.namespace}/events"


def _series(series: Series) -> _Series:
    return _Series(series.count, _micro_time(series.last_seen))


def _micro_time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")[:-6] + "Z"
