"""Show the first decision that differs as tables: nodes, scores, words, victims, and the case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import yaml
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from parity.drawing.cases import Case
from parity.replay import PLUGINS_NOT_JUDGED, Decided, decide

NOT_EQUAL = "bold red"


def show(console: Console, case: Case, line: dict[str, Any]) -> None:
    """Print the first decision in a recorded line that differs from ours, and how to make it."""
    decided = next(one for one in decide(line) if one.differences)
    pod = decided.step["pod"]["metadata"]
    what = ", ".join(one.what for one in decided.differences)
    console.print(f"\n{line['id']}, pod {pod['namespace']}/{pod['name']}: {what}", style="bold")
    for part in _parts(decided):
        console.print(part)
    console.print("\nThe case, before the API server filled in defaults:", style="bold")
    manifests = ({"profile": case.profile},) if case.profile else ()
    console.print(yaml.safe_dump_all((*manifests, *case.objects, *case.pods), sort_keys=False))


def _parts(decided: Decided) -> Iterator[RenderableType]:
    yield _nodes(decided)
    step = decided.step
    table = Table("", "kube-scheduler", "pilotfish")
    if step["outcome"] == "bound":
        table.add_row("chosen", step["node"], _best(decided) or "-")
    for one in decided.differences:
        table.add_row(Text(one.what, NOT_EQUAL), one.recorded, one.ours)
    yield table


def _nodes(decided: Decided) -> Table:
    """Make a table of the nodes: feasible or why not, and the scores of each plugin."""
    recorded: dict[str, dict[str, int]] = decided.step.get("scores") or {}
    plugins = {name: None for of_node in recorded.values() for name in of_node if name != "total"}
    if decided.scored is not None:
        plugins |= dict.fromkeys(decided.scored.by_plugin)
    table = Table("node", "kube-scheduler", "pilotfish", *plugins, "total")
    feasible = set(decided.step.get("feasible", ()))
    for row, name in enumerate(decided.cache.nodes.names):
        theirs, ours = name in feasible, bool(decided.filtered.feasible[row])
        said = "feasible" if ours else _reasons(decided, row)
        scores = (_score(decided, name, row, plugin) for plugin in plugins)
        total = _score(decided, name, row, "total")
        style = "" if theirs == ours else NOT_EQUAL
        table.add_row(name, "feasible" if theirs else "-", Text(said, style), *scores, total)
    return table


def _score(decided: Decided, node: str, row: int, plugin: str) -> Text:
    """Say a score once where both agree, else theirs and ours; "-" is a skipped plugin."""
    theirs = (decided.step.get("scores") or {}).get(node, {}).get(plugin)
    if decided.scored is None or plugin in PLUGINS_NOT_JUDGED:
        return Text("" if theirs is None else str(theirs))
    given = decided.scored.by_plugin.get(plugin)
    if plugin == "total":
        given = decided.scored.total
    ours = None if given is None else int(given[row])
    words = ["-" if one is None else str(one) for one in (theirs, ours)]
    return Text(words[0]) if theirs == ours else Text(" / ".join(words), NOT_EQUAL)


def _reasons(decided: Decided, row: int) -> str:
    return ", ".join(
        f"{one.plugin}: {one.reason}"
        for one in decided.filtered.rejections
        if one.mask is None or one.mask[row]
    )


def _best(decided: Decided) -> str:
    """Name the nodes among which we would choose, where scores decide it."""
    rows = np.flatnonzero(decided.filtered.feasible)
    if decided.scored is not None:
        totals = decided.scored.total[rows]
        rows = rows[totals == totals.max()]
    return " ".join(sorted(decided.cache.nodes.names[row] for row in rows))
