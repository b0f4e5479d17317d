"""Usage: the CPU time and the peak memory of a process with its children, on a shared clock."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import psutil

SAMPLE_SECONDS: Final = 0.1


class Usage(msgspec.Struct, frozen=True):
    """What a process has used so far.

    Attributes:
        cpu_seconds: of all its threads and children.
        peak_bytes: resident memory at its highest sample.
    """

    cpu_seconds: float
    peak_bytes: int


class UsageMeter:
    """Samples a process until cancelled; children that came and went between samples are missed."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._cpu_seconds: dict[int, float] = {}
        self._peak_bytes = 0

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_SECONDS)

    def sample(self) -> Usage:
        """Look at the process now."""
        resident = 0
        try:
            family = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        for process in family:
            try:
                cpu = process.cpu_times()
                resident += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self._cpu_seconds[process.pid] = cpu.user + cpu.system
        self._peak_bytes = max(self._peak_bytes, resident)
        return Usage(sum(self._cpu_seconds.values()), self._peak_bytes)
