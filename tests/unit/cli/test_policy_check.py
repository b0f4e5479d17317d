"""What `pilotfish policy check` finds out about a policy."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.cli.policy.check import findings_of
from pilotfish.cli.policy.purity import hints_of
from pilotfish.runtime.policies import load_policy


def findings(folder: Path, body: str, clock: Iterator[float] | None = None) -> list[str]:
    path = folder / "mine.py"
    head = "import random\nimport time\nfrom pilotfish import *\n\nclass P(PerNodePlugin):\n"
    path.write_text(f'{head}    name = "P"\n{body}')
    read = clock.__next__ if clock else time.perf_counter
    found = findings_of(load_policy(f"{path}=3"), read)
    return [f"{finding.level}: {finding.text}" for finding in found]


def test_good_policy_is_said_to_be_so(tmp_path: Path) -> None:
    body = """
    def score_node(self, pod, node):
        return 50 + len(node.labels["disk"])
    """
    told = findings(tmp_path, body)
    assert told[:2] == [
        "good: 16 pods on 12 nodes: 16 placed, 0 not; scores of the best nodes 53 to 53",
        "good: the same decisions each time",
    ]
    assert told[-1].startswith("good: ")
    assert told[-1].endswith(" ms a pod at 1,000 nodes")


def test_score_out_of_range_is_an_error_with_its_line(tmp_path: Path) -> None:
    told = findings(tmp_path, "    def score_node(self, pod, node):\n        return 101\n")
    problem = "plugin 'P' failed in score for pod default/new-2: ValueError: score 101 is outside"
    assert told[0] == f"error: {problem} 0..100 ({tmp_path}/mine.py:7)"
    assert told[-1] == "error: and 13 more pods for which it fails"


@pytest.mark.parametrize(
    ("score", "problem"),
    [
        ("random.randrange(100)", "error: it decides differently each time: pod new-2 went to"),
        ("len(SEEN.append(1) or SEEN) % 97", "error: it remembers earlier pods and decides"),
    ],
)
def test_policy_that_is_no_function_of_its_arguments_is_found_out(
    tmp_path: Path, score: str, problem: str
) -> None:
    body = "    def __init__(self):\n        global SEEN\n        SEEN = []\n"
    told = findings(
        tmp_path, f"{body}    def score_node(self, pod, node):\n        return {score}\n"
    )
    assert any(line.startswith(problem) for line in told)


def test_slow_policy_is_warned_of(tmp_path: Path) -> None:
    clock = map(float, itertools.count())  # a second goes by between any two looks
    told = findings(tmp_path, "    def score_node(self, pod, node):\n        return 1\n", clock)
    slow = "1000.0 ms a pod at 12 nodes; above 100 ms it holds up all pods"
    assert told[-1] == f"warning: {slow}"


def test_slow_policy_is_run_for_few_pods(tmp_path: Path) -> None:
    body = "    def score_node(self, pod, node):\n        return 1\n"
    told = findings(tmp_path, body, map(float, itertools.count()))
    assert told[0].startswith("good: 2 pods on 12 nodes")


def test_policy_that_is_slow_at_many_nodes_alone_is_warned_of(tmp_path: Path) -> None:
    looks = itertools.chain((0.0, 0.05), map(float, itertools.count()))
    body = "    def score_node(self, pod, node):\n        return 1\n"
    told = findings(tmp_path, body, looks)
    assert told[-1].startswith("warning: 1000.0 ms a pod at 1,000 nodes")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("pod.labels['seen'] = ''", "error: it changes what it is given: pod new-"),
        ("node.labels['seen'] = ''", "error: plugin 'P' failed in score for pod default/new-2: T"),
        ("next(iter(node.pods)).labels.clear()", "error: it changes what it is given: pod old-"),
    ],
)
def test_policy_that_changes_what_it_is_given_is_found_out(
    tmp_path: Path, change: str, problem: str
) -> None:
    body = (
        f"    def score_node(self, pod, node):\n        if node.pods: {change}\n        return 1\n"
    )
    assert any(line.startswith(problem) for line in findings(tmp_path, body))


def test_policy_that_leaves_no_node_is_warned_of(tmp_path: Path) -> None:
    body = "    requeue_on = {ClusterEvent.NODE_ADDED}\n    def filter_node(self, pod, node):\n"
    told = findings(tmp_path, f"{body}        return Rejection('node(s) were bad')\n")
    assert "warning: it leaves no node of the sample to any pod: node(s) were bad" in told


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("import random", "1: it draws chance: random: "),
        ("from time import monotonic", "1: it reads the clock: time.monotonic: "),
        ("datetime.datetime.now()", "1: it reads the clock: datetime.datetime.now: "),
        ("import os.path", "1: it reaches outside: os.path: "),
        ("x = 1\nopen('f')", "2: it reaches outside: open: "),
        ("def f(self):\n    self.last = 1", "2: it keeps something: self.last: "),
        ("def f():\n    global x", "2: it keeps something: global x: "),
    ],
)
def test_source_that_speaks_against_a_function_of_its_arguments(source: str, hint: str) -> None:
    (found,) = hints_of(source)
    assert found.startswith(hint)


def test_source_of_a_function_of_its_arguments_is_passed() -> None:
    source = (
        "def __init__(self):\n    self.a = 1\ndef f(self, node):\n    return node.open(self.a)\n"
    )
    assert list(hints_of(source)) == []
