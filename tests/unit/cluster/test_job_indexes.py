"""The indexes of a Job as its status writes them."""

from __future__ import annotations

import pytest

from pilotfish.cluster.job_indexes import read_indexes, write_indexes, wrong_indexes


def test_indexes_are_written_as_runs() -> None:
    assert write_indexes({0, 1, 2, 5, 7, 8}) == "0-2,5,7,8"
    assert read_indexes("0-2,5,7,8") == {0, 1, 2, 5, 7, 8}
    assert read_indexes("") == set()


@pytest.mark.parametrize("text", ["", "0", "0-2,5,7,8", "9"])
def test_indexes_below_the_completions_in_order_are_right(text: str) -> None:
    assert wrong_indexes(text, 10) == ""


@pytest.mark.parametrize("text", ["0-2000000000", "10", "a", "1,", "2,1", "3-3", "1-2-3", "1,1-2"])
def test_other_indexes_are_wrong(text: str) -> None:
    assert wrong_indexes(text, 10)
