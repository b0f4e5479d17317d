"""What the demo says of pods, and what it says to try next."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.table import Table

from pilotfish.cli.called import as_called
from pilotfish.cli.demo.board import Board
from pilotfish.cli.demo.command import NEXT_STEPS
from pilotfish.cli.demo.policy import about
from pilotfish.cli.main import cli
from pilotfish.framework.per_node import PerNodePlugin
from pilotfish.plugins.policies import Policy


def rejected(name: str, message: str) -> bytes:
    decision = {"name": name, "message": message, "outcome": "unschedulable"}
    return msgspec.json.encode({"message": message, "decision": decision})


def bound(name: str) -> bytes:
    message = f"Bound default/{name} -> a"
    return msgspec.json.encode({"message": message, "pod": f"default/{name}", "node": "a"})


def drawn(table: Table) -> str:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_the_words_of_a_policy_are_shown_as_they_are() -> None:
    board = Board()
    board.read(rejected("web", "node(s) not in [/prod] nor [red]"))
    assert "node(s) not in [/prod] nor [red]" in drawn(board.by_pod("pods"))


def test_what_was_told_is_told_again_only_when_it_changes() -> None:
    board = Board()
    board.read(rejected("huge", "no room"))
    board.read(rejected("late", "no room"))
    before = board.told()
    board.read(bound("late"))
    text = drawn(board.by_pod("pods", before))
    assert "late" in text
    assert "huge" not in text


def test_pods_that_are_gone_count_among_those_that_were_placed() -> None:
    board = Board()
    board.read(bound("one"))
    board.read(bound("two"))
    board.keep({"two"})
    assert board.placed == 2


def test_a_policy_is_introduced_by_its_class_where_its_file_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OnlyProd(PerNodePlugin):
        """Keep pods on the nodes for production."""

        name = "OnlyProd"

    monkeypatch.setattr(sys.modules[__name__], "__doc__", None)
    assert about(Policy(OnlyProd)) == "Keep pods on the nodes for production."


@pytest.mark.parametrize("step", [step for step, _ in NEXT_STEPS])
def test_what_is_to_be_tried_next_is_a_command(step: str) -> None:
    done = CliRunner().invoke(cli, [*step.split(), "--help"])
    assert done.exit_code == 0, done.output


def test_pilotfish_is_called_by_its_name_only_where_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pilotfish"
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", "")
    assert as_called() == str(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert as_called() == "pilotfish"
