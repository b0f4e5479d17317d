"""`pilotfish run`: schedule pods on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pilotfish.cli.config import read_file
from pilotfish.cli.leader_election import leader_election_options, take_election
from pilotfish.cli.options import (
    SECONDS,
    at_least,
    context_option,
    debug_option,
    is_given,
    kubeconfig_option,
    seed_option,
)
from pilotfish.cli.policy_options import configured, policy_options
from pilotfish.config.reading import read_configuration
from pilotfish.config.types import LeaderElection
from pilotfish.plugins.policies import registry_with
from pilotfish.runtime.options import GRACE_SECONDS, INTERVAL_SECONDS, LOOPBACK, RunOptions
from pilotfish.runtime.process import run

HELP = """Schedule the pods that name this scheduler, until stopped.

A pod asks for it with `schedulerName: my-scheduler` in its spec. Pods of other schedulers are never
touched, and kube-scheduler may run beside it under its own name.

\b
Examples:
  pilotfish run --dry-run                    say what would be bound, only
  pilotfish run                              watch, bind pods of my-scheduler
  pilotfish run --scheduler-name gpu-team    ... of gpu-team
  pilotfish run --config scheduler.yaml      a KubeSchedulerConfiguration
  pilotfish run --policy mine.py             decide by a policy of yours, too
  pilotfish run --policy mine.py:Cheap=5     its scores count five times
  pilotfish run --mode polling --interval 5  list every 5 seconds: no watches
  pilotfish run --log-format json --qps 50   JSON lines; at most 50 a second
  pilotfish run --health-port 10251          /livez, /readyz and /metrics
  pilotfish run --leader-elect               work while holding a Lease

The cluster is that of --kubeconfig, else of the KUBECONFIG variable, else the one whose pod this
runs in, else of ~/.kube/config.

SIGTERM or SIGINT (Ctrl-C) lets the binds in flight finish and exits with code 0; a second one exits
at once with code 1. Exit code 1 also means that it could not start, and 2 that the command line is
wrong."""


@click.command("run", help=HELP, short_help="Schedule pods on a cluster.")
@click.option(
    "--scheduler-name",
    metavar="NAME",
    default="my-scheduler",
    show_default=True,
    help="Place the pods whose spec.schedulerName this is.",
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A KubeSchedulerConfiguration (v1): profiles, plugins, back-off, connection. Flags win. "
    "It names the schedulers itself, so --scheduler-name cannot be beside it.",
)
@click.option(
    "--mode",
    type=click.Choice(["watch", "polling"]),
    default="watch",
    show_default=True,
    help="Learn of changes as they happen, or list everything from time to time.",
)
@click.option(
    "--interval",
    "interval_seconds",
    metavar=SECONDS,
    help="Polling: the pause after each cycle.",
    **at_least(0.1, INTERVAL_SECONDS),
)
@kubeconfig_option(help="The kubeconfig.  [default: found as said above]")
@context_option()
@click.option(
    "--dry-run",
    is_flag=True,
    help="Decide and log, but write nothing: no binding, no event, no condition.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Run as default-scheduler even though kube-scheduler holds its Lease.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Bare messages, or one JSON object a line.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
    help="The least important lines to write, to standard output.",
)
@click.option(
    "--qps",
    type=click.FloatRange(min=0),
    metavar="REQUESTS",
    default=0.0,
    show_default="0, no limit",
    help="At most so many requests a second.",
)
@click.option(
    "--burst",
    type=click.IntRange(min=0),
    metavar="REQUESTS",
    default=0,
    show_default="0, one second's worth",
    help="With --qps: so many at once after a quiet spell.",
)
@seed_option(help="Of the choice among equally good nodes: the same seed repeats it.")
@click.option(
    "--grace",
    "grace_seconds",
    metavar=SECONDS,
    help="How long the binds in flight may take after a signal to stop.",
    **at_least(0, GRACE_SECONDS),
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all inputs to FILE, to repeat the run from. It grows without bound and holds the "
    "pods and nodes of the cluster as the scheduler reads them.",
)
@click.option(
    "--health-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=0,
    show_default="0, none",
    help="Serve /livez, /readyz and /metrics there, over plain HTTP.",
)
@click.option(
    "--bind-address",
    metavar="ADDRESS",
    default=LOOPBACK,
    show_default=True,
    help="With --health-port: who can reach it. The kubelet's probes need the pod's.",
)
@leader_election_options
@policy_options
@debug_option()
def run_command(file: Path | None, *, only_policy: bool, **options: Any) -> None:
    """Hand over to the runtime."""
    options["bind_address"] = options["bind_address"] or LOOPBACK  # empty would be everywhere
    election, scheduler_name = LeaderElection(), options["scheduler_name"]
    if file is not None:
        if is_given("scheduler_name"):
            raise click.UsageError("--scheduler-name cannot be beside --config")
        options |= _from_file(file, options)
        scheduler_name = options["configuration"].profiles[0].scheduler_name
        election = read_configuration(file.read_text("utf-8")).leader_election
    options["configuration"] = configured(
        options["policies"],
        options["scheduler_name"],
        options.get("configuration"),
        only=only_policy,
    )
    run(RunOptions(election=take_election(options, election, scheduler_name), **options))


def _from_file(file: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return what a file sets and no flag does."""
    configuration = read_file(file, registry_with(options["policies"]))
    connection = configuration.client_connection
    settings: dict[str, Any] = {"configuration": configuration}
    if not is_given("qps"):
        settings["qps"] = max(connection.qps, 0.0)  # negative: upstream's way to say "no limit"
        if not is_given("burst"):
            settings["burst"] = connection.burst
    if options["kubeconfig"] is None and connection.kubeconfig:
        settings["kubeconfig"] = Path(connection.kubeconfig)
    return settings
