"""The lab's one-page report, with the figures filled in and the thinking left to its author."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from pilotfish.compare.report import HOW, Surroundings
from pilotfish.compare.run import Run
from pilotfish.compare.summary import labels_of, summarise

LAB_REPORT: Final = "lab-report.md"


def write_lab_report(path: Path, runs: Sequence[Run], surroundings: Surroundings) -> None:
    """Fill in the template."""
    template = files("pilotfish.compare").joinpath("lab_report.md").read_text(encoding="utf-8")
    filled = Template(template).substitute(
        figures="\n".join(_table(runs)),
        facts="\n".join(f"- {name}: {value}" for name, value in surroundings.facts().items()),
        how=" ".join(HOW.split()),
    )
    path.write_text(filled, encoding="utf-8")


def _table(runs: Sequence[Run]) -> Iterator[str]:
    labels = labels_of(runs)
    yield f"| | {' | '.join(labels)} |"
    yield f"| --- |{' ---: |' * len(labels)}"
    for row in summarise(runs):
        yield f"| {row.name.replace('*', chr(92) + '*')} | {' | '.join(row.values)} |"
