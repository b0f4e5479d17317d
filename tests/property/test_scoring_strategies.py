"""Each scoring strategy equals its simple version, one node at a time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor, trunc

from hypothesis import given, settings
from hypothesis import strategies as st

import make
from pilotfish.api.pod import Pod
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.rejection import Reject
from pilotfish.plugins.node_resources_fit import NodeResourcesFit
from pilotfish.plugins.scoring_strategies import (
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio,
    Strategy,
)
from unit.plugins.deciding import cluster, scores

Line = list[tuple[int, int]]


class Scorer(NodeResourcesFit):
    """Rejects no node, so that full ones are scored too."""

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:  # noqa: ARG002 - what plugins are given
        """Reject nothing."""
        return iter(())


def least(requested: int, allocatable: int) -> int:
    return 0 if requested > allocatable else (allocatable - requested) * 100 // allocatable


def most(requested: int, allocatable: int) -> int:
    return min(requested, allocatable) * 100 // allocatable


def on_line(line: Line, requested: int, allocatable: int) -> int:
    utilization = 100 if requested > allocatable else requested * 100 // allocatable
    before = None
    for x, y in line:
        if utilization <= x:
            if before is None:
                return y * 10
            slope = Fraction((y - before[1]) * 10, x - before[0])
            return before[1] * 10 + trunc(slope * (utilization - before[0]))
        before = x, y
    return line[-1][1] * 10


def simple(kind: str, line: Line, node: list[tuple[int, int, int]]) -> int:
    """Score one node: weight, requested and allocatable of each resource."""
    total = weights = 0
    for weight, requested, allocatable in node:
        if not allocatable:
            continue
        if kind == "ratio":
            share = on_line(line, requested, allocatable)
            if not share:
                continue
        else:
            share = (least if kind == "least" else most)(requested, allocatable)
        total += weight * share
        weights += weight
    if not weights:
        return 0
    exact = Fraction(total, weights)
    return floor(exact + Fraction(1, 2)) if kind == "ratio" else floor(exact)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    xs = sorted(draw(st.sets(st.integers(0, 100), min_size=1, max_size=4)))
    return [(x, draw(st.integers(0, 10))) for x in xs]


amounts = st.sampled_from([0, 1, 3, 100, 333, 1000, 4000])


@settings(max_examples=200)
@given(
    kind=st.sampled_from(["least", "most", "ratio"]),
    line=lines(),
    nodes=st.lists(st.tuples(amounts, amounts), min_size=2, max_size=4),
    asked=st.tuples(amounts, amounts),
    weights=st.tuples(st.integers(1, 100), st.integers(1, 100)),
)
def test_strategy_equals_its_simple_version(
    kind: str,
    line: Line,
    nodes: list[tuple[int, int]],
    asked: tuple[int, int],
    weights: tuple[int, int],
) -> None:
    strategies: dict[str, Strategy] = {
        "least": LeastAllocated(),
        "most": MostAllocated(),
        "ratio": RequestedToCapacityRatio(line),
    }
    resources: dict[str, int] = dict(zip(("cpu", "memory"), weights, strict=True))
    fit = Scorer(resources=resources, strategy=strategies[kind])
    on = cluster(
        make.node(f"n{i}", cpu=f"{cpu}m", memory=str(memory))
        for i, (cpu, memory) in enumerate(nodes)
    )
    asking = make.pod("p", cpu=f"{asked[0]}m", memory=str(asked[1]))
    wanted = {
        f"n{i}": simple(kind, line, [(weights[0], asked[0], cpu), (weights[1], asked[1], memory)])
        for i, (cpu, memory) in enumerate(nodes)
    }
    assert scores(fit, asking, on) == wanted
