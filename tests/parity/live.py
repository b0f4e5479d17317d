"""Compare our decisions with those of a running kube-scheduler, on drawn clusters and pods.

    make parity PARITY_OPTIONS="--category spread --cases 200"

Everything is drawn from a seed. The first case with a difference is made as small as can be, shown,
and kept as a corpus file for replay.py; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "hack"))

from controlplane import ApiError, ControlPlaneError
from parity import replay
from parity.drawing.cases import FEATURES, Case, drawn
from parity.recording import Recorder, RecordingError
from parity.showing import show
from parity.shrinking import shrunk, single
from pilotfish.config.errors import ConfigurationError

KEPT: Final = Path("build/parity")
SHRINKING_SECONDS: Final = 240.0
NO_CASE: Final = (ApiError, ConfigurationError, ControlPlaneError, RecordingError, TimeoutError)
SEEDS: Final = 1_000_000


class Differs:
    """Judges whether a case still shows one of some differences, for as long as there is time.

    Attributes:
        line: The last case that did, with kube-scheduler's decisions.
    """

    def __init__(self, recorder: Recorder, line: dict[str, Any], what: Iterable[str]) -> None:
        self.line = line
        self._recorder = recorder
        self._what = set(what)
        self._deadline = time.monotonic() + SHRINKING_SECONDS

    def __call__(self, case: Case) -> bool:
        """Have both decide anew; where one refuses the case, it is no difference."""
        if time.monotonic() > self._deadline:
            return False
        try:
            line = self._recorder.record(case)
            found = {one.what for step in replay.replay(line) for one in step}
        except NO_CASE:
            return False
        if not found & self._what:
            return False
        self.line = line
        return True


def compare(recorder: Recorder, cases: Iterable[Case], console: Console, kept: Path = KEPT) -> int:
    """Judge cases up to the first that differs; show that one, and return the exit status."""
    tallies: dict[str, replay.Tally] = {}
    different: tuple[Case, dict[str, Any]] | None = None
    for case in cases:
        line = recorder.record(case)
        tally = tallies.setdefault(case.category, replay.Tally())
        tally.add(line)
        if tally.differences:
            different = case, line
            break
    console.print(replay.table_of(tallies))
    if recorder.refused:
        console.print(f"{recorder.refused} drawn objects were refused by the API server")
    if different is None:
        return 0
    smallest, line = _smallest(recorder, *different, console)
    show(console, smallest, line)
    kept.mkdir(parents=True, exist_ok=True)
    file = kept / f"{line['id']}.ndjson"
    file.write_bytes(msgspec.json.encode(line) + b"\n")
    console.print(f"kept: replay it with tests/parity/replay.py {file}")
    return 1


def _smallest(
    recorder: Recorder, case: Case, line: dict[str, Any], console: Console
) -> tuple[Case, dict[str, Any]]:
    """Shrink a case that differs."""
    index, found = next((i, found) for i, found in enumerate(replay.replay(line)) if found)
    differs = Differs(recorder, line, (one.what for one in found))
    with console.status(f"{line['id']} differs; looking for the smallest case that does"):
        alone = single(case, line["steps"], index)
        smallest = shrunk(alone if differs(alone) else case, differs)
    return smallest, differs.line


def _drawn(options: argparse.Namespace, console: Console) -> Iterator[Case]:
    """Draw cases of each category in turn until there are enough, or the time is over."""
    deadline = time.monotonic() + options.seconds
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("cases", total=options.cases)
        for number in range(options.cases):
            if time.monotonic() > deadline:
                console.print(f"time is over after {number} of {options.cases} cases")
                return
            turn, which = divmod(number, len(options.category))
            case = drawn(options.category[which], options.seed + turn, options.steps)
            progress.update(task, description=f"{case.category}-{case.seed}", completed=number)
            yield case


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=100, help="clusters to draw (100)")
    parser.add_argument("--steps", type=int, default=10, help="pods a cluster (10)")
    parser.add_argument("--seconds", type=float, default=900, help="draw no longer than this (900)")
    parser.add_argument("--seed", type=int, help="first seed (by chance; it is printed)")
    parser.add_argument("--category", action="append", choices=FEATURES, help="may be repeated")
    options = parser.parse_args(arguments)
    options.category = options.category or list(FEATURES)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(SEEDS)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare as the command line says."""
    options = _options(arguments)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"drawing from --seed {options.seed}")
    try:
        with Recorder() as recorder:
            return compare(recorder, _drawn(options, console), console)
    except (ControlPlaneError, RecordingError, TimeoutError) as error:
        Console(stderr=True, markup=False).print(f"error: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
