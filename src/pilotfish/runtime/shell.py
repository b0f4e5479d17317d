"""Shell: the loop around the scheduler. It waits, reads the clock, and passes effects on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, assert_never

from pilotfish.core.decision import Decision
from pilotfish.core.effects import (
    Bind,
    BindFailed,
    Bound,
    CallPlugin,
    Effect,
    EvictPod,
    PatchCondition,
    PatchNomination,
    PatchObject,
    PluginFailed,
    PodSeen,
    ReadPod,
    Record,
    RecordEvent,
    WakeAt,
)
from pilotfish.core.inputs import Input
from pilotfish.runtime.executor import Executor
from pilotfish.runtime.inbox import Inbox

SLICE_SECONDS = 0.004  # how long watches, timers and answers may wait for a slice of work
CYCLES_AT_MOST = 256  # in one slice


class Core(Protocol):
    """The scheduler as the shell knows it."""

    def handle(self, news: Input, now: float) -> list[Effect]:
        """Take an input."""

    def decide(self, now: float, max_cycles: int) -> tuple[list[Effect], bool]:
        """Run scheduling cycles; tell whether there is more to decide."""


class Events(Protocol):
    """Where Kubernetes Events go."""

    def record(self, event: RecordEvent) -> None:
        """Take an Event."""


class Shell:
    """Feeds one scheduler and executes what it asks for.

    Args:
        core: the scheduler.
        inbox: what it is told.
        executor: binds, reads and patches.
        events: takes Kubernetes Events.
        observe: takes every record.
        clock: monotonic seconds; a fine clock, not the loop's, which may stand still in a slice.
    """

    def __init__(
        self,
        core: Core,
        inbox: Inbox,
        executor: Executor,
        events: Events,
        observe: Callable[[Record], None],
        clock: Callable[[], float],
    ) -> None:
        self._core = core
        self._inbox = inbox
        self._executor = executor
        self._events = events
        self._observe = observe
        self._clock = clock
        self._alarm: asyncio.TimerHandle | None = None
        self._wake_at = 0.0
        self._cycles = 1
        self._is_deciding = True
        self._caught_up = asyncio.Event()
        self._settled = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        more = False
        while True:
            wait = not (more and self._is_deciding) or self._executor.is_saturated
            await self._handle(await self._inbox.take(wait=wait))
            if not self._inbox:
                self._caught_up.set()
            if self._is_deciding and not self._executor.is_saturated:
                more = self._decide()
            if more:
                await asyncio.sleep(0)
            elif not self._inbox and not self._executor.binds:
                self._settled.set()

    async def caught_up(self) -> None:
        """Wait until every input so far is handled."""
        self._caught_up.clear()
        self._inbox.wake()
        await self._caught_up.wait()

    async def settled(self) -> None:
        """Wait until every input so far is handled, all is decided and no bind is under way."""
        self._settled.clear()
        self._inbox.wake()
        await self._settled.wait()

    def start_deciding(self) -> None:
        """Decide again after `stop_deciding`."""
        self._is_deciding = True
        self._inbox.wake()

    def stop_deciding(self) -> None:
        """Decide nothing more; answers are still handled."""
        self._is_deciding = False

    async def _handle(self, inputs: Iterable[Input]) -> None:
        """Handle all inputs, giving way to others from time to time."""
        started = self._clock()
        for news in inputs:
            now = self._clock()
            if now - started > SLICE_SECONDS:
                await asyncio.sleep(0)
                started = now = self._clock()
            self._execute(self._core.handle(news, now))

    def _decide(self) -> bool:
        """Decide for about one slice."""
        started = self._clock()
        effects, more = self._core.decide(started, self._cycles)
        took = self._clock() - started
        if took > SLICE_SECONDS:
            self._cycles = max(1, self._cycles // 2)
        elif more and took < SLICE_SECONDS / 2:
            self._cycles = min(CYCLES_AT_MOST, self._cycles * 2)
        self._execute(effects)
        return more

    def _execute(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case (
                    Bind()
                    | ReadPod()
                    | PatchCondition()
                    | PatchNomination()
                    | EvictPod()
                    | PatchObject()
                    | CallPlugin()
                ):
                    self._executor.submit(effect)
                case RecordEvent():
                    self._events.record(effect)
                case WakeAt():
                    self._set_alarm(effect.at)
                case Decision() | PodSeen() | Bound() | BindFailed() | PluginFailed():
                    self._observe(effect)
                case _:
                    assert_never(effect)

    def _set_alarm(self, at: float) -> None:
        self._wake_at = at
        if self._alarm is not None:
            self._alarm.cancel()
        delay = max(0.0, at - self._clock())
        self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        """Wake up, unless the loop's coarse timer came before the time."""
        if self._clock() < self._wake_at:
            self._set_alarm(self._wake_at)
        else:
            self._inbox.wake()
