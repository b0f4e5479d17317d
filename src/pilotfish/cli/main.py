"""`pilotfish`: the entry point."""

from __future__ import annotations

import importlib
import signal
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Final, NoReturn

import click

from pilotfish import __version__
from pilotfish.cli.options import FAILURE, INTERRUPTED, USAGE
from pilotfish.client import ClientError
from pilotfish.config.errors import ConfigurationError
from pilotfish.framework.errors import ProfileError
from pilotfish.runtime.trouble import LeaseLostError, StartError

COMMANDS: Final = {
    "cluster": "pilotfish.cli.cluster:cluster_command",
    "compare": "pilotfish.cli.compare:compare_command",
    "config": "pilotfish.cli.config:config_group",
    "demo": "pilotfish.cli.demo.command:demo_command",
    "lab": "pilotfish.cli.lab:lab_group",
    "policy": "pilotfish.cli.policy.command:policy_group",
    "run": "pilotfish.cli.run:run_command",
}


class Commands(click.Group):
    """Imports a command when it is asked for, so that no other waits for what it needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # what it began, it ends itself
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return command


@click.group(
    cls=Commands,
    help="The Kubernetes scheduler that people extend in Python.",
    epilog="See `pilotfish COMMAND --help`.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="pilotfish %(version)s")
def cli() -> None:
    """Hold the commands."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit: 0 ok, 1 failure, 2 usage, 130 Ctrl-C before there was more."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if "--debug" not in arguments:
        sys.excepthook = _report
    try:
        code = cli.main(arguments, prog_name="pilotfish", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(USAGE)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "pilotfish"
        _complain(_sentence(error.format_message()), f"try: {command} --help")
        sys.exit(USAGE)
    except (ClientError, StartError, ProfileError, LeaseLostError) as error:
        if "--debug" in arguments:
            traceback.print_exception(error)
        _complain(" ".join(str(error).split()), error.hint)
        sys.exit(FAILURE)
    except ConfigurationError as error:
        for problem in error.problems:
            _complain(str(problem), "")
        sys.exit(FAILURE)
    except click.Abort:
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _report(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """Say in one line what nobody expected, in place of a traceback."""
    if isinstance(error, OSError) and error.filename:
        _complain(f"{error.filename}: {error.strerror}", "check the path and its permissions")
    else:
        text = f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        _complain(text, "--debug shows where it comes from")


def _complain(message: str, hint: str) -> None:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)


def _sentence(message: str) -> str:
    """Make click's message one of ours: lower case start, no full stop."""
    text = " ".join(message.split()).rstrip(".")
    return text[:1].lower() + text[1:]
