"""Schedulers of any kind are started, heard and ended."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from living import wait_for_the_end
from pilotfish.compare import scheduler_process
from pilotfish.compare.heard import Heard
from pilotfish.compare.scheduler_process import SchedulerProcess

SECONDS = 90.0


class Announcement(Heard):
    """Tells when the first pod is named."""

    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Event()

    def line(self, text: str, now: float) -> None:
        """Take a line."""
        super().line(text, now)
        if self.detections:
            self.came.set()


def play(folder: Path, source: str) -> SchedulerProcess:
    """Run a script until it has named a pod, and end it."""
    script = folder / "scheduler.py"
    script.write_text(textwrap.dedent(source))

    async def run() -> SchedulerProcess:
        argv, heard = [sys.executable, str(script)], Announcement()
        async with (
            asyncio.timeout(SECONDS),
            SchedulerProcess.started(argv, folder / "kubeconfig", folder / "log") as process,
        ):
            process.heard = heard
            await heard.came.wait()
        return process

    return asyncio.run(run())


def test_a_line_without_end_does_not_stop_the_listening(tmp_path: Path) -> None:
    source = """
    import time
    print("noise" * 1_000_000)
    print("Pod added default/a", flush=True)
    time.sleep(60)
    """
    assert play(tmp_path, source).heard.added == 1


def test_a_daemon_that_holds_the_output_open_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_process, "STOP_SECONDS", SECONDS)
    source = """
    import pathlib, subprocess, sys, time
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    daemon = subprocess.Popen(sleeper, start_new_session=True)
    pathlib.Path(__file__).with_name("daemon").write_text(str(daemon.pid))
    print("Pod added default/a", flush=True)
    time.sleep(60)
    """
    play(tmp_path, source)
    psutil.Process(int((tmp_path / "daemon").read_text())).kill()


def test_children_that_ignore_sigterm_end_with_their_scheduler(tmp_path: Path) -> None:
    source = """
    import os, pathlib, signal, time
    if os.fork():
        time.sleep(60)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path(__file__).with_name("child").write_text(str(os.getpid()))
    print("Pod added default/a", flush=True)
    time.sleep(60)
    """
    play(tmp_path, source)
    child = int((tmp_path / "child").read_text())
    wait_for_the_end(child)


def test_what_is_heard_but_not_kept_begins_where_the_log_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_process, "LOG_BYTES", 1)
    source = """
    import time
    print("x" * 1_000_000)
    print("Pod added default/a", flush=True)
    time.sleep(60)
    """
    process = play(tmp_path, source)
    assert process.heard.added == 1
    assert len(process.output()) <= scheduler_process.CHUNK_BYTES
