"""The options by which a command takes policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from pilotfish.config.types import KubeSchedulerConfiguration
from pilotfish.plugins.policies import (
    Policy,
    configuration_with,
    default_configuration,
    registry_with,
)
from pilotfish.plugins.profiles import make_profiles
from pilotfish.runtime.policies import PolicyReferenceError, load_policy

T = TypeVar("T", bound=Callable[..., Any])

REFERENCE = "POLICY[=WEIGHT]"


def find_policy(reference: str) -> Policy:
    """Load one policy; where there is none, the command line is wrong."""
    try:
        return load_policy(reference)
    except PolicyReferenceError as error:
        raise click.UsageError(str(error)) from error


def _read_policies(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[Policy, ...]:
    return tuple(map(find_policy, values))


policies_option = click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar=REFERENCE,
    callback=_read_policies,
    help="Decide by this policy, too: FILE.py[:NAME], MODULE:NAME or the name of a policy that is "
    "installed or comes with pilotfish. Its scores count WEIGHT times [default: 1]. May be "
    "repeated.",
)


def policy_options(command: T) -> T:
    """Add --policy and --only-policy to a command."""
    only_option = click.option(
        "--only-policy",
        is_flag=True,
        help="Score by the policies alone. All filters stay: pods go only where they fit.",
    )
    return policies_option(only_option(command))


def configured(
    policies: Sequence[Policy],
    scheduler_name: str,
    configuration: KubeSchedulerConfiguration | None,
    *,
    only: bool,
) -> KubeSchedulerConfiguration | None:
    """Put policies into a configuration, or into the default one; without any it stays as it is.

    Raises:
        ConfigurationError: they do not go together.
    """
    if not policies:
        if only:
            raise click.UsageError("--only-policy needs a --policy")
        return configuration
    given = configuration or default_configuration(scheduler_name)
    complete = configuration_with(policies, given, only=only)
    make_profiles(complete, registry_with(policies))
    return complete
