from __future__ import annotations

import random

import pytest

from pilotfish.compare.statistics import mean, quantiles


def test_quantiles_are_those_of_all_runs_together() -> None:
    found = quantiles([[float(i) for i in range(51)], [float(i) for i in range(51, 101)]])
    assert [found[q].value for q in (50, 90, 99)] == [50.0, 90.0, 99.0]


def test_an_interval_holds_its_value_and_is_wider_when_runs_disagree() -> None:
    rng = random.Random(1)
    alike = quantiles([[rng.gauss(10, 1) for _ in range(100)] for _ in range(5)])
    apart = quantiles([[rng.gauss(mu, 1) for _ in range(100)] for mu in (2, 6, 10, 14, 18)])
    for found in (alike, apart):
        assert found[50].low <= found[50].value <= found[50].high
    assert apart[50].high - apart[50].low > 5 * (alike[50].high - alike[50].low)


def test_intervals_hold_the_true_median_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        rng = random.Random(seed)
        found = quantiles([[rng.expovariate(1) for _ in range(40)] for _ in range(4)], seed)
        held += found[50].low <= 0.6931 <= found[50].high
    assert held >= 52


def test_the_same_values_give_the_same_estimates() -> None:
    assert quantiles([[1.0, 2.0, 5.0]]) == quantiles([[1.0, 2.0, 5.0]])


def test_without_values_there_is_no_estimate() -> None:
    assert quantiles([[], []]) == {}
    assert mean([]) is None
    assert mean([1.0, 2.0]) == pytest.approx(1.5)
