"""`pilotfish cluster`: a Kubernetes API with simulated nodes, for kubectl and schedulers."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click

from pilotfish.cli.options import debug_option
from pilotfish.cli.policy_options import configured, policy_options
from pilotfish.runtime.embedded_cluster.place import LOOPBACK, is_address, is_name
from pilotfish.runtime.embedded_cluster.process import ClusterOptions, run_cluster
from pilotfish.runtime.lease_guard import DEFAULT_SCHEDULER

HELP = """Run a cluster without Docker: a Kubernetes API that kubectl drives, and simulated nodes.

Pods are scheduled, start, become ready and end as on real nodes, but nothing is run in them. Until
Ctrl-C, SIGTERM or SIGHUP, which end it and remove its kubeconfig; all is in memory.

\b
Examples:
  pilotfish cluster                            three nodes and a scheduler
  pilotfish cluster --nodes 20 --no-scheduler  pods wait for one of yours
  pilotfish cluster --config cluster.yaml      nodes as the file says
  pilotfish cluster --policy mine.py           decide by your policy, too
  pilotfish cluster --load dump.json           what another cluster has
  pilotfish cluster --local-image my-scheduler:1='python scheduler.py'

\b
Another cluster is recorded with:
  kubectl get nodes,pods,pvc,pv,sc,pdb,pc --all-namespaces -o json > dump.json

\b
cluster.yaml says what nodes are and how pods behave; all may be left out:
  nodeGroups:
  - name: gpu
    count: 4
    labels: {accelerator: a100}
    taints: ["gpu=yes:NoSchedule"]
    zones: [a, b]
    capacity: {cpu: "32", memory: 128Gi, nvidia.com/gpu: "8"}
    images: {my/model:1: 2000000000}
  kubelet:
    start: {seconds: 0.5, jitterSeconds: 0.5}
    pods:
    - labels: {app: broken}
      fault: CrashLoop"""


def _read_local_images(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Read NAME=COMMAND, the command as a shell does."""
    images = {}
    for value in values:
        name, _, command = value.partition("=")
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise click.BadParameter(f"{value}: {error}") from error
        if not name or not words:
            raise click.BadParameter(f"{value} is not NAME=COMMAND")
        images[name] = words
    return images


def _check_address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Refuse no address, which would stand for all of them, and what cannot be one."""
    if not value:
        raise click.BadParameter("an address is missing; 0.0.0.0 stands for all")
    host = value.strip("[]")
    if not is_address(host) and not is_name(host):
        raise click.BadParameter(
            f"{value} is neither an IP address nor the name of a host (--port says the port)"
        )
    return host


def _check_sans(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse what no certificate can be for."""
    hosts = tuple(value.strip("[]") for value in values)
    for host in hosts:
        if not is_address(host) and not is_name(host.removeprefix("*.")):
            raise click.BadParameter(f"{host!r} is neither an IP address nor the name of a host")
    return hosts


def _check_token(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Refuse what no Authorization header can say."""
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise click.BadParameter("a token is of visible ASCII characters")
    return value


@click.command("cluster", help=HELP, short_help="Run a cluster of simulated nodes.")
@click.option(
    "--nodes",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many nodes there are.  [default: 3, or those of --config or --load]",
)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the kubeconfig here.  [default: ~/.kube/pilotfish.kubeconfig]",
)
@click.option(
    "--merge-kubeconfig",
    is_flag=True,
    help="Add a context `pilotfish` to your own kubeconfig, too, and make it the current one. It "
    "is taken out again at the end.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=0,
    show_default="a free one",
    help="Listen on this port.",
)
@click.option(
    "--address",
    metavar="ADDRESS",
    default=LOOPBACK,
    show_default=True,
    callback=_check_address,
    help="Listen on this address of this machine, or on all with 0.0.0.0 (with :: those of IPv6, "
    "too). Any but the default lets other machines in, if they have the token.",
)
@click.option(
    "--tls-san",
    "tls_sans",
    metavar="NAME",
    multiple=True,
    callback=_check_sans,
    help="Let the certificate be for this name or address, too, by which others reach this "
    "machine; it is for those of --address anyway. May be repeated.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What the nodes are and how pods behave; see above.",
)
@click.option(
    "--load",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Start with these objects: YAML, JSON or a folder of such files. May be repeated. Objects "
    "with a uid are kept as they were, status and node included.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all objects here at the end, for --load.",
)
@click.option(
    "--scheduler/--no-scheduler",
    default=True,
    show_default=True,
    help="Let pilotfish place the pods of default-scheduler.",
)
@policy_options
@click.option(
    "--local-image",
    "local_images",
    multiple=True,
    metavar="NAME=COMMAND",
    callback=_read_local_images,
    help="Run containers of this image as a process of yours on this machine. May be repeated.",
)
@click.option(
    "--seed",
    type=int,
    metavar="N",
    help="Of names, delays and choices: the same seed repeats them.  [default: by chance]",
)
@click.option(
    "--token",
    metavar="TOKEN",
    default="",
    show_default="made by chance",
    callback=_check_token,
    help="The admin's bearer token.",
)
@debug_option()
def cluster_command(*, only_policy: bool, **options: Any) -> None:
    """Hand over to the runtime."""
    policies = options["policies"]
    if policies and not options["scheduler"]:
        raise click.UsageError("--policy is for the scheduler that --no-scheduler leaves out")
    configuration = configured(policies, DEFAULT_SCHEDULER, None, only=only_policy)
    run_cluster(ClusterOptions(**options, configuration=configuration), os.environ)
