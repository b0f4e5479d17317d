"""Flags of leader election, which go before what a configuration file says."""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import click
from msgspec.structs import replace

from pilotfish.client.election import ElectionSettings
from pilotfish.config.defaults import complete
from pilotfish.config.duration import parse_duration
from pilotfish.config.errors import ConfigError
from pilotfish.config.types import KubeSchedulerConfiguration, LeaderElection
from pilotfish.config.validation import problems_of
from pilotfish.runtime.lease_guard import DEFAULT_SCHEDULER, LEASE

_NANOSECONDS: Final = 1e9
_LEASE_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def _is_duration(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    try:
        parse_duration(text or "0")
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error
    return text


def _duration(name: str, default: str, about: str) -> Callable[..., Any]:
    return click.option(
        f"--leader-elect-{name}",
        name.replace("-", "_"),
        metavar="DURATION",
        callback=_is_duration,
        show_default=default,
        help=about,
    )


_OPTIONS: Final = (
    click.option(
        "--leader-elect/--no-leader-elect",
        default=None,
        show_default="no",
        help="Work only while holding a Lease; other replicas stand by.",
    ),
    _duration("lease-duration", "15s", "How long others wait for a leader that is silent."),
    _duration("renew-deadline", "10s", "How long a leader that cannot renew its Lease works on."),
    _duration("retry-period", "2s", "The pause between two tries to take or renew it."),
    click.option(
        "--leader-elect-resource-name",
        "resource_name",
        metavar="NAME",
        show_default="the scheduler's name; kube-scheduler for default-scheduler",
        help="The Lease.",
    ),
    click.option(
        "--leader-elect-resource-namespace",
        "resource_namespace",
        metavar="NAMESPACE",
        show_default="kube-system",
        help="Where it is.",
    ),
)


def leader_election_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags of leader election."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_election(
    options: dict[str, Any], written: LeaderElection, scheduler_name: str
) -> ElectionSettings | None:
    """Take the flags of leader election out of a command's options; None without an election.

    A file that does not say leaderElect asks for no election.

    Raises:
        click.UsageError: the flags, or a file and the flags, do not go together.
    """
    flags: Mapping[str, Any] = {
        field: options.pop(field) for field in written.__struct_fields__ if field in options
    }
    given = {field: value for field, value in flags.items() if value is not None}
    asked = replace(written, **given)
    if not asked.leader_elect:
        if any(field != "leader_elect" for field in given):
            raise click.UsageError("--leader-elect-... does nothing without --leader-elect")
        return None
    configuration = complete(KubeSchedulerConfiguration(leader_election=asked))
    for problem in problems_of(configuration):
        raise click.UsageError(str(problem))
    return _settings(configuration.leader_election, asked.resource_name, scheduler_name)


def _settings(election: LeaderElection, name: str, scheduler_name: str) -> ElectionSettings:
    own = LEASE.partition("/")[2] if scheduler_name == DEFAULT_SCHEDULER else scheduler_name
    if not _LEASE_NAME.fullmatch(name or own):
        raise click.UsageError(
            f"no Lease can be named {name or own!r}: give --leader-elect-resource-name, "
            "of small letters, digits, '-' and '.'"
        )
    return ElectionSettings(
        namespace=election.resource_namespace,
        name=name or own,
        identity=f"{socket.gethostname()}_{uuid.uuid4()}",
        lease_seconds=parse_duration(election.lease_duration) / _NANOSECONDS,
        renew_seconds=parse_duration(election.renew_deadline) / _NANOSECONDS,
        retry_seconds=parse_duration(election.retry_period) / _NANOSECONDS,
    )
