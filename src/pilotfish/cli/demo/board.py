"""The board: where each pod went and why, as the scheduler's own log tells it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import msgspec
from rich.table import Table
from rich.text import Text

DECIDED = "decision"  # the field of the JSON log that holds a Decision
NOTHING: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({})


@dataclass(slots=True)
class Row:
    """What is known of one pod.

    Attributes:
        node: where it is bound; empty while it is pending.
        why: the last decision, in words.
        is_settled: whether that decision was no choice of a node, so that nothing follows it.
    """

    node: str = ""
    why: str = ""
    is_settled: bool = False


@dataclass(slots=True)
class Board:
    """All pods, in the order of their first decisions.

    Attributes:
        rows: what is known of each, by name.
        placed: how many pods were bound, those that are gone included.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    placed: int = 0

    def read(self, line: bytes) -> None:
        """Take a line of the JSON log."""
        news = msgspec.json.decode(line)
        decision = news.get(DECIDED)
        if decision is not None:
            row = self._row(decision["name"])
            row.why = decision["message"] or in_words(decision)
            row.is_settled = decision["outcome"] != "scheduled"
        elif news["message"].startswith("Bound "):
            self._row(news["pod"].partition("/")[2]).node = news["node"]
            self.placed += 1

    def settled(self) -> set[str]:
        """Return the pods that have a node, or that have been found to fit nowhere."""
        return {name for name, row in self.rows.items() if row.node or row.is_settled}

    def keep(self, names: Collection[str]) -> None:
        """Forget the pods that are gone."""
        for name in self.rows.keys() - set(names):
            del self.rows[name]

    def bound(self) -> set[str]:
        """Return the pods that have a node."""
        return {name for name, row in self.rows.items() if row.node}

    def decided(self) -> set[str]:
        """Return the pods that have been decided about."""
        return {name for name, row in self.rows.items() if row.why}

    def told(self) -> dict[str, tuple[str, str]]:
        """Return what has been said of each pod: its node, and why."""
        return {name: (row.node, row.why) for name, row in self.rows.items()}

    def by_pod(self, title: str, before: Mapping[str, tuple[str, str]] = NOTHING) -> Table:
        """Draw each pod of which something else is said than before: its node and the reason."""
        table = _table(title, "pod", "node", "why")
        for name, (node, why) in self.told().items():
            if before.get(name) != (node, why):
                place = f"[green]{node}[/]" if node else "[yellow]Pending[/]"
                table.add_row(name, place, Text(why))  # a policy's words may look like markup
        return table

    def by_node(self, title: str) -> Table:
        """Draw each node with its pods."""
        table = _table(title, "node", "pods", "which")
        pods_of: dict[str, list[str]] = {}
        for name, row in self.rows.items():
            pods_of.setdefault(row.node or "[yellow]Pending[/]", []).append(name)
        for node, names in sorted(pods_of.items()):
            table.add_row(node, str(len(names)), ", ".join(names))
        return table

    def _row(self, name: str) -> Row:
        return self.rows.setdefault(name, Row())


def in_words(decision: Mapping[str, Any]) -> str:
    """Put a decision for a node into words."""
    feasible = f"{decision['feasible']} of {decision['nodes']} nodes feasible"
    best = decision["best"]
    if not best:
        return feasible
    scores = ", ".join(
        f"{plugin.removeprefix('NodeResources')} {score}"
        for plugin, score in best[0]["by_plugin"].items()
        if score
    )
    ties = f", one of {decision['tied']} equals" if decision["tied"] > 1 else ""
    told = f"{feasible}; best score {best[0]['total']}{ties}"
    return f"{told}: {scores}" if scores else told


def _table(title: str, first: str, second: str, wide: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=True)
    table.add_column(first, no_wrap=True)
    table.add_column(second, no_wrap=True)
    table.add_column(wide, ratio=1)
    return table
