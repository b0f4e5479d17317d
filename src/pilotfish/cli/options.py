"""What the commands have in common: options, what they take, and exit codes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

FAILURE: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130  # as shells say it of Ctrl-C

SECONDS: Final = "SECONDS"

kubeconfig_option: Final = partial(
    click.option, "--kubeconfig", type=click.Path(path_type=Path), metavar="FILE"
)
context_option: Final = partial(
    click.option,
    "--context",
    metavar="NAME",
    help="A context of the kubeconfig.  [default: its current one]",
)
seed_option: Final = partial(
    click.option, "--seed", type=int, metavar="N", default=0, show_default=True
)
debug_option: Final = partial(
    click.option, "--debug", is_flag=True, help="Show tracebacks of errors."
)


def at_least(least: float, default: float) -> dict[str, Any]:
    """Return what makes an option take a number: a whole one where the default is one."""
    kind = (
        click.IntRange(min=int(least)) if isinstance(default, int) else click.FloatRange(min=least)
    )
    return {"type": kind, "default": default, "show_default": True}


def is_given(name: str) -> bool:
    """Say whether the command line has this parameter of the command."""
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT
