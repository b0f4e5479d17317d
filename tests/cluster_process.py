"""`pilotfish cluster` as a child process, and kubectl to drive it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from controlplane import wait_until
from controlplane.binaries import binary

START_SECONDS = 120.0
STOP_SECONDS = 60.0
KUBECTL_SECONDS = 150.0


class ClusterProcess:
    """A running cluster; leaving the `with` block ends it.

    Args:
        folder: for its kubeconfig and its output.
        *options: further options of `pilotfish cluster`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.kubeconfig = folder / "kubeconfig"
        self._output = folder / "output"
        self._argv = [sys.executable, "-m", "pilotfish", "cluster"]
        self._argv += ["--kubeconfig", str(self.kubeconfig), *options]
        self._env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self._env["HOME"] = str(folder)  # nothing of the user's is touched or used

    def __enter__(self) -> Self:
        with self._output.open("w") as output:
            self.child = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
            )
        try:
            wait_until(self._is_up, "the cluster is up", START_SECONDS)
        except BaseException:
            self.child.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is not None:
            sys.stderr.write(f"--- the cluster said:\n{self.output}\n")

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self._output.read_text()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it, and return its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            return self.child.wait(STOP_SECONDS)
        finally:
            self.child.kill()

    def kubectl(self, *args: str, stdin: str = "", fails: bool = False) -> str:
        """Run kubectl and return what it writes: to standard error, where it is to fail."""
        done = subprocess.run(
            [kubectl_path(), "--kubeconfig", str(self.kubeconfig), *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            env=self._env | {"KUBECTL_EXTERNAL_DIFF": "diff -u"},
            check=False,
        )
        if (done.returncode != 0) is not fails:
            raise AssertionError(f"kubectl {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr if fails else done.stdout

    def get(self, *args: str) -> Any:
        """Return what `kubectl get -o json` says."""
        return json.loads(self.kubectl("get", *args, "-o", "json"))

    def _is_up(self) -> bool:
        if self.child.poll() is not None:
            raise AssertionError(f"the cluster ended: {self.output}")
        return "is up" in self.output and self.kubeconfig.exists()


def kubectl_path() -> str:
    """Return where kubectl is, or skip the test that asks."""
    try:
        return binary("kubectl")
    except FileNotFoundError:
        pytest.skip("needs kubectl, which `make controlplane` builds")
