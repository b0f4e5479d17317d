from __future__ import annotations

import random

import pytest

from pilotfish.compare.arrivals import PATTERNS, Arrival, Pattern, Workload, arrivals


def played(workload: Workload, seed: int = 1) -> list[Arrival]:
    return arrivals(workload, random.Random(seed))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_seed_gives_the_same_pods(pattern: Pattern) -> None:
    workload = Workload(pattern=pattern, pods=30)
    assert played(workload) == played(workload)
    assert len(played(workload)) == 30


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pods_come_in_order_and_have_names_of_their_own(pattern: Pattern) -> None:
    pods = played(Workload(pattern=pattern, pods=120))
    assert [pod.after_seconds for pod in pods] == sorted(pod.after_seconds for pod in pods)
    assert len({pod.name for pod in pods}) == 120


def test_pods_by_rate_come_as_fast_as_asked_on_average() -> None:
    pods = played(Workload(pattern="rate", pods=4000, rate=20.0))
    assert pods[-1].after_seconds == pytest.approx(4000 / 20, rel=0.05)


def test_another_seed_gives_other_times() -> None:
    workload = Workload(pattern="rate", pods=5)
    assert played(workload, 1) != played(workload, 2)


def test_bursts_come_at_once_and_at_the_same_rate_on_average() -> None:
    pods = played(Workload(pattern="burst", pods=6, burst=3, rate=1.5))
    assert [pod.after_seconds for pod in pods] == [0, 0, 0, 2, 2, 2]


def test_shapes_are_taken_in_turn() -> None:
    pods = played(Workload(pattern="many", pods=3, shapes=("cpu", "nginx")))
    assert [pod.shape for pod in pods] == ["cpu", "nginx", "cpu"]
    assert [pod.name for pod in pods] == ["cpu-0", "nginx-1", "cpu-2"]


def test_one_at_a_time_is_a_limit_of_one() -> None:
    assert Workload(pattern="one", max_running=7).limit == 1
    assert Workload(pattern="rate", max_running=7).limit == 7
