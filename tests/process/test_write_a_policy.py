"""docs/how-to/write-a-policy.md: its files are written, its commands typed, its output seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import wait_until
from embedded_cluster import EmbeddedCluster

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-policy.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\S+\.(?:py|yaml|toml))\n")
PROGRAMS = {"pilotfish": "pilotfish", "pytest": "pytest"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedCluster]:
    """What `pilotfish run` finds."""
    with EmbeddedCluster("--nodes", "1", "--no-scheduler") as running:
        yield running


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command with the lines that it shows."""
    for part in block.split("$ ")[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def test_every_block_of_the_page_works(tmp_path: Path, cluster: EmbeddedCluster) -> None:
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == PAGE.read_text().count("```") / 2
    typed = 0
    for language, text in blocks:
        if language == "console":
            for command, shown in commands(text):
                run(command, shown, tmp_path, cluster)
                typed += 1
            continue
        file = NAMED.match(text)
        assert file, f"a block without a file name: {text}"
        (tmp_path / file[1]).write_text(text)
        if file[1].endswith(".toml"):
            assert "pilotfish.policies" in tomllib.loads(text)["project"]["entry-points"]
    assert typed > 0


def run(command: str, shown: list[str], folder: Path, cluster: EmbeddedCluster) -> None:
    """Type a command; it must show these lines. One that would go on for ever is ended then."""
    program, *arguments = command.split()
    output = folder / "output"
    with output.open("wb") as written:
        child = subprocess.Popen(
            [sys.executable, "-m", PROGRAMS[program], *arguments],
            cwd=folder,
            stdout=written,
            stderr=subprocess.STDOUT,
            env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig), "COLUMNS": "200"},
        )
    ends = arguments[0] != "run"

    def all_shown() -> bool:
        return child.poll() is not None or (not ends and missing(output, shown) == [])

    wait_until(all_shown, f"{command}: {shown}")
    if not ends:
        child.terminate()
    assert child.wait(60) == 0, f"{command}: {output.read_text()}"
    assert missing(output, shown) == [], f"{command}: {output.read_text()}"


def missing(output: Path, shown: list[str]) -> list[str]:
    text = output.read_text()
    return [line for line in shown if line not in text]
