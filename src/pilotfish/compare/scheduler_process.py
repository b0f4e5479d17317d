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
from typing import Final, Self

from pilotfish.compare.heard import Heard
from pilotfish.compare.usage import Usage, UsageMeter
from pilotfish.runtime.trouble import StartError

STOP_SECONDS: Final = 10.0
DRAIN_SECONDS: Final = 1.0  # a daemon that it left behind may hold its output open for ever
LAST_LINES: Final = 5
CHUNK_BYTES: Final = 1 << 16
LINE_BYTES: Final = 1 << 20  # of a longer line only the end is heard
LOG_BYTES: Final = 1 << 28  # the rest of its output is heard, but not kept


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
        async with _pipe() as (reader, output):
            try:
                child = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    env=environment,
                    process_group=0,  # Ctrl-C is ours to pass on
                )
            except OSError as error:
                hint = "check the command of --against"
                raise StartError(f"cannot start {argv[0]}: {error.strerror}", hint=hint) from error
            finally:
                os.close(output)
            process = cls(child, log)
            reading = asyncio.create_task(process._read(reader))
            sampling = asyncio.create_task(process._usage.run())
            try:
                yield process
            finally:
                sampling.cancel()
                await process._end()
                await asyncio.wait({reading}, timeout=DRAIN_SECONDS)
                reading.cancel()

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

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        with self._log.open("wb") as file:
            while chunk := await reader.read(CHUNK_BYTES):
                if file.tell() < LOG_BYTES:
                    file.write(chunk)
                    file.flush()
                *lines, rest = (rest + chunk).split(b"\n")
                rest = rest[-LINE_BYTES:]
                for line in lines:
                    self._said(line)
        if rest:
            self._said(rest)

    def _said(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        self._last_lines.append(text)
        self.heard.line(text, time.monotonic())

    async def _end(self) -> None:
        """End it, and then those of its children that stayed behind."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._child.wait(), STOP_SECONDS)


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """Make a pipe of our own: with that of asyncio, `wait` waits for all who hold its other end."""
    source, sink = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb")
    )
    try:
        yield reader, sink
    finally:
        transport.close()
