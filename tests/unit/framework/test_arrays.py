import numpy as np

from pilotfish.framework.arrays import any_per_node, count_per_node, lookup

MARKED = np.array([[True, False, False], [True, True, False]])


def test_any_per_node_says_whether_something_of_a_node_is_marked() -> None:
    assert any_per_node(MARKED).tolist() == [True, True, False]


def test_count_per_node_counts_what_is_marked() -> None:
    assert count_per_node(MARKED).tolist() == [2, 1, 0]


def test_nodes_without_entries_have_nothing_marked() -> None:
    nothing = np.zeros((0, 2), dtype=np.bool_)
    assert any_per_node(nothing).tolist() == [False, False]
    assert count_per_node(nothing).tolist() == [0, 0]


def test_lookup_says_no_for_nothing() -> None:
    ids = np.array([[1, 0], [-1, -1]])
    assert lookup([False, True])[ids].tolist() == [[True, False], [False, False]]
