"""Keeps a cluster going on the real clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.kubelet.processes import Effect, Input, ProcessOutput
from pilotfish.cluster.store import Change

RETRY_SECONDS: Final = 1.0
TURNS: Final = 8  # of the loop between steps of a backlog; a request takes several to be answered
log = logging.getLogger(__name__)


class ForwardClock:
    """Seconds since the epoch that never go back.

    Where the machine's clock is set back, time goes on from where it was: deadlines would lie far
    ahead otherwise, and no pod would start until the clock has reached them again.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._ahead = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        now = self._clock()
        self._ahead += max(0.0, self._last - now)
        self._last = now
        return now + self._ahead


class ClusterClock:
    """Lets controllers and kubelets work after each write and when time gives them a reason.

    Args:
        cluster: what is kept going.
        clock: seconds since the epoch.
        on_output: called when a process has written something.
    """

    def __init__(
        self, cluster: Cluster, clock: Callable[[], float], on_output: Callable[[], None]
    ) -> None:
        self._cluster = cluster
        self._clock = clock
        self._on_output = on_output
        self._event = asyncio.Event()
        cluster.store.on_change.append(self._wake)

    async def run(self, execute: Callable[[Effect], None]) -> None:
        """Serve until cancelled; `execute` starts and stops processes.

        A long backlog is worked off in steps, between which requests are answered.
        """
        loop = asyncio.get_running_loop()
        effects = self._cluster.kubelets.processes.effects
        while True:
            deadline = self._step()
            self._event.clear()  # what it wrote itself is dealt with
            while effects:
                execute(effects.popleft())
            delay = None if deadline is None else deadline - self._clock()
            if delay is not None and delay <= 0:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                continue
            alarm = None if delay is None else loop.call_later(delay, self._event.set)
            await self._event.wait()
            if alarm is not None:
                alarm.cancel()

    def _step(self) -> float | None:
        """Take a step; a fault of one controller is told and does not end the server."""
        try:
            return self._cluster.step(self._clock())
        except Exception:
            log.exception("the controllers failed; they go on in %s s", RETRY_SECONDS)
            return self._clock() + RETRY_SECONDS

    def report(self, event: Input) -> None:
        """Tell the kubelets what became of a process."""
        self._cluster.kubelets.handle(event, self._clock())
        if isinstance(event, ProcessOutput):
            self._on_output()
        else:
            self._event.set()

    def _wake(self, _change: Change) -> None:
        self._event.set()
