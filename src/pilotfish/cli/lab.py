"""`pilotfish lab`: what a student starts from, and what says how far the scheduler has come."""

from __future__ import annotations

import os
import secrets
import shlex
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from pilotfish.cli.interruption import run_until_interrupted
from pilotfish.cli.lab_views import print_defects, print_finding, print_grade, print_outcome
from pilotfish.cli.options import (
    INTERRUPTED,
    SECONDS,
    at_least,
    context_option,
    debug_option,
    kubeconfig_option,
)
from pilotfish.client import ApiClient, load_config
from pilotfish.compare.contenders import SCHEDULER_NAME, Contender
from pilotfish.lab.examination import Question, ask, examined, questions_of
from pilotfish.lab.findings import CHECKPOINTS, Finding
from pilotfish.lab.skeleton import write_skeleton

PATIENCE_SECONDS = 20.0
DEFAULT_SCHEDULER = "default-scheduler"

CHECK_HELP = """Examine a scheduler by what it does to pods, whoever wrote it.

It makes pods in a namespace of its own (and one in `default`), and for one probe two tainted Node
objects that are no machines; all of it is removed at the end.

\b
With N, what checkpoint N asks for:
{checkpoints}

\b
Examples:
  pilotfish lab check 2     of the scheduler that answers to my-scheduler now
  pilotfish lab check --defects --command 'python scheduler.py'
  pilotfish lab check --grade --report report.md

--command starts the scheduler behind a proxy, so that its requests are seen as well; {{kubeconfig}}
and {{name}} in it are filled in, and KUBECONFIG is set.

Exit code 1 says that something failed.""".format(
    checkpoints="\n".join(f"  {number}  {text}" for number, text in CHECKPOINTS.items())
)


@click.group(
    "lab",
    help="The lab: start from a skeleton, check how far the scheduler has come.",
    short_help="Start the lab, check how far it has come.",
)
def lab_group() -> None:
    """Hold the commands."""


@lab_group.command("start", short_help="Write the files that the lab starts from.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
def start_command(folder: Path) -> None:
    """Write the files that the lab starts from: scheduler.py with its TODOs, Dockerfile, manifests.

    Files that are there already are left alone, and nothing is written then.
    """
    for path in write_skeleton(folder):
        click.echo(path)
    click.echo("Begin with scheduler.py; `pilotfish lab check 2` says when it works.")


@lab_group.command("check", help=CHECK_HELP, short_help="Say how far a scheduler has come.")
@click.argument(
    "checkpoint", type=click.IntRange(1, len(CHECKPOINTS)), required=False, metavar="[N]"
)
@click.option(
    "--scheduler-name",
    metavar="NAME",
    default=SCHEDULER_NAME,
    show_default=True,
    help="What the scheduler answers to. Checkpoint 1 is about default-scheduler.",
)
@click.option(
    "--command", "command_line", metavar="COMMAND", default="", help="Start the scheduler so."
)
@click.option("--defects", is_flag=True, help="Say which defects of the lab's list it shows.")
@click.option("--grade", is_flag=True, help="Say what a program can judge of the four criteria.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --grade: the one-page report.",
)
@click.option(
    "--patience",
    "patience_seconds",
    metavar=SECONDS,
    help="How long a pod may take to be bound.",
    **at_least(1, PATIENCE_SECONDS),
)
@kubeconfig_option(help="The cluster.  [default: as kubectl finds it]")
@context_option()
@debug_option(expose_value=False)
def check_command(
    *,
    checkpoint: int | None,
    scheduler_name: str,
    command_line: str,
    defects: bool,
    grade: bool,
    report: Path | None,
    patience_seconds: float,
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Examine, and say what was found."""
    if report is not None and not grade:
        raise click.UsageError("--report goes with --grade")
    if checkpoint is not None and (defects or grade):
        raise click.UsageError("--defects and --grade ask everything: leave the checkpoint out")
    is_first = checkpoint == 1
    name = DEFAULT_SCHEDULER if is_first else scheduler_name
    contender = Contender(name, name, () if is_first else _words(command_line))
    client = ApiClient(load_config(kubeconfig, context, os.environ), user_agent="pilotfish-lab")
    console = Console(soft_wrap=True, highlight=False)
    questions = questions_of(checkpoint)
    try:
        examining = _examine(console, client, contender, questions, patience_seconds)
        answered = run_until_interrupted(examining)
    except KeyboardInterrupt:
        console.print("interrupted; what was made is removed")
        return INTERRUPTED
    if defects:
        print_defects(console, answered)
    if grade:
        print_grade(console, answered, report)
    print_outcome(console, checkpoint, answered)
    return int(any(finding.verdict == "failed" for _, finding in answered))


def _words(command_line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command_line))
    except ValueError as error:
        raise click.BadParameter(f"--command: {error}") from error


async def _examine(
    console: Console,
    client: ApiClient,
    contender: Contender,
    questions: Sequence[Question],
    patience_seconds: float,
) -> list[tuple[Question, Finding]]:
    namespace = f"lab-check-{secrets.token_hex(3)}"
    console.print(f"scheduler {contender.scheduler_name}, namespace {namespace}")
    with tempfile.TemporaryDirectory(prefix="pilotfish-lab-") as folder:
        async with (
            client,
            examined(client, contender, namespace, Path(folder), patience_seconds) as subject,
        ):
            return await ask(subject, questions, partial(print_finding, console))
