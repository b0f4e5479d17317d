import numpy as np

from pilotfish.framework.rows import INITIAL_CAPACITY, Rows


def test_columns_grow_together_and_keep_their_entries() -> None:
    rows = Rows()
    flat, tall = rows.column(np.int64), rows.column(np.int32, fill=-1, height=2)
    for i in range(INITIAL_CAPACITY + 1):
        row = rows.append()
        flat.buffer[row] = i
        tall.buffer[1, row] = i
    assert flat.view.tolist() == list(range(INITIAL_CAPACITY + 1))
    assert tall.view.tolist() == [[-1] * (INITIAL_CAPACITY + 1), flat.view.tolist()]


def test_last_row_moves_into_the_gap() -> None:
    rows = Rows()
    column = rows.column(np.int64)
    for i in range(3):
        column.buffer[rows.append()] = i
    assert rows.remove(0) == 2
    assert column.view.tolist() == [2, 1]


def test_removing_the_last_row_moves_nothing() -> None:
    rows = Rows()
    column = rows.column(np.int64)
    for i in range(3):
        column.buffer[rows.append()] = i
    assert rows.remove(2) == 2
    assert column.view.tolist() == [0, 1]


def test_a_row_is_filled_anew_after_a_removal() -> None:
    rows = Rows()
    column = rows.column(np.int32, fill=-1)
    column.buffer[rows.append()] = 7
    rows.remove(0)
    rows.append()
    assert column.view.tolist() == [-1]


def test_a_column_made_later_covers_the_rows_there_are() -> None:
    rows = Rows()
    rows.append()
    assert rows.column(np.int64, height=2).view.tolist() == [[0], [0]]


def test_raised_height_keeps_entries_and_fills_new_ones() -> None:
    rows = Rows()
    column = rows.column(np.int32, fill=-1, height=1)
    column.buffer[0, rows.append()] = 5
    column.raise_height(3)
    column.raise_height(2)  # never lowers
    assert column.view.tolist() == [[5], [-1], [-1]]


def test_subset_is_a_copy_in_the_order_chosen() -> None:
    rows = Rows()
    flat, tall = rows.column(np.int64), rows.column(np.int64, height=1)
    for i in range(3):
        row = rows.append()
        flat.buffer[row] = tall.buffer[0, row] = i
    chosen = Rows(2)
    copies = [column.subset(chosen, [2, 0]) for column in (flat, tall)]
    copies[0].buffer[0] = 9
    assert [copy.view.tolist() for copy in copies] == [[9, 0], [[2, 0]]]
    assert flat.view.tolist() == [0, 1, 2]


def test_a_column_that_nobody_holds_is_forgotten() -> None:
    rows = Rows()
    kept = rows.column(np.int64)
    rows.column(np.int64)
    assert list(rows._columns) == [kept]
