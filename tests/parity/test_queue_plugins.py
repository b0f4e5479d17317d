"""PrioritySort and SchedulingGates rule by rule, as kubernetes v1.36.3 has them.

The plugins and their tests are in pkg/scheduler/framework/plugins: queuesort/priority_sort.go and
schedulinggates/scheduling_gates.go.
"""

from __future__ import annotations

import pytest

import make
from pilotfish.framework.rejection import Reject
from pilotfish.plugins.priority_sort import PrioritySort
from pilotfish.plugins.scheduling_gates import SchedulingGates


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((100, 5.0), (99, 1.0), id="the higher priority, however late"),
        pytest.param((0, 5.0), (-1, 1.0), id="none is more than a negative one"),
        pytest.param((7, 1.0), (7, 2.0), id="of equal ones the one that waits for longer"),
    ],
)
def test_order_of_the_active_queue(first: tuple[int, float], second: tuple[int, float]) -> None:
    """TestLess."""
    keys = [
        PrioritySort().sort_key(make.pod("p", priority=priority), timestamp)
        for priority, timestamp in (first, second)
    ]
    assert keys[0] < keys[1]


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        pytest.param([], None, id="without gates a pod may enter"),
        pytest.param(["a"], "waiting for scheduling gates: [a]", id="one is enough to hold it"),
        pytest.param(
            ["b", "a"], "waiting for scheduling gates: [b a]", id="all are told, in order"
        ),
    ],
)
def test_gates_hold_a_pod_out_of_the_queue(gates: list[str], message: str | None) -> None:
    """TestPreEnqueue."""
    gated = make.pod("p", scheduling_gates=[{"name": name} for name in gates])
    wanted = None if message is None else Reject(None, message, resolvable=False)
    assert SchedulingGates().pre_enqueue(gated) == wanted
