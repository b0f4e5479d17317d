"""Runs a reflector against an API server: sends what it asks for and paces failures."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Generic, NoReturn, TypeVar

import msgspec

from pilotfish.client.api_client import LONGEST_RETRY_AFTER_SECONDS, ApiClient
from pilotfish.client.errors import ApiError, ClientError, ConnectionFailed, ProtocolError
from pilotfish.client.lines import LineSplitter
from pilotfish.client.pacing import BACKOFF_MAX_SECONDS, BACKOFF_SECONDS, Backoff
from pilotfish.client.reflector import Event, ListRequest, Reflector

T = TypeVar("T")


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long the loop waits for what, in seconds."""

    list_timeout: float = 60.0
    """One page of a list."""
    watch_at_least: float = 300.0
    """The server ends a watch after this or up to twice as long, so that watches spread."""
    idle: float = 90.0
    """Silence after which a watch is dead; servers send a bookmark about once a minute."""
    spacing: float = 0.2
    """At least this between the starts of two watches, however quickly they end, and before a
    list that a 410 asks for."""
    backoff: float = BACKOFF_SECONDS
    """The first pause after a failure."""
    backoff_max: float = BACKOFF_MAX_SECONDS
    """The longest pause before jitter."""


DEFAULT_TIMING = Timing()

_SHORT_WATCH_SECONDS = 1.0  # upstream: a watch that ends within a second with no event is a failure


def _ignore_trouble(_error: ClientError) -> None: ...


def _ignore_recovery() -> None: ...


async def list_all(
    client: ApiClient,
    path: str,
    reflector: Reflector[T],
    on_event: Callable[[Event[T]], None],
    *,
    params: Mapping[str, str] | None = None,
    timeout_seconds: float = DEFAULT_TIMING.list_timeout,
) -> None:
    """List until the reflector is ready to watch; goes on where an earlier, failed call stopped.

    Polling calls `reflector.restart()` first.
    """
    while isinstance(request := reflector.next_request(), ListRequest):
        try:
            response = await client.request(
                "GET",
                path,
                params={**(params or {}), **request.params()},
                timeout_seconds=timeout_seconds,
            )
        except ApiError as error:
            reflector.failed(error.status)
            raise
        for event in reflector.page(response.body):
            on_event(event)


async def reflect(
    client: ApiClient,
    path: str,
    reflector: Reflector[T],
    on_event: Callable[[Event[T]], None],
    *,
    rng: random.Random,
    params: Mapping[str, str] | None = None,
    on_trouble: Callable[[ClientError], None] = _ignore_trouble,
    on_recovered: Callable[[], None] = _ignore_recovery,
    timing: Timing = DEFAULT_TIMING,
) -> NoReturn:
    """List and watch `path` until cancelled, handing every event to `on_event`.

    Args:
        client: an entered ApiClient.
        path: the collection, such as "/api/v1/pods".
        reflector: the state machine that decodes.
        on_event: called in order; must not block.
        rng: spreads pauses and watch lengths.
        params: labelSelector, fieldSelector.
        on_trouble: called for every failed try, before the pause; 403 and 404 come here too.
        on_recovered: called once when the first answer comes after trouble.
        timing: waits.
    """
    await _Reflection(
        client, path, reflector, on_event, rng, params or {}, on_trouble, on_recovered, timing
    ).run()


@dataclass(slots=True)
class _Reflection(Generic[T]):
    client: ApiClient
    path: str
    reflector: Reflector[T]
    on_event: Callable[[Event[T]], None]
    rng: random.Random
    params: Mapping[str, str]
    on_trouble: Callable[[ClientError], None]
    on_recovered: Callable[[], None]
    timing: Timing
    backoff: Backoff = field(init=False)
    troubled: bool = False

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.rng, base=self.timing.backoff, cap=self.timing.backoff_max)

    async def run(self) -> NoReturn:
        while True:
            try:
                await list_all(
                    self.client,
                    self.path,
                    self.reflector,
                    self.on_event,
                    params=self.params,
                    timeout_seconds=self.timing.list_timeout,
                )
                await self._watch()
            except ClientError as error:
                await self._recover_from(error)

    async def _watch(self) -> None:
        """Watch until the stream ends, is cut or falls silent; then see to the spacing."""
        now = asyncio.get_running_loop().time
        started = now()
        heard = False
        splitter = LineSplitter()
        seconds = int(self.timing.watch_at_least * (1.0 + self.rng.random()))
        query = {
            **self.params,
            **self.reflector.next_request().params(),
            "timeoutSeconds": str(seconds),
        }
        async with self.client.stream(self.path, query, idle_seconds=self.timing.idle) as chunks:
            self._answered()
            # A cut is an end: the next watch resumes at the last resourceVersion.
            with suppress(ConnectionFailed):
                async for chunk in chunks:
                    for line in splitter.feed(chunk):
                        event = self.reflector.line(line)
                        if event is not None:
                            heard = True
                            self.backoff.reset()
                            self.on_event(event)
        if not heard and now() - started < _SHORT_WATCH_SECONDS:
            raise ProtocolError(f"GET {self.path}: the watch ended at once, with no event")
        self.backoff.reset()
        await asyncio.sleep(started + self.timing.spacing - now())

    def _answered(self) -> None:
        if self.troubled:
            self.troubled = False
            self.on_recovered()

    async def _recover_from(self, error: ClientError) -> None:
        pause = self.backoff.next()
        if isinstance(error, ApiError):
            self.reflector.failed(error.status)
            if error.status == HTTPStatus.GONE and self.backoff.failures == 1:
                # The history is gone: listing, and soon, is the cure.
                await asyncio.sleep(self.timing.spacing)
                return
            asked = min(error.retry_after_seconds or 0.0, LONGEST_RETRY_AFTER_SECONDS)
            pause = max(pause, asked)
        self.troubled = True
        self.on_trouble(error)
        await asyncio.sleep(pause)
