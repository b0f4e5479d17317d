from typing import Any

import pytest

from pilotfish.cluster.patches.values import go_text, same, without_nulls


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"), (True, "true"), (5, "5"), ("a b", "a b"), (2.0, "2"), (0.5, "0.5"),
        (1e6, "1e+06"), (123456789.0, "1.23456789e+08"), (0.00001, "1e-05"), (-1.5, "-1.5"),
        (0.0, "0"), ([1, "a", None], "[1 a <nil>]"), ({"b": {}, "a": []}, "map[a:[] b:map[]]"),
    ],
)  # fmt: skip
def test_value_is_written_as_go_prints_it(value: Any, text: str) -> None:
    assert go_text(value) == text


@pytest.mark.parametrize(("left", "right"), [(1, 1.0), (1, True), ("1", 1), ([1], [1.0]), ({}, [])])
def test_values_of_different_types_are_never_the_same(left: Any, right: Any) -> None:
    assert not same(left, right)
    assert same(left, left)


def test_nulls_vanish_from_objects_at_any_depth_but_not_from_lists() -> None:
    assert without_nulls({"a": None, "b": [None, {"c": None}]}) == {"b": [None, {}]}
