"""A scheduler's process: started for one run, heard, metered and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

from pilotfish.compare.heard import Heard
from pilotfish.compare.usage import Usage, UsageMeter
from pilotfish.runtime.trouble import StartError

STOP_SECONDS: Final = 10.0
LAST_LINES: Final = 5
LINE_BYTES: Final = 1 << 20


class SchedulerProcess:
    """A running scheduler.

    Attributes:
        heard: what it says; may be replaced to count anew.
    """

    def __init__(self, child: asyncio.subprocess.Process, log: Path) -> None:
        self._log = log
        self.heard = Heard()
        self._child = child
        self._usage = UsageMeter(child.pid)
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)

    @classmethod
    @asynccontextmanager
    async def started(cls, argv: list[str], kubeconfig: Path, log: Path) -> AsyncIterator[Self]:
        """Start it; it is ended with the block.

        Args:
            argv: the command.
            kubeconfig: also in its environment, as KUBECONFIG.
            log: where its output goes.

        Raises:
            StartError: there is no such program.
        """
        environment = os.environ | {"KUBECONFIG": str(kubeconfig), "PYTHONUNBUFFERED": "1"}
        try:
            child = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=environment,
                limit=LINE_BYTES,
                process_group=0,  # Ctrl-C is ours to pass on
            )
        except OSError as error:
            raise StartError(
                f"cannot start {argv[0]}: {error.strerror}", hint="check the command of --against"
            ) from error
        process = cls(child, log)
        with log.open("wb") as file:
            reading = asyncio.create_task(process._read(file))
            sampling = asyncio.create_task(process._usage.run())
            try:
                yield process
            finally:
                sampling.cancel()
                await process._end()
                await reading

    @property
    def ended(self) -> str:
        """Why it is no more; empty while it runs."""
        if self._child.returncode is None:
            return ""
        words = " | ".join(self._last_lines) or "nothing"
        return f"the scheduler ended with exit code {self._child.returncode}; it said last: {words}"

    def output(self) -> str:
        """Return what it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def usage(self) -> Usage:
        """Return what it has used so far."""
        return self._usage.sample()

    async def _read(self, file: BinaryIO) -> None:
        if self._child.stdout is None:
            return
        async for line in self._child.stdout:
            file.write(line)
            file.flush()
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            self.heard.line(text, time.monotonic())

    async def _end(self) -> None:
        """End it and its children."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._child.wait(), STOP_SECONDS)
                return
