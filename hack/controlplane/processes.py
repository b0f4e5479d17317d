"""Child processes that cannot outlive their owner.

Theory of operation: all children join the process group of a guard, a shell that waits for the end
of a pipe which only the owner holds. However the owner ends, the kernel closes the pipe and the
guard kills its whole group, itself included. Joining happens between fork and exec, so that there
is no moment in which a child could be missed. The group is not the terminal's, hence Ctrl-C
reaches only the owner.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = 'read -r _; rm -rf "$@" || rm -rf "$@"; kill -KILL 0'  # etcd writes meanwhile
LOG_TAIL_LINES = 15


class ControlPlaneError(Exception):
    """A part of the control plane did not start, died, or refused a command."""


class ProcessGroup:
    """Processes by name, each with its log in a folder.

    Args:
        logs: folder of the log files.
        scratch: folders that the guard removes when the owner is killed.
    """

    def __init__(self, logs: Path, scratch: Sequence[Path]) -> None:
        self.logs = logs
        self._scratch = scratch
        self._guard: subprocess.Popen[bytes] | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Pids of the processes that were started and not stopped."""
        return {name: child.pid for name, child in self._children.items()}

    @property
    def group(self) -> int:
        """The guard's process group; whatever joins it ends with the owner."""
        if self._guard is None:
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", GUARD, "pilotfish-guard", *map(str, self._scratch)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        return self._guard.pid

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process; its output is appended to NAME.log.

        Raises:
            ControlPlaneError: one of that name runs already.
        """
        if name in self._children:
            raise ControlPlaneError(f"{name} runs already: stop it first")
        with self._log(name).open("ab") as log:
            self._children[name] = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                process_group=self.group,
            )

    def stop(self, name: str, *, kill: bool = False, grace: float = 10.0) -> None:
        """End one process: by SIGTERM, and by SIGKILL when asked or after the grace in seconds."""
        child = self._children.pop(name)
        if not kill:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(grace)
        child.kill()
        child.wait()

    def check(self) -> None:
        """Raise a ControlPlaneError with the end of the log if a process has died by itself."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ControlPlaneError(
                    f"{name} ended with {child.returncode}: {self.log_tail(name)}"
                )

    def log_tail(self, name: str) -> str:
        """Return the last lines of a process's log."""
        lines = self._log(name).read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def close(self) -> None:
        """Kill whatever is left and wait for it."""
        if self._guard is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        for child in (*self._children.values(), self._guard):
            child.kill()  # also when the guard was killed before and its group with it
            child.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._children.clear()
        self._guard = None

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"
