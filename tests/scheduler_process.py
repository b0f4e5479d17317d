"""`pilotfish run` as a child process, watched as a person would watch it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from controlplane import wait_until
from controlplane.waiting import WAIT_SECONDS


class SchedulerProcess:
    """A running scheduler; leaving the `with` block ends it.

    Args:
        kubeconfig: how it reaches the API server; None leaves that to `env`.
        *options: further options of `pilotfish run`.
        scheduler_name: whose pods it places.
        config: the configuration that says so instead.
        env: variables beside the inherited ones.
    """

    def __init__(
        self,
        kubeconfig: Path | None,
        *options: str,
        scheduler_name: str = "my-scheduler",
        config: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.scheduler_name = scheduler_name
        self._env = {"PYTHONUNBUFFERED": "1", **(env or {})}
        self._argv = [sys.executable, "-m", "pilotfish", "run"]
        if kubeconfig is not None:
            self._argv += ["--kubeconfig", str(kubeconfig)]
        named = (
            ["--scheduler-name", scheduler_name] if config is None else ["--config", str(config)]
        )
        self._argv += [*named, *options]
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        inherited = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self._child = subprocess.Popen(
            self._argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=inherited | self._env,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(r"scheduler starting")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is not None:  # what pytest shows beside the failure
            print(f"--- the last lines of {self.scheduler_name}:", *self._lines[-40:], sep="\n")  # noqa: T201

    @property
    def lines(self) -> Sequence[str]:
        """What it has printed so far."""
        return tuple(self._lines)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._child.poll() is None

    @property
    def rss_bytes(self) -> int:
        """Its resident memory now."""
        return int(psutil.Process(self._child.pid).memory_info().rss)

    @property
    def cpu_seconds(self) -> float:
        """CPU time, user and system, that it has used."""
        times = psutil.Process(self._child.pid).cpu_times()
        return float(times.user + times.system)

    def count(self, pattern: str) -> int:
        """Count the lines that match."""
        return sum(re.search(pattern, line) is not None for line in self.lines)

    def wait_for(self, pattern: str, timeout: float = WAIT_SECONDS) -> None:
        """Wait for a line that matches; it is an error if the process ends without one."""

        def seen() -> bool:
            if self.count(pattern):
                return True
            if not self.is_running:
                self._reader.join()
                if not self.count(pattern):
                    raise AssertionError(f"it ended without {pattern!r}: {self._lines}")
            return bool(self.count(pattern))

        wait_until(seen, f"a line like {pattern!r}", timeout)

    def send_signal(self, number: signal.Signals) -> None:
        """Stop it, let it go on, or kill it."""
        self._child.send_signal(number)

    def stop(self) -> int:
        """End it by SIGTERM and return its exit code."""
        if self.is_running:
            self._child.terminate()
        return self.end()

    def end(self) -> int:
        """Wait until it has ended and return its exit code."""
        try:
            code = self._child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._child.kill()
            code = self._child.wait()
        self._reader.join()
        if self._child.stdout is not None:
            self._child.stdout.close()
        return code

    def _read(self) -> None:
        if self._child.stdout is not None:
            for line in self._child.stdout:
                self._lines.append(line.rstrip("\n"))  # one at a time: others read meanwhile
