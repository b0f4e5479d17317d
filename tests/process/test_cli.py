"""The command line as a person meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import told
from pilotfish import __version__


def pilotfish(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as a process, for what only a process has."""
    return subprocess.run(
        [sys.executable, "-m", "pilotfish", *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
    )


INTERRUPTED_BY_AN_IMPORT = """
import os, signal, sys
from pilotfish.__main__ import main

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
main()
"""


def test_interruption_while_it_starts_is_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_BY_AN_IMPORT],
        check=False,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


TELLING = """
import sys, types
from pilotfish.__main__ import main

sys.modules["pilotfish.cli.main"] = types.SimpleNamespace(main=lambda: print("1 \\u2264 2"))
main()
"""


def test_characters_that_a_terminal_lacks_are_replaced() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TELLING],
        check=False,
        capture_output=True,
        timeout=250,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert (done.stdout, done.stderr) == (b"1 ? 2\n", b"")


def test_version_is_told() -> None:
    done = pilotfish("--version")
    assert (done.returncode, done.stdout) == (0, f"pilotfish {__version__}\n")


def test_help_of_run_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "run", "--help")
    assert code == 0
    for word in (
        "Examples:",
        "pilotfish run --dry-run",
        "[default: my-scheduler]",
        "--interval SECONDS",
        "[default: 2.0",
        "--mode [watch|polling]",
        "exits at once with code 1",
    ):
        assert word in " ".join(out.split()), word


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
    capsys: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    code, out, err = told(capsys, *arguments)
    assert (code, out) == (2, "")
    first, hint = err.splitlines()
    assert first.startswith(error)
    assert hint.startswith("hint: try: pilotfish")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys)
    assert code == 2
    assert "Schedule pods on a cluster." in out


def test_policy_that_reads_an_unknown_kind_is_one_error_with_the_known_ones(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    policy = tmp_path / "mine.py"
    policy.write_text(
        "from pilotfish import Plugin\n\n\nclass Mine(Plugin):\n    name = 'Mine'\n"
        "    reads = {'widgets'}\n\n    def post_bind(self): ...\n"
    )
    code, _, err = told(capsys, "run", "--policy", str(policy))
    assert code == 1
    (error,) = err.splitlines()
    assert error.startswith(f"error: {policy}:4: class Mine: its reads is {{'widgets'}}: ")
    assert "namespaces" in error


def test_missing_configuration_is_one_error_and_one_hint(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(variable, raising=False)
    code, out, err = told(capsys, "run")
    assert (code, out) == (1, "")
    error, hint = err.splitlines()
    assert error.startswith("error: no configuration found")
    assert hint.startswith("hint: ")
    assert "--kubeconfig" in hint


@pytest.mark.parametrize("content", ["{", "current-context: nowhere", ""])
def test_bad_kubeconfig_is_one_error_and_one_hint(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str
) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(content)
    code, _, err = told(capsys, "run", "--kubeconfig", str(kubeconfig))
    assert code == 1
    error, hint = err.splitlines()
    assert error.startswith(f"error: {kubeconfig}")
    assert hint.startswith("hint: ")


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
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error == f"error: {target}: No such file or directory"
    assert hint.startswith("hint: ")
