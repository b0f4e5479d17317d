"""`pilotfish cluster` as a child process, with the ways in that the real ControlPlane has."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import yaml

from controlplane import Api, wait_until
from controlplane.binaries import binary

STOP_SECONDS = 60.0
KUBECTL_SECONDS = 150.0


class EmbeddedCluster:
    """A running embedded cluster; leaving the `with` block ends it.

    Args:
        *options: of `pilotfish cluster`, such as `--nodes`.
        start_seconds: how long it may take to start.

    Attributes:
        api: a client with the admin's token.
        folder: its kubeconfig, CA and log.
        url: the API server.
    """

    api: Api
    folder: Path
    url: str

    def __init__(self, *options: str, start_seconds: float = 120.0) -> None:
        self._options = options
        self._start_seconds = start_seconds
        self.admin_token = secrets.token_hex(16)

    def __enter__(self) -> Self:
        self._scratch = tempfile.TemporaryDirectory(prefix="pilotfish-cluster-")
        self.folder = Path(self._scratch.name)
        argv = [sys.executable, "-m", "pilotfish", "cluster", "--kubeconfig", str(self.kubeconfig)]
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [*argv, "--token", self.admin_token, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(self.folder),
            )
        try:
            wait_until(self._is_up, "an embedded cluster", self._start_seconds)
        except BaseException:
            self.stop()
            raise
        cluster = yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]
        self.url = cluster["server"]
        self.ca_file.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        self.api = Api(self.url, self.ca_file, self.admin_token)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.api.close()
        self.stop()
        self._scratch.cleanup()

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def ca_file(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.crt"

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.pid

    @property
    def peak_bytes(self) -> int:
        """The most resident memory that it has had."""
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    @property
    def cpu_seconds(self) -> float:
        """CPU time, user and system, that it has used."""
        times = psutil.Process(self._child.pid).cpu_times()
        return float(times.user + times.system)

    def kubectl(self, *args: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl as the admin and return what it printed; without `check`, errors too.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            [binary("kubectl"), f"--kubeconfig={self.kubeconfig}", *args],
            check=False,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            env=_environment(self.folder),
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(args)}: {done.stdout}{done.stderr.strip()}")
        return done.stdout + ("" if check else done.stderr)

    def stop(self) -> int:
        """End it by SIGTERM and return its exit code."""
        if self._child.poll() is None:
            self._child.terminate()
        try:
            return self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _is_up(self) -> bool:
        if self._child.poll() is not None:
            raise AssertionError(f"pilotfish cluster ended: {self.log}")
        return "Ctrl-C ends it" in self.log


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the caller's that leads elsewhere: no proxy, no KUBECONFIG, no home."""
    inherited = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    inherited.pop("KUBECONFIG", None)
    return inherited | {"HOME": str(home), "PYTHONUNBUFFERED": "1"}
