"""A newcomer goes through docs/lab on the embedded cluster, copying each command in order."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

import pytest

from cluster_process import kubectl_path
from guide import GUIDE, PAGES, Block, blocks, differs
from official_client import client_python

ROOT = GUIDE.parent.parent
SECONDS = 900
MARK = "@@@ "


def environment(home: Path) -> dict[str, str]:
    """Make that of somebody who has Python, kubectl and this repository.

    What pip would fetch is found where `make` has installed it: the guide is run without a network.
    """
    installed = [
        sysconfig.get_path("purelib"),
        *map(str, client_python().parents[1].glob("lib/*/site-packages")),
    ]
    programs = [str(Path(sys.base_prefix) / "bin"), str(Path(kubectl_path()).parent)]
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "PATH": os.pathsep.join([*programs, kept["PATH"]]),
        "PYTHONPATH": os.pathsep.join(installed),
        "COLUMNS": "200",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def script(steps: list[Block]) -> str:
    """Write all blocks as one script, which ends at the first command that fails."""
    lines = ["set -e -o pipefail"]
    for step in steps:
        lines.append(f"echo {shlex.quote(MARK + step.place)}")
        if "fails" in step.marks:
            lines.append(f"if\n{step.commands}then echo 'this should have failed'; exit 1; fi")
        else:
            lines.append(step.commands)
    return "\n".join(lines)


@pytest.mark.timeout(SECONDS + 20)
def test_every_command_for_the_embedded_cluster_prints_what_the_guide_shows(tmp_path: Path) -> None:
    steps = list(blocks("embedded"))
    (tmp_path / "pilotfish").symlink_to(ROOT)
    output = tmp_path / "output"
    with output.open("w") as file:
        shell = subprocess.Popen(
            ["bash", "-c", script(steps)],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = shell.wait(SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
    parts = output.read_text().split(MARK)[1:]
    printed = dict(part.split("\n", 1) for part in parts)
    assert code == 0, f"a command of {parts[-1]}"
    assert list(printed) == [step.place for step in steps]
    for step in steps:
        wrong = differs(printed[step.place], step.shown) if step.shown else ""
        assert not wrong, f"{step.place}: {wrong!r} is not what was printed:\n{printed[step.place]}"


def test_every_page_is_linked_and_every_block_says_whom_it_is_for() -> None:
    index = (GUIDE / "README.md").read_text()
    assert {path.name for path in GUIDE.glob("*.md")} >= set(PAGES)
    for path in GUIDE.glob("*.md"):
        assert path.name == "README.md" or f"({path.name})" in index
        for line in path.read_text().splitlines():
            if line.startswith("```sh"):
                assert {"embedded", "kind"} & set(line.split()), f"{path}: {line}"


@pytest.mark.parametrize("step", list(blocks("kind")), ids=lambda step: step.place)
def test_commands_for_kind_are_sound(step: Block) -> None:
    done = subprocess.run(
        ["bash", "-n"], input=step.commands, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("printed", "shown", "wrong"),
    [
        ("a  b 12s\n", "a b ...\n", ""),
        ("a\nb\nc\n", "a\n...\nc\n", ""),
        ("a\nb\nc\n", "a\n...\n", ""),
        ("a\nb\n", "a\n", "b"),
        ("a\n", "a\nb\n", "b"),
        ("a\nx\n", "...\nb\n", "b"),
    ],
)
def test_what_is_printed_is_compared_line_by_line(printed: str, shown: str, wrong: str) -> None:
    assert differs(printed, shown) == wrong
