"""`pilotfish demo`, as a person sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"

CHAPTERS = (
    "1. Six replicas arrive",
    "2. Big jobs fill the nodes",
    "... batch-0 ends, and its room goes to the late one",
    "3. Gpu nodes are tainted",
    "... the taint on gpu-1 is removed",
    "fails: its replica is made anew",
    "5. A backlog of 60",
    "60 pods created and bound",
    "What to try next",
)


def test_demo_shows_what_a_policy_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pilotfish", "demo", "--policy", "energy-saving"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Energy saving: fill the nodes that are on;")
    assert "EnergySaving 43" in done.stdout
    assert "In sum: 3 nodes could be switched off, which saves 540 W." in done.stdout


def test_demo_tells_its_story_and_leaves_nothing_running() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pilotfish", "demo", "--fast"],
        check=False,
        env=os.environ | {"COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    found = [done.stdout.find(chapter) for chapter in CHAPTERS]
    assert found == sorted(found)
    assert found[0] >= 0
    assert "nodes are available: 3 node(s) had untolerated taint(s)" in " ".join(
        done.stdout.replace("│", " ").split()
    )
    assert "79 pods were placed" in done.stdout
    assert not done.stderr
    printed = iter(done.stdout.splitlines())
    for wanted in _shown_in_the_readme():
        assert any(line.rstrip() == wanted for line in printed), f"not printed, or later: {wanted}"


def _shown_in_the_readme() -> list[str]:
    """Return the lines of the demo in the README, without those that say that some are left out."""
    block = README.read_text(encoding="utf-8").partition("What `make demo` shows")[2]
    lines = block.split("```")[1].splitlines()[1:]
    return [line for line in lines if "⋮" not in line]
