"""`pilotfish demo`, as a person sees it."""

from __future__ import annotations

import subprocess
import sys

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
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Energy saving: fill the nodes that are on;")
    assert "EnergySaving 43" in done.stdout
    assert "In sum: 3 nodes could be switched off, which saves 540 W." in done.stdout


def test_demo_tells_its_story_and_leaves_nothing_running() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pilotfish", "demo", "--fast"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    found = [done.stdout.find(chapter) for chapter in CHAPTERS]
    assert found == sorted(found)
    assert found[0] >= 0
    assert "nodes are available: 3 node(s) had untolerated taint(s)" in " ".join(
        done.stdout.replace("│", " ").split()
    )
    assert not done.stderr
