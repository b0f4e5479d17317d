"""`pilotfish policy`: its commands."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pilotfish.cli.options import FAILURE, debug_option
from pilotfish.cli.policy.check import findings_of
from pilotfish.cli.policy.new import files_for
from pilotfish.cli.policy_options import find_policy
from pilotfish.runtime.policy_faults import points_of
from pilotfish.runtime.trouble import StartError

CHECK_HELP = """Say what is wrong with a policy, without a cluster.

POLICY is FILE.py[:NAME], MODULE:NAME, or the name of a policy that is installed or comes with
pilotfish. It is loaded, its methods are checked, and it decides about a spread of pods on a sample
cluster: does it fail, do scores stay in 0..100, does it decide the same each time, does its source
speak against that, and what does it cost a pod at 1,000 nodes?

Exit code 0: it can be run, though there may be warnings; 1: something is wrong with it; 2: there is
no such policy."""

NEW_HELP = """Begin a policy: write NAME.py, with comments, and test_NAME.py, which passes.

Nothing that exists is overwritten."""


@click.group("policy", short_help="Check a policy, or begin one.")
def policy_group() -> None:
    """Check a policy, or begin one."""


@policy_group.command("check", help=CHECK_HELP, short_help="Say what is wrong with a policy.")
@click.argument("reference", metavar="POLICY")
@debug_option(expose_value=False)
def check_command(reference: str) -> None:
    """Check one policy."""
    policy = find_policy(reference)
    points = ", ".join(points_of(policy.type))
    click.echo(f"{policy.place}: class {policy.type.__name__}, policy {policy.name}: {points}")
    has_error = False
    for finding in findings_of(policy):
        has_error |= finding.level == "error"
        click.echo(f"{finding.level}: {finding.text}", err=finding.level != "good")
    if has_error:
        sys.exit(FAILURE)


@policy_group.command("new", help=NEW_HELP, short_help="Begin a policy.")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    show_default="here",
    help="Where to.",
)
def new_command(name: str, folder: Path) -> None:
    """Write two files."""
    try:
        files = files_for(name, folder)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for path in files:
        if path.exists():
            hint = "take another name, or move it away"
            raise StartError(f"{path}: it exists already", hint=hint)
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
        click.echo(f"wrote {path}")
    policy, test = files
    click.echo(f"Next: pytest {test}, and pilotfish policy check {policy}")
