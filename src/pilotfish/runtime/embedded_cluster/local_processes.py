"""Containers of local images, run as processes of this user on this machine.

Each process leads a group of its own, which is killed with the pod and with the cluster; its output
is reported line by line. What a pod finds at /var/run/secrets/kubernetes.io/serviceaccount is in a
private folder here, since that path can only be made by root:

- `KUBECONFIG` names a kubeconfig with the ServiceAccount's token: pilotfish, kubectl and whatever
  else looks for a kubeconfig use it;
- `KUBERNETES_SERVICE_HOST` and `..._PORT` are set, and the in-cluster configuration of the Python
  clients `kubernetes` and `kubernetes_asyncio` is led to the folder (`in_cluster_shim`);
- `PILOTFISH_SERVICE_ACCOUNT` names the folder for everyone else. A program that itself reads the
  fixed path (client-go's `rest.InClusterConfig`) does not find it.

A process that makes itself a session of its own, or a cluster that is killed with SIGKILL, leaves
processes behind: without root there is no namespace to end them with.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

from pilotfish.cluster.kubelet.processes import (
    Effect,
    Input,
    ProcessExited,
    ProcessOutput,
    ProcessStarted,
    StartProcess,
    StopProcess,
)

LINE_BYTES: Final = 16 * 1024  # longer lines are cut, as container runtimes do
DRAIN_SECONDS: Final = 1.0  # for output after a process has ended
CANNOT_START: Final = 128
HTTPS_PORT: Final = 443
OWN_VARIABLES: Final = ("KUBECONFIG", "KUBERNETES_")  # of the user's environment: not passed on
_SHIM: Final = Path(__file__).parent / "in_cluster_shim"


class _Process:
    """One process, from its start to its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child: asyncio.subprocess.Process | None = None
        self.kill_at: asyncio.TimerHandle | None = None
        self.grace_seconds: float | None = None

    async def wait(self) -> int:
        """Wait for its end and give its exit code; minus the signal that killed it."""
        return 0 if self.child is None else await self.child.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; one that is gone is no error."""
        if self.child is not None:
            try:
                os.killpg(self.child.pid, number)
            except ProcessLookupError:
                return


class LocalProcesses:
    """Executes the kubelets' effects; what comes of them is answered as inputs.

    Args:
        tasks: owns the tasks that wait for processes.
        answer: takes the inputs.
        server: URL of the API server, as processes reach it.
        env: the user's environment, which processes get but for what names another cluster.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        answer: Callable[[Input], None],
        server: str,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._answer = answer
        self._tasks = tasks
        self._server = server
        self._env = {k: v for k, v in env.items() if not k.startswith(OWN_VARIABLES)}
        self._folder: Path | None = None
        self._processes: dict[tuple[str, str], _Process] = {}
        self._running: set[asyncio.Task[None]] = set()

    def execute(self, effect: Effect) -> None:
        """Execute an effect; returns at once."""
        key = (effect.uid, effect.container)
        if isinstance(effect, StopProcess):
            self._stop(key, effect.grace_seconds)
            return
        # known from now on: the next effect may stop it before its task begins
        process = self._processes[key] = _Process(self._private_folder())
        task = self._tasks.create_task(self._run(key, process, effect))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self, grace_seconds: float) -> None:
        """End all processes, kill those that do not, and remove all files."""
        for key in list(self._processes):
            self._stop(key, grace_seconds)
        if self._running:
            await asyncio.wait(self._running, timeout=grace_seconds + 2 * DRAIN_SECONDS)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _run(self, key: tuple[str, str], process: _Process, start: StartProcess) -> None:
        output, inlet = os.pipe()
        try:
            process.child = await asyncio.create_subprocess_exec(
                *start.argv,
                env=self._environment(process.folder, start),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=inlet,
                stderr=inlet,
                start_new_session=True,
            )
        except OSError as error:
            os.close(output)
            self._forget(key, process)
            why = f"{start.argv[0]}: {error.strerror or error}"
            self._answer(ProcessExited(*key, CANNOT_START, why))
            return
        finally:
            os.close(inlet)
        self._answer(ProcessStarted(*key))
        if process.grace_seconds is not None:
            self._stop(key, process.grace_seconds)
        try:
            code = await self._follow(key, process, output)
        finally:
            process.signal(signal.SIGKILL)
            self._forget(key, process)
        self._answer(ProcessExited(*key, code if code >= 0 else 128 - code))

    async def _follow(self, key: tuple[str, str], process: _Process, output: int) -> int:
        """Report the output of a process until it has ended, and give its exit code.

        The output is a pipe of our own: asyncio's would hold back the end of a process until its
        last child has closed it.
        """
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb")
        )
        reading = asyncio.create_task(self._read(key, stream))
        try:
            code = await process.wait()
            process.signal(signal.SIGKILL)  # what it left behind in its group
            await asyncio.wait([reading], timeout=DRAIN_SECONDS)
        finally:
            reading.cancel()
            transport.close()
        return code

    async def _read(self, key: tuple[str, str], stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(LINE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) >= LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._say(key, line)
        if rest:
            self._say(key, rest)

    def _say(self, key: tuple[str, str], line: bytes) -> None:
        self._answer(ProcessOutput(*key, line.decode(errors="replace").rstrip("\r")))

    def _stop(self, key: tuple[str, str], grace_seconds: float) -> None:
        process = self._processes.get(key)
        if process is None:
            return
        process.grace_seconds = grace_seconds
        process.signal(signal.SIGTERM)
        if process.kill_at is not None:
            process.kill_at.cancel()
        loop = asyncio.get_running_loop()
        process.kill_at = loop.call_later(grace_seconds, process.signal, signal.SIGKILL)

    def _forget(self, key: tuple[str, str], process: _Process) -> None:
        if process.kill_at is not None:
            process.kill_at.cancel()
        if self._processes.get(key) is process:
            del self._processes[key]
        shutil.rmtree(process.folder, ignore_errors=True)

    def _private_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="pilotfish-"))
        return Path(tempfile.mkdtemp(dir=self._folder))

    def _environment(self, folder: Path, start: StartProcess) -> dict[str, str]:
        url = urlsplit(self._server)
        port = str(url.port or HTTPS_PORT)
        env = {
            **self._env,
            "PYTHONUNBUFFERED": "1",
            "KUBERNETES_SERVICE_HOST": url.hostname or "",
            "KUBERNETES_SERVICE_PORT": port,
            "KUBERNETES_SERVICE_PORT_HTTPS": port,
        }
        if start.files:
            for name, content in start.files.items():
                _write_private(folder / name, content)
            kubeconfig = folder / "kubeconfig"
            _write_private(kubeconfig, yaml.safe_dump(self._kubeconfig(folder, start)))
            env["PILOTFISH_SERVICE_ACCOUNT"] = str(folder)
            env["KUBECONFIG"] = str(kubeconfig)
            paths = [str(_SHIM), *filter(None, [env.get("PYTHONPATH")])]
            env["PYTHONPATH"] = os.pathsep.join(paths)
        return env | dict(start.env)

    def _kubeconfig(self, folder: Path, start: StartProcess) -> dict[str, object]:
        cluster = {"server": self._server, "certificate-authority": str(folder / "ca.crt")}
        context = {
            "cluster": "pilotfish",
            "user": "pod",
            "namespace": start.files.get("namespace", "default"),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "pilotfish", "cluster": cluster}],
            "users": [{"name": "pod", "user": {"tokenFile": str(folder / "token")}}],
            "contexts": [{"name": "pod", "context": context}],
            "current-context": "pod",
        }


def _write_private(path: Path, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
