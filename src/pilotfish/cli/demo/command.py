"""`pilotfish demo`: a short story, with nothing installed but this package."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console

from pilotfish.cli.demo.policy import show_policy
from pilotfish.cli.demo.stage import Stage, StoryError, raised_stage
from pilotfish.cli.demo.story import EVENTS, PAUSE_SECONDS, Story
from pilotfish.cli.interruption import run_until_interrupted
from pilotfish.cli.options import debug_option
from pilotfish.cli.policy_options import REFERENCE, find_policy
from pilotfish.runtime.policies import shipped_policies
from pilotfish.runtime.trouble import StartError

HELP = """Tell a short story: a cluster of simulated nodes, real pods, and why each goes where.

It starts an embedded cluster and a scheduler on loopback, plays arrivals, a full cluster, a removed
taint, a failing node and a backlog, and ends both. Nothing of yours is touched."""


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
    console = Console()
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
            await _sum_up(stage, console)


async def _sum_up(stage: Stage, console: Console) -> None:
    events = await stage.items(EVENTS)
    reasons = [event["reason"] for event in events]
    console.print(
        f"In all: {reasons.count('Scheduled')} pods were scheduled. 'huge' still waits, and "
        "`kubectl describe pod huge` would say why:"
    )
    for event in events:
        if event["reason"] == "FailedScheduling" and event["regarding"]["name"] == "huge":
            console.print(f"  {event['type']}  {event['reason']}  {event['note']}", style="yellow")
    console.print(
        "\nWhat to try next:\n"
        "  pilotfish cluster            a cluster of your own, for kubectl\n"
        "  pilotfish run --help         a scheduler for it, or for a real one\n"
        "  docs/explanation             how it works",
        highlight=False,
    )
