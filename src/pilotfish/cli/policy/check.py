"""What can be said of a policy without a cluster: it is run on a sample of one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.cli.policy.purity import hints_of
from pilotfish.cli.policy.sample import IN_PLACE, NEW, sample_nodes, sample_pods
from pilotfish.core.decision import Decision
from pilotfish.plugins.policies import Policy
from pilotfish.runtime.policies import source_of
from pilotfish.runtime.slow_policies import LIMIT_SECONDS
from pilotfish.testing.deciding import decisions_of, profile_with

FEW: Final = 12
MANY: Final = 1000
SHOWN_FAILURES: Final = 3
PODS_OF_SLOW: Final = 2  # new ones of the sample: whoever checks should not wait for minutes
COST_SECONDS: Final = 5.0  # for the cost at many nodes, if it grows with them


class Finding(msgspec.Struct, frozen=True):
    """One thing that is said about a policy."""

    level: Literal["good", "warning", "error"]
    text: str


def findings_of(
    policy: Policy, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Finding]:
    """Run a policy on a sample cluster, timed by a clock, and yield what there is to say."""
    seconds = _seconds_a_pod(policy, clock, FEW, 1)
    is_slow = seconds > LIMIT_SECONDS
    new = PODS_OF_SLOW if is_slow else NEW
    nodes, pods = sample_nodes(FEW), sample_pods(FEW, new)
    decisions = decisions_of(profile_with(policy), pods, nodes)
    failures = [decision.message for decision in decisions if decision.outcome == "error"]
    if failures:
        more = len(failures) - SHOWN_FAILURES
        yield from (Finding("error", message) for message in failures[:SHOWN_FAILURES])
        if more > 0:
            yield Finding("error", f"and {more} more pods for which it fails")
        return
    yield from _of_sample(policy, decisions)
    yield from _of_arguments(nodes, pods)
    yield from _of_repetition(policy, decisions)
    yield from _of_source(policy)
    if is_slow:
        yield _of_cost(seconds, FEW)
        return
    few_enough = int(COST_SECONDS / max(seconds * MANY / FEW, COST_SECONDS / NEW))
    yield _of_cost(_seconds_a_pod(policy, clock, MANY, max(1, few_enough)), MANY)


def _of_sample(policy: Policy, decisions: Sequence[Decision]) -> Iterator[Finding]:
    placed = sum(decision.outcome == "scheduled" for decision in decisions)
    told = f"{len(decisions)} pods on {FEW} nodes: {placed} placed, {len(decisions) - placed} not"
    scores = [
        node.by_plugin[policy.name]
        for d in decisions
        for node in d.best
        if policy.name in node.by_plugin
    ]
    if scores:
        weight = policy.weight or 1
        told += f"; scores of the best nodes {min(scores) // weight} to {max(scores) // weight}"
    yield Finding("good", told)
    if not placed:
        rejected = {r.reason for d in decisions for r in d.rejections if r.plugin == policy.name}
        why = f": {', '.join(sorted(rejected))}" if rejected else ""
        yield Finding("warning", f"it leaves no node of the sample to any pod{why}")


def _of_arguments(nodes: Sequence[Node], pods: Sequence[Pod]) -> Iterator[Finding]:
    """Compare with what it was given."""
    given = (*sample_nodes(len(nodes)), *sample_pods(len(nodes), len(pods) - IN_PLACE))
    for before, after in zip(given, (*nodes, *pods), strict=True):
        if after != before:
            what = f"{type(after).__name__.lower()} {after.metadata.name}"
            yield Finding("error", f"it changes what it is given: {what}; a policy only looks")
            return


def _of_repetition(policy: Policy, decisions: Sequence[Decision]) -> Iterator[Finding]:
    """Decide again with a new instance, and once more with that one."""
    nodes, pods = sample_nodes(FEW), sample_pods(FEW, len(decisions))
    profile = profile_with(policy)
    again = decisions_of(profile, pods, nodes)
    if again != decisions:
        yield Finding("error", f"it decides differently each time: {_difference(decisions, again)}")
        return
    after = decisions_of(profile, pods, nodes)
    if after != again:
        kept = "it remembers earlier pods and decides differently by that"
        yield Finding("error", f"{kept}: {_difference(again, after)}")
        return
    yield Finding("good", "the same decisions each time")


def _difference(first: Sequence[Decision], second: Sequence[Decision]) -> str:
    one, other = next((a, b) for a, b in zip(first, second, strict=True) if a != b)
    return f"pod {one.name} {_in_short(one)}, then {_in_short(other)}"


def _in_short(decision: Decision) -> str:
    where = decision.node_name or "nowhere"
    return f"went to {where} with {decision.best[0].total}" if decision.best else f"went {where}"


def _of_source(policy: Policy) -> Iterator[Finding]:
    file = Path(source_of(policy.type))
    if file.suffix == ".py" and file.is_file():
        for hint in hints_of(file.read_text(encoding="utf-8")):
            yield Finding("warning", f"{file}:{hint}")


def _of_cost(seconds: float, nodes: int) -> Finding:
    told = f"{1000 * seconds:.1f} ms a pod at {nodes:,} nodes"
    if seconds > LIMIT_SECONDS:
        limit = f"above {1000 * LIMIT_SECONDS:.0f} ms it holds up all pods"
        return Finding("warning", f"{told}; {limit}")
    return Finding("good", told)


def _seconds_a_pod(policy: Policy, clock: Callable[[], float], nodes: int, new_pods: int) -> float:
    profile, spent = profile_with(policy), _Spent(clock)
    profile.time_by(spent, {policy.name})
    decisions_of(profile, sample_pods(nodes, new_pods), sample_nodes(nodes))
    return statistics.median(spent.by_pod.values()) if spent.by_pod else 0.0


class _Spent:
    """A stopwatch that adds up by pod."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.by_pod: dict[str, float] = {}
        self._pod = ""

    def cycle(self, pod: str) -> None:
        """Begin with a pod."""
        self._pod = pod

    def took(self, plugin: str, seconds: float) -> None:
        """Add a call."""
        del plugin
        self.by_pod[self._pod] = self.by_pod.get(self._pod, 0.0) + seconds
