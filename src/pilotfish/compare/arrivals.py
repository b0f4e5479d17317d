"""Arrivals: which pods come when. The same seed gives every scheduler the same pods."""

from __future__ import annotations

import random
from typing import Literal, TypeAlias, get_args

import msgspec

Pattern: TypeAlias = Literal["rate", "burst", "one", "many"]
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What arrives.

    Attributes:
        pattern: "rate": independently of each other, as people's pods do (a Poisson process).
            "burst": `burst` at once, then a pause. "one": each when its forerunner runs, after a
            random pause. "many": all at once.
        rate: pods a second on average; "many" has none.
        shapes: names of pod shapes, taken in turn.
        max_running: no more of the pods exist at the same time; 0 is no limit.
        hold_seconds: with a limit: how long a pod runs until it is deleted and makes room.
    """

    pattern: Pattern = "rate"
    pods: int = 100
    rate: float = 5.0
    burst: int = 10
    shapes: tuple[str, ...] = ("pause",)
    max_running: int = 0
    hold_seconds: float = 1.0

    @property
    def limit(self) -> int:
        """How many of the pods may exist at the same time; 0 is no limit."""
        return 1 if self.pattern == "one" else self.max_running


class Arrival(msgspec.Struct, frozen=True):
    """A pod that is to come.

    Attributes:
        after_seconds: since the start; with a limit, a pod may have to wait longer for room.
    """

    name: str
    shape: str
    after_seconds: float


def arrivals(workload: Workload, rng: random.Random) -> list[Arrival]:
    """List the pods of a workload in the order in which they come."""
    times = _times(workload, rng)
    digits = len(str(workload.pods - 1))
    shapes = workload.shapes
    return [
        Arrival(f"{shapes[i % len(shapes)]}-{i:0{digits}}", shapes[i % len(shapes)], at)
        for i, at in enumerate(times)
    ]


def _times(workload: Workload, rng: random.Random) -> list[float]:
    match workload.pattern:
        case "many":
            return [0.0] * workload.pods
        case "burst":
            pause = workload.burst / workload.rate
            return [i // workload.burst * pause for i in range(workload.pods)]
        case "rate" | "one":
            at, times = 0.0, []
            for _ in range(workload.pods):
                at += rng.expovariate(workload.rate)
                times.append(at)
            return times
