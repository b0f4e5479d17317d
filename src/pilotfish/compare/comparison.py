"""A comparison: all runs of all contenders, in an order that alternates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pilotfish.client import ApiClient
from pilotfish.compare.contenders import Contender
from pilotfish.compare.measure import Plan, measure
from pilotfish.compare.run import Run


def planned_runs(contenders: Sequence[Contender], repetitions: int) -> Iterator[Run]:
    """Yield the runs in their order: each second repetition is turned round."""
    for repetition in range(1, repetitions + 1):
        order = contenders if repetition % 2 else contenders[::-1]
        for place, contender in enumerate(order, 1):
            yield Run(contender=contender, repetition=repetition, place=place)


async def compare(
    client: ApiClient,
    plan: Plan,
    runs: Iterator[Run],
    on_start: Callable[[Run], None],
    on_end: Callable[[Run], None],
) -> None:
    """Measure all runs, one after the other; the one that is interrupted is told, too."""
    for run in runs:
        on_start(run)
        try:
            await measure(client, plan, run)
        finally:
            on_end(run)
