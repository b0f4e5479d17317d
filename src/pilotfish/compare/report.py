"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

import html
import importlib
import importlib.util
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from pilotfish import __version__
from pilotfish.compare.run import Run
from pilotfish.compare.summary import Figure, labels_of, requests_by_kind, summarise

REPORT: Final = "report.html"
WITHOUT_PLOTS: Final = "No plots: matplotlib is not installed. This adds it: "
INSTALL: Final = "pip install 'pilotfish[report]'"
STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } caption { text-align: left; font-weight: 600 }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child { text-align: left } svg { max-width: 100%; height: auto }
code { background: #f3f3f3; padding: .1rem .3rem } .trouble { color: #a00 }
"""
HOW: Final = """Latencies begin when the creation of a pod is sent and end when a watch of the
meter's own shows it; in brackets the interval of 95 % confidence (bootstrap over runs and pods).
Requests and bytes are counted by a proxy in front of the API server. Figures marked * are what the
scheduler said of itself. Repetitions alternate the order; pods of the warm-up are not counted."""


class Surroundings(msgspec.Struct, frozen=True):
    """Where and how was measured.

    Attributes:
        command: repeats it.
        cluster: which one, in words.
    """

    command: str
    cluster: str
    workload: str

    def facts(self) -> dict[str, str]:
        """Return what a reader needs to judge the figures."""
        return {
            "command": self.command,
            "cluster": self.cluster,
            "workload": self.workload,
            "machine": f"{platform.platform()}, {os.cpu_count()} cores",
            "versions": f"pilotfish {__version__}, Python {platform.python_version()}",
        }


def write_report(path: Path, runs: Sequence[Run], surroundings: Surroundings) -> bool:
    """Write the report; returns whether it has plots."""
    plots = _plots(runs)
    path.write_text("\n".join(_page(runs, surroundings, plots)), encoding="utf-8")
    return plots is not None


def _plots(runs: Sequence[Run]) -> dict[str, str] | None:
    if importlib.util.find_spec("matplotlib") is None:
        return None
    drawn: dict[str, str] = importlib.import_module("pilotfish.compare.plots").draw(runs)
    return drawn


def _page(
    runs: Sequence[Run], surroundings: Surroundings, plots: Mapping[str, str] | None
) -> Iterator[str]:
    yield "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
    yield f"<title>Schedulers compared</title><style>{STYLE}</style></head><body>"
    yield "<h1>Schedulers compared</h1>"
    labels = labels_of(runs)
    yield from _table("Figures", labels, summarise(runs))
    yield f"<p>{html.escape(HOW)}</p>"
    for run in runs:
        if run.trouble:
            which = f"{run.contender.label}, repetition {run.repetition}: {run.trouble}"
            yield f"<p class='trouble'>{html.escape(which)}</p>"
    if plots is None:
        yield f"<p>{html.escape(WITHOUT_PLOTS)}<code>{html.escape(INSTALL)}</code></p>"
    for title, svg in (plots or {}).items():
        yield f"<h2>{html.escape(title)}</h2>{svg}"
    requests = requests_by_kind(runs)
    if requests:
        yield from _table("Requests a pod, by verb and resource", labels, requests)
    yield "<h2>Surroundings</h2><table>"
    for name, value in surroundings.facts().items():
        yield f"<tr><td>{name}</td><td style='text-align:left'>{html.escape(value)}</td></tr>"
    yield "</table></body></html>"


def _table(caption: str, labels: Sequence[str], rows: Sequence[Figure]) -> Iterator[str]:
    heads = "".join(f"<th>{html.escape(label)}</th>" for label in labels)
    yield f"<table><caption>{html.escape(caption)}</caption><tr><th></th>{heads}</tr>"
    for row in rows:
        cells = "".join(f"<td>{html.escape(value)}</td>" for value in row.values)
        yield f"<tr><td>{html.escape(row.name)}</td>{cells}</tr>"
    yield "</table>"
