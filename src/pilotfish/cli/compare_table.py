"""The live table of `pilotfish compare`."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pilotfish.compare.run import Run
from pilotfish.compare.summary import labels_of, summarise

REFRESHES_A_SECOND = 4


class LiveTable:
    """Shows the figures so far and the run that goes on; without a terminal, a line a run.

    Args:
        console: where to.
        done: the runs that have ended; somebody else adds to it.
        total: how many runs there will be.
        pods: of each run.

    Attributes:
        summary: all figures so far.
    """

    def __init__(self, console: Console, done: Sequence[Run], total: int, pods: int) -> None:
        self._console = console
        self._done = done
        self._total = total
        self._pods = pods
        self._current: Run | None = None
        self.summary = Table()
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=REFRESHES_A_SECOND,
            transient=True,
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def start(self, run: Run) -> None:
        """Show a run that begins."""
        self._current = run
        if not self._console.is_terminal:
            self._console.print(self._line(run), highlight=False)

    def end(self) -> None:
        """Show no current run any more, and the figures of all that have ended."""
        self._current = None
        self.summary = self._summarise()

    def _summarise(self) -> Table:
        table = Table("", *labels_of(self._done))
        for column in table.columns[1:]:
            column.justify = "right"
        for row in summarise(self._done):
            table.add_row(row.name, *row.values)
        return table

    def _render(self) -> Group:
        parts: list[Table | Text] = [self.summary] if self._done else []
        if self._current is not None:
            parts.append(Text(self._line(self._current)))
        return Group(*parts)

    def _line(self, run: Run) -> str:
        number = len(self._done) + 1
        bound = sum(pod.bound is not None for pod in run.pods)
        progress = f": {bound} of {self._pods} pods bound" if run.pods else ""
        return f"run {number} of {self._total}, {run.contender.label}{progress}"
