"""`pilotfish compare`: measure polling, watch and other schedulers alike."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from pilotfish.cli.compare_table import LiveTable
from pilotfish.cli.interruption import run_until_interrupted
from pilotfish.cli.options import (
    INTERRUPTED,
    SECONDS,
    at_least,
    context_option,
    debug_option,
    is_given,
    kubeconfig_option,
    seed_option,
)
from pilotfish.client import ApiClient, load_config
from pilotfish.compare.arrivals import PATTERNS, Workload
from pilotfish.compare.comparison import compare, planned_runs
from pilotfish.compare.contenders import Contender, polling, read_against, watching
from pilotfish.compare.csv_files import RESULTS, RUNS, write_csv_files
from pilotfish.compare.lab_report import LAB_REPORT, write_lab_report
from pilotfish.compare.measure import QUIET_SECONDS, Plan
from pilotfish.compare.report import INSTALL, REPORT, WITHOUT_PLOTS, Surroundings, write_report
from pilotfish.compare.run import Run
from pilotfish.compare.shapes import SHAPES
from pilotfish.runtime.children import embedded_cluster
from pilotfish.runtime.trouble import StartError

INTERVAL_SECONDS = 2.0
QUICK = {"pods": 24, "rate": 4.0, "repetitions": 2}

HELP = """Compare schedulers: polling, watch, and any other, by the same pods in the same order.

All is measured from outside, so that any scheduler is judged alike: when pods are created, bound
and running by a watch, requests and bytes by a proxy in front of the API server, CPU time and
memory by the process. What a scheduler prints in the lab's words is shown too, marked with *.

\b
Examples:
  pilotfish compare --quick                      less than a minute
  pilotfish compare --interval 1 --interval 5    two paces, and watch
  pilotfish compare --arrivals burst --pods 200  bursts of 10
  pilotfish compare --against 'mine=python my.py --scheduler-name {name}'
  pilotfish compare --kubeconfig ~/.kube/config --against default-scheduler

--against NAME=COMMAND starts a scheduler that answers to schedulerName NAME. {kubeconfig} and
{name} in the command are filled in, and KUBECONFIG is set. --against NAME measures one that runs
already: its process and its requests cannot be seen and are shown as not measured.

It writes results.csv (a row a pod), runs.csv (a row a run), report.html and lab-report.md. Ctrl-C
keeps what was measured."""


def _read_against(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> list[Contender]:
    contenders = []
    for value in values:
        try:
            contenders.append(read_against(value))
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return contenders


@click.command("compare", help=HELP, short_help="Measure polling, watch and other schedulers.")
@click.option("--quick", is_flag=True, help="24 pods at 4/s, twice: less than a minute.")
@click.option(
    "--interval",
    "intervals",
    type=click.FloatRange(min=0.1),
    multiple=True,
    metavar=SECONDS,
    help=f"Measure polling at this pace. May be repeated.  [default: {INTERVAL_SECONDS:g}]",
)
@click.option("--polling/--no-polling", default=True, show_default=True, help="Measure polling.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Measure watch.")
@click.option(
    "--against",
    multiple=True,
    metavar="NAME[=COMMAND]",
    callback=_read_against,
    help="Measure another scheduler, too. May be repeated.",
)
@click.option(
    "--arrivals",
    "pattern",
    type=click.Choice(PATTERNS),
    default="rate",
    show_default=True,
    help="rate: by chance, --rate a second. burst: --burst at once. one: one at a time. many: all "
    "at once.",
)
@click.option("--pods", metavar="N", help="How many pods arrive in a run.", **at_least(1, 100))
@click.option(
    "--rate",
    metavar="PODS",
    help="Arrivals a second on average.",
    **at_least(0.01, 5.0),
)
@click.option(
    "--burst",
    metavar="PODS",
    help="Pods of one burst.",
    **at_least(1, 10),
)
@click.option(
    "--shape",
    "shapes",
    type=click.Choice(list(SHAPES)),
    multiple=True,
    help="What the pods are, in turn. May be repeated.  [default: pause]",
)
@click.option(
    "--max-running",
    type=click.IntRange(min=0),
    metavar="PODS",
    default=0,
    show_default="0, no limit",
    help="No more pods at the same time; each is deleted after --hold seconds.",
)
@click.option(
    "--hold",
    "hold_seconds",
    metavar=SECONDS,
    help="With --max-running: how long a pod runs.",
    **at_least(0, 1.0),
)
@click.option(
    "--repetitions",
    metavar="N",
    help="Runs of each scheduler; the order alternates.",
    **at_least(1, 5),
)
@click.option(
    "--warm-up",
    metavar="PODS",
    help="Pods at the start of each run that are not measured.",
    **at_least(0, 2),
)
@click.option(
    "--patience",
    "quiet_seconds",
    metavar=SECONDS,
    help="A run is given up when nothing has happened for so long.",
    **at_least(1, QUIET_SECONDS),
)
@click.option(
    "--nodes",
    metavar="N",
    help="Of the embedded cluster.",
    **at_least(1, 3),
)
@kubeconfig_option(
    help="Measure on this cluster, in namespaces compare-*.  [default: an embedded one]",
)
@context_option()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the files go.  [default: compare-DATE-TIME]",
)
@seed_option(help="Of the arrivals.")
@debug_option(expose_value=False)
def compare_command(*, quick: bool, out: Path | None, **options: Any) -> int:
    """Compare as the command line says."""
    if quick:
        options |= {name: value for name, value in QUICK.items() if not is_given(name)}
    contenders = _contenders(options)
    folder = out or Path(f"compare-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
    folder.mkdir(parents=True, exist_ok=True)
    return _Comparison(options, contenders, folder).run()


def _contenders(options: dict[str, Any]) -> list[Contender]:
    """List what is compared.

    Raises:
        UsageError: it is nothing, or two of one name.
    """
    paces = options["intervals"] or (INTERVAL_SECONDS,)
    contenders = [polling(pace) for pace in dict.fromkeys(paces)] if options["polling"] else []
    contenders += [watching()] if options["watch"] else []
    contenders += options["against"]
    labels = [contender.label for contender in contenders]
    if not contenders:
        raise click.UsageError("nothing to compare: --no-polling, --no-watch and no --against")
    if len(set(labels)) < len(labels):
        raise click.UsageError("two schedulers of --against have the same name")
    return contenders


class _Comparison:
    """One call of the command."""

    def __init__(
        self, options: dict[str, Any], contenders: Sequence[Contender], folder: Path
    ) -> None:
        self._options = options
        self._contenders = contenders
        self._folder = folder
        self._done: list[Run] = []
        self._console = Console()
        self._workload = Workload(
            shapes=options["shapes"] or ("pause",),
            **{
                name: options[name]
                for name in ("pattern", "pods", "rate", "burst", "max_running", "hold_seconds")
            },
        )
        total = len(contenders) * options["repetitions"]
        self._table = LiveTable(self._console, self._done, total, self._workload.pods)

    def run(self) -> int:
        """Measure and report; returns the exit code."""
        code = 0
        try:
            run_until_interrupted(self._measure())
        except KeyboardInterrupt:
            code = INTERRUPTED
        has_pods = any(run.pods for run in self._done)
        if code:
            kept = "what was measured is kept" if has_pods else "nothing was measured yet"
            self._console.print(f"interrupted; {kept}")
        if not has_pods:
            if code:
                return code
            raise StartError(f"nothing was measured: {self._done[0].trouble}", hint="see --help")
        self._report()
        return code or int(any(run.trouble for run in self._done))

    async def _measure(self) -> None:
        options = self._options
        with tempfile.TemporaryDirectory(prefix="pilotfish-compare-") as folder:
            plan = Plan(
                name=f"compare-{secrets.token_hex(2)}",
                workload=self._workload,
                folder=Path(folder),
                warm_up=options["warm_up"],
                seed=options["seed"],
                quiet_seconds=options["quiet_seconds"],
            )
            async with self._cluster(Path(folder)) as client:
                runs = planned_runs(self._contenders, options["repetitions"])
                with self._table:
                    await compare(client, plan, runs, self._table.start, self._end)

    def _end(self, run: Run) -> None:
        if run.pods or run.trouble:
            self._done.append(run)
            write_csv_files(self._folder, self._done)
        self._table.end()

    @asynccontextmanager
    async def _cluster(self, folder: Path) -> AsyncIterator[ApiClient]:
        kubeconfig: Path | None = self._options["kubeconfig"]
        context: str | None = self._options["context"]
        if kubeconfig is not None or context is not None:
            config = load_config(kubeconfig, context, os.environ)
            async with ApiClient(config, user_agent="pilotfish-compare") as client:
                yield client
            return
        images = {shape.image: 0 for shape in SHAPES.values()}  # else the first run pulls for all
        group = {"count": self._options["nodes"], "images": images}
        nodes = folder / "nodes.json"
        nodes.write_bytes(msgspec.json.encode({"nodeGroups": [group]}))
        options = ("--config", str(nodes), "--seed", str(self._options["seed"]))
        async with (
            embedded_cluster(folder, *options) as own,
            ApiClient(load_config(own, None, os.environ)) as client,
        ):
            yield client

    def _report(self) -> None:
        folder, console = self._folder, self._console
        command = shlex.join(["pilotfish", *sys.argv[1:]])
        surroundings = Surroundings(command, self._cluster_words(), self._workload_words())
        has_plots = write_report(folder / REPORT, self._done, surroundings)
        write_lab_report(folder / LAB_REPORT, self._done, surroundings)
        console.print(self._table.summary)
        for run in self._done:
            if run.trouble:
                which = f"{run.contender.label}, repetition {run.repetition}"
                console.print(f"{which}: {run.trouble}", style="red", markup=False)
        if not has_plots:
            console.print(f"{WITHOUT_PLOTS}{INSTALL}", markup=False)
        for name in (REPORT, LAB_REPORT, RESULTS, RUNS):
            console.print(str(folder / name), markup=False, highlight=False)

    def _cluster_words(self) -> str:
        if self._options["kubeconfig"] is None and self._options["context"] is None:
            return f"embedded, {self._options['nodes']} nodes"
        return f"of a kubeconfig, {self._done[0].nodes} nodes"

    def _workload_words(self) -> str:
        one = self._workload
        words = {
            "rate": f"{one.rate:g} a second by chance",
            "burst": f"{one.burst} at once, {one.rate:g} a second on average",
            "one": "one at a time",
            "many": "all at once",
        }
        limit = f", at most {one.max_running} at a time" if one.max_running else ""
        shapes = ", ".join(one.shapes)
        return f"{one.pods} pods a run ({shapes}): {words[one.pattern]}{limit}"
