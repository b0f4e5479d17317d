"""Recording: the input log, written while the scheduler runs."""

from __future__ import annotations

from typing import BinaryIO

from pilotfish.core.effects import Effect
from pilotfish.core.inputs import Input
from pilotfish.core.log import Call, DecideCall, HandleCall, encode_call
from pilotfish.core.scheduler import Scheduler


class RecordedScheduler:
    """Writes every call down before the scheduler sees it: the call that breaks it is in the log.

    Args:
        scheduler: takes the calls.
        log: one line a call; the file grows as long as the scheduler runs.
    """

    def __init__(self, scheduler: Scheduler, log: BinaryIO) -> None:
        self._scheduler = scheduler
        self._log = log

    def handle(self, news: Input, now: float) -> list[Effect]:
        """Take an input."""
        self._write(HandleCall(now, news))
        return self._scheduler.handle(news, now)

    def decide(self, now: float, max_cycles: int) -> tuple[list[Effect], bool]:
        """Run scheduling cycles."""
        self._write(DecideCall(now, max_cycles))
        return self._scheduler.decide(now, max_cycles)

    def _write(self, call: Call) -> None:
        self._log.write(encode_call(call) + b"\n")
        self._log.flush()
