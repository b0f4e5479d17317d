"""Normalisation over feasible nodes."""

import numpy as np
import pytest

from pilotfish.framework.scores import fewest_is_best, most_is_best

ALL = np.array([True, True, True])


@pytest.mark.parametrize(
    ("raw", "scores"),
    [([0, 5, 10], [0, 50, 100]), ([1, 2, 3], [33, 66, 100]), ([0] * 3, [0] * 3)],
)
def test_largest_number_scores_a_hundred(raw: list[int], scores: list[int]) -> None:
    assert most_is_best(np.array(raw), ALL).tolist() == scores


@pytest.mark.parametrize(
    ("raw", "scores"), [([0, 5, 10], [100, 50, 0]), ([1, 2, 3], [67, 34, 0]), ([0] * 3, [100] * 3)]
)
def test_smallest_number_scores_highest(raw: list[int], scores: list[int]) -> None:
    """The truncated score is taken from a hundred, so a third leaves 67."""
    assert fewest_is_best(np.array(raw), ALL).tolist() == scores


def test_nodes_that_are_not_feasible_set_no_scale() -> None:
    feasible = np.array([True, True, False])
    assert most_is_best(np.array([1, 2, 1000]), feasible)[:2].tolist() == [50, 100]
    assert fewest_is_best(np.array([1, 2, 1000]), feasible)[:2].tolist() == [50, 0]
