"""`pilotfish demo`: a short story, with nothing installed but this package."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pilotfish.cli.called import as_called
from pilotfish.cli.demo.board import Board
from pilotfish.cli.demo.policy import show_policy
from pilotfish.cli.demo.stage import StoryError, raised_stage
from pilotfish.cli.demo.story import PAUSE_SECONDS, Story
from pilotfish.cli.interruption import run_until_interrupted
from pilotfish.cli.options import debug_option
from pilotfish.cli.policy_options import REFERENCE, find_policy
from pilotfish.runtime.policies import shipped_policies
from pilotfish.runtime.trouble import StartError

HELP = """Tell a short story: a cluster of simulated nodes, real pods, and why each goes where.

It starts an embedded cluster and a scheduler on loopback, plays arrivals, a full cluster, a removed
taint, a failing node and a backlog, and ends both. Nothing of yours is touched."""

NEXT_STEPS: Final = (
    ("cluster", "a cluster of your own, for kubectl"),
    ("demo --policy bin-packing", "what a policy changes"),
    ("policy new mine", "begin one of yours"),
    ("run --help", "a scheduler for real clusters"),
)


@click.command("demo", help=HELP, short_help="See it decide, on a cluster of its own.")
@click.option("--fast", is_flag=True, help="Without pauses to read.")
@click.option(
    "--policy",
    "reference",
    metavar=REFERENCE,
    help="Show what this policy does, instead: FILE.py[:NAME], or the name of one that comes with "
    "pilotfish: " + ", ".join(shipped_policies()) + ".",
)
@debug_option(expose_value=False)
def demo_command(*, fast: bool, reference: str | None) -> None:
    """Play the demo."""
    console = Console(highlight=False)
    if reference is None:
        playing = _play(console, 0.0 if fast else PAUSE_SECONDS)
    else:
        playing = show_policy(console, reference, find_policy(reference))
    try:
        run_until_interrupted(playing)
    except StoryError as error:
        raise StartError(f"the demo stopped: {error}", hint="try it again") from error
    except KeyboardInterrupt:
        console.print("stopped")


async def _play(console: Console, pause_seconds: float) -> None:
    console.print("Starting a cluster of 12 simulated nodes, 3 of them tainted gpu nodes ...\n")
    with tempfile.TemporaryDirectory(prefix="pilotfish-demo-") as folder:
        async with raised_stage(Path(folder)) as stage:
            await Story(stage, console, pause_seconds).tell()
            _sum_up(stage.board, console)


def _sum_up(board: Board, console: Console) -> None:
    console.print(
        f"{board.placed} pods were placed. huge still waits, and "
        "`kubectl describe pod huge` would say why:"
    )
    console.print(Padding(Text(board.rows["huge"].why, style="yellow"), (0, 0, 1, 2), expand=False))
    console.print("What to try next:")
    steps = [(f"{as_called()} {step}", what) for step, what in NEXT_STEPS]
    width = max(len(step) for step, _ in steps)
    for step, what in steps:
        console.print(f"  {step:{width}}  {what}", soft_wrap=True)
