"""The command line as a person meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pilotfish import __version__

pytestmark = pytest.mark.timeout(60)


def pilotfish(
    *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "pilotfish", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", **(env or {})},
    )


def test_version_is_told() -> None:
    done = pilotfish("--version")
    assert (done.returncode, done.stdout) == (0, f"pilotfish {__version__}\n")


def test_help_of_run_teaches() -> None:
    done = pilotfish("run", "--help")
    assert done.returncode == 0
    for word in (
        "Examples:",
        "pilotfish run --dry-run",
        "[default: my-scheduler]",
        "--interval SECONDS",
        "[default: 2.0",
        "--mode [watch|polling]",
        "exits at once with code 1",
    ):
        assert word in " ".join(done.stdout.split()), word


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["run", "--inteval", "3"],
            "error: no such option '--inteval'. Did you mean '--interval'?",
        ),
        (["run", "--interval", "0"], "error: invalid value for '--interval': 0.0"),
        (["run", "--mode", "push"], "error: invalid value for '--mode': 'push'"),
        (["rn"], "error: no such command 'rn'"),
    ],
)
def test_wrong_command_line_exits_with_2_and_names_the_help(
    arguments: list[str], error: str
) -> None:
    done = pilotfish(*arguments)
    assert done.returncode == 2
    first, hint = done.stderr.splitlines()
    assert first.startswith(error)
    assert hint.startswith("hint: try: pilotfish")
    assert done.stdout == ""


def test_without_a_command_the_help_is_shown() -> None:
    done = pilotfish()
    assert done.returncode == 2
    assert "Schedule pods on a cluster." in done.stdout


def complaint(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """Return the error and the hint of a command that could not start."""
    assert done.returncode == 1, done.stderr
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error, hint


def test_policy_that_reads_an_unknown_kind_is_one_error_and_one_hint(tmp_path: Path) -> None:
    policy, kubeconfig = tmp_path / "mine.py", tmp_path / "kubeconfig"
    policy.write_text(
        "from pilotfish import Plugin\n\n\nclass Mine(Plugin):\n    name = 'Mine'\n"
        "    reads = {'widgets'}\n\n    def post_bind(self): ...\n"
    )
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "x", "context": {"cluster": "c", "user": ""}}
    content = {"clusters": [cluster], "contexts": [context], "current-context": "x"}
    kubeconfig.write_text(json.dumps(content))
    options = ("--kubeconfig", str(kubeconfig), "--policy", str(policy))
    done = pilotfish("run", *options, env={"PYTHONPATH": os.environ.get("PYTHONPATH", "")})
    error, hint = complaint(done)
    assert error == "error: a plugin reads widgets, which the scheduler does not know"
    assert "namespaces" in hint


def test_missing_configuration_is_one_error_and_one_hint(tmp_path: Path) -> None:
    done = pilotfish("run", env={"HOME": str(tmp_path)})
    error, hint = complaint(done)
    assert "no configuration found" in error
    assert "--kubeconfig" in hint
    assert done.stdout == ""


@pytest.mark.parametrize("content", ["{", "current-context: nowhere", ""])
def test_bad_kubeconfig_is_one_error_and_one_hint(tmp_path: Path, content: str) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(content)
    error, _ = complaint(pilotfish("run", "--kubeconfig", str(kubeconfig)))
    assert str(kubeconfig) in error


def test_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(
        """
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
"""
    )
    target = str(tmp_path / "missing" / "log")
    done = pilotfish("run", "--kubeconfig", str(kubeconfig), "--record", target)
    error, _ = complaint(done)
    assert error == f"error: {target}: No such file or directory"
