import numpy as np
import pytest

from pilotfish.framework.id_column import MAX_ANSWERS, SPARE_VALUES, IdColumn
from pilotfish.framework.invariants import BrokenInvariantError
from pilotfish.framework.rows import Rows


def column_of(*values: list[str]) -> tuple[Rows, IdColumn[str]]:
    """Make a column with one row for each list."""
    rows = Rows()
    column: IdColumn[str] = IdColumn(rows)
    for one in values:
        column.set(rows.append(), one)
    return rows, column


def test_equal_values_have_one_id() -> None:
    _, column = column_of(["a"], ["b", "a"], [])
    assert column.values == ["a", "b"]
    assert column.ids.tolist()[:2] == [[0, 1, -1], [-1, 0, -1]]
    assert [column.of(row) for row in range(3)] == [["a"], ["b", "a"], []]


def test_id_of_an_unknown_value_equals_no_entry() -> None:
    _, column = column_of(["a"], [])
    assert not (column.ids == column.id_of("b")).any()


def test_setting_what_is_there_is_no_change() -> None:
    _, column = column_of(["a", "b"])
    generation, ids = column.generation, column.ids.copy()
    assert not column.set(0, ("a", "b"))
    assert column.generation == generation
    assert (column.ids == ids).all()


@pytest.mark.parametrize("values", [["b"], [], ["b", "a"], ["a", "a"]])
def test_setting_something_else_is_a_change(values: list[str]) -> None:
    _, column = column_of(["a"])
    generation = column.generation
    assert column.set(0, values)
    assert column.generation != generation
    assert column.of(0) == values


def test_add_and_discard_count_equal_values() -> None:
    _, column = column_of([])
    for value in ("a", "b", "a", "c"):
        column.add(0, value)
    column.discard(0, "a")
    assert sorted(column.of(0)) == ["a", "b", "c"]
    assert column.uses_of("a") == 1
    column.check_invariants()


def test_a_place_that_is_free_again_is_used_again() -> None:
    _, column = column_of(["a", "b", "c"])
    height = len(column.ids)
    for _ in range(10):
        column.discard(0, "b")
        column.add(0, "b")
    assert len(column.ids) == height


def test_discarding_what_is_not_there_is_an_error() -> None:
    _, column = column_of(["a"])
    with pytest.raises(KeyError):
        column.discard(0, "b")


def test_mask_shows_the_rows_with_a_value() -> None:
    _, column = column_of(["a"], ["b", "a"], ["b"])
    assert column.mask_of("a").tolist() == [True, True, False]
    assert column.mask_of("c").tolist() == [False, False, False]


def test_mask_is_remembered_until_a_row_changes() -> None:
    rows, column = column_of(["a"], ["b"])
    mask = column.mask_of("a")
    assert column.mask_of("a") is mask
    column.set(1, ["a"])
    assert column.mask_of("a").tolist() == [True, True]
    rows.append()
    assert column.mask_of("a").tolist() == [True, True, False]


def test_mask_cannot_be_written_to() -> None:
    _, column = column_of(["a"])
    with pytest.raises(ValueError, match="read-only"):
        column.mask_of("a")[0] = False


def test_chosen_values_are_looked_up_for_each_row() -> None:
    _, column = column_of(["a"], ["b", "a"], [], ["c"])
    chosen = np.array([*(value in "ab" for value in column.values), False])
    assert column.any_of(chosen).tolist() == [True, True, False, False]
    assert column.count_of(chosen).tolist() == [1, 2, 0, 0]
    assert column.has_any().tolist() == [True, True, False, True]


def test_look_ups_are_remembered_until_a_row_changes() -> None:
    _, column = column_of(["a"], [])
    chosen = np.array([True, False])
    assert column.any_of(chosen) is column.any_of(chosen.copy())
    column.set(1, ["a"])
    assert column.any_of(chosen).tolist() == [True, True]


def test_values_of_some_rows_are_found() -> None:
    _, column = column_of(["z1"], ["z2"], [], ["z1"])
    assert column.found_in(np.array([False, False, True, True])).tolist() == [True, False, False]


def test_memory_of_many_look_ups_is_bounded() -> None:
    _, column = column_of([f"{i}" for i in range(8)])
    for number in range(3 * MAX_ANSWERS):
        chosen = np.array([*(bool(number >> i & 1) for i in range(8)), False])
        assert column.any_of(chosen).tolist() == [number % 256 > 0]
    assert len(column._answers) <= MAX_ANSWERS + 1


def test_churn_does_not_fill_the_memory() -> None:
    _, column = column_of(["stays"], ["0"])
    for i in range(20 * SPARE_VALUES):
        column.set(1, [str(i)])
    assert len(column.values) <= 2 * SPARE_VALUES + 2
    assert (column.of(0), column.of(1)) == (["stays"], [str(20 * SPARE_VALUES - 1)])
    column.check_invariants()


def test_used_values_keep_their_ids_while_few_are_unused() -> None:
    _, column = column_of(["a"], ["b"])
    before = column.id_of("b")
    column.clear(0)
    assert column.id_of("b") == before
    assert column.uses_of("a") == 0


def test_sums_are_by_value_and_can_be_looked_up_by_id() -> None:
    _, column = column_of(["z1"], ["z2"], [], ["z1"])
    sums = column.sums(np.array([1, 2, 4, 8]))
    assert sums[column.flat_ids].tolist() == [9, 2, 0, 9]


def test_sums_of_a_column_without_values_are_zero() -> None:
    _, column = column_of([], [])
    assert column.sums(np.array([1, 2]))[column.flat_ids].tolist() == [0, 0]


def test_ids_keep_their_meaning_in_a_subset() -> None:
    _, column = column_of(["a"], ["b"], ["c"])
    subset = column.subset(Rows(2), [2, 1])
    assert subset.ids.tolist() == [[column.id_of("c"), column.id_of("b")]]


def test_writing_to_a_subset_leaves_the_column_alone() -> None:
    _, column = column_of(["a"], ["b"])
    subset = column.subset(Rows(1), [1])
    subset.discard(0, "b")
    subset.add(0, "new")
    assert subset.of(0) == ["new"]
    assert column.id_of("new") == -2
    assert column.of(1) == ["b"]
    column.check_invariants()


def test_a_wrong_count_breaks_an_invariant() -> None:
    _, column = column_of(["a"])
    column._uses[0] = 2
    with pytest.raises(BrokenInvariantError, match="counted"):
        column.check_invariants()
