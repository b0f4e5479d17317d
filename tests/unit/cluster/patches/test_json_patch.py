from typing import Any

import pytest

from pilotfish.cluster.patches import InapplicablePatchError, MalformedPatchError, json_patch

OBJECT = {"a": {"b": [1, 2, 3]}, "c/d": 1, "e~f": None}


def operation(op: str, path: str, value: Any = None, source: str = "") -> dict[str, Any]:
    return {"op": op, "path": path, "value": value, "from": source}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (operation("add", "/a/b/1", 9), {"a": {"b": [1, 9, 2, 3]}}),
        (operation("add", "/a/b/-", 9), {"a": {"b": [1, 2, 3, 9]}}),
        (operation("add", "/a/b/3", 9), {"a": {"b": [1, 2, 3, 9]}}),
        (operation("add", "/a/b/-1", 9), {"a": {"b": [1, 2, 3, 9]}}),
        (operation("add", "/a/x", {}), {"a": {"b": [1, 2, 3], "x": {}}}),
        (operation("remove", "/a/b/-3"), {"a": {"b": [2, 3]}}),
        (operation("replace", "/a/b/0", "x"), {"a": {"b": ["x", 2, 3]}}),
        (operation("replace", "/a/new", "x"), {"a": {"b": [1, 2, 3], "new": "x"}}),
        (operation("move", "/a/b/0", source="/a/b/2"), {"a": {"b": [3, 1, 2]}}),
        (operation("copy", "/x", source="/a/b"), {"x": [1, 2, 3]}),
        (operation("replace", "/c~1d", 2), {"c/d": 2}),
        (operation("replace", "/e~0f", 2), {"e~f": 2}),
        (operation("test", "/e~0f"), {}),
        (operation("test", "/absent"), {}),
        (operation("test", "/a", {"b": [1, 2, 3]}), {}),
    ],
)
def test_operation_applies(step: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json_patch(OBJECT, [step]) == {**OBJECT, **expected}


@pytest.mark.parametrize(
    "step",
    [
        operation("add", "/a/b/4", 9), operation("add", "/a/b/-5", 9), operation("add", "", 9),
        operation("add", "/x/y", 9), operation("remove", "/x"), operation("remove", "/a/b/3"),
        operation("replace", "/a/b/3", 9), operation("replace", "/a/b/x", 9),
        operation("replace", "", 9), operation("replace", "", []), operation("move", "/x"),
        operation("copy", "/y", source="/x/y"), operation("test", "/a/b/0", True),
        operation("test", "/a/b/0", 1.0), operation("fly", "/a"), {"op": "add"}, {"path": "/a"},
        {"op": ["add"], "path": "/a"}, {"op": "add", "path": 5},
        operation("add", "/a/b/" + "9" * 5000, 9),
    ],
)  # fmt: skip
def test_operation_that_does_not_fit_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(InapplicablePatchError):
        json_patch(OBJECT, [step])


@pytest.mark.parametrize("patch", [{}, None, "x", [1], [[]]])
def test_what_is_no_list_of_operations_is_malformed(patch: Any) -> None:
    with pytest.raises(MalformedPatchError):
        json_patch(OBJECT, patch)


def test_value_that_is_added_twice_is_two_values() -> None:
    steps = [operation("add", "/x", []), operation("copy", "/y", source="/x")]
    assert json_patch({}, [*steps, operation("add", "/y/-", 1)]) == {"x": [], "y": [1]}


def test_copies_of_copies_end_before_they_fill_the_memory() -> None:
    patch = [operation("copy", f"/a/x{n}", source="/a") for n in range(64)]
    with pytest.raises(InapplicablePatchError, match="copying more than"):
        json_patch(OBJECT, patch)
