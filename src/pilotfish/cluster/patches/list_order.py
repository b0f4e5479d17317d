"""The order of a list after a strategic merge patch.

What the patch names comes in the patch's order, the rest keeps its order, and the two are merged so
that the rest stays where it was among its neighbours.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go
    normalizeElementOrder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pilotfish.cluster.patches.errors import MalformedPatchError
from pilotfish.cluster.patches.values import JsonObject, go_text, same

Same = Callable[[Any, Any], bool]


def by_key(merge_key: str) -> Same:
    """Return how elements are told apart: objects by their merge key, others by their value."""
    if not merge_key:
        return same
    return lambda left, right: same(key_of(left, merge_key), key_of(right, merge_key))


def key_of(element: Any, merge_key: str) -> Any:
    """Return the merge key's value.

    Raises:
        MalformedPatchError: the element has none.
    """
    if not isinstance(element, dict):
        raise MalformedPatchError(
            f"expected a map[string]interface {{}}, but received a {go_type(element)}"
        )
    if merge_key not in element:
        raise no_merge_key(element, merge_key)
    return element[merge_key]


def no_merge_key(element: JsonObject, merge_key: str) -> MalformedPatchError:
    """Make the refusal of an element that cannot be matched with another."""
    return MalformedPatchError(
        f"map: {go_text(element)} does not contain declared merge key: {merge_key}"
    )


def go_type(value: Any) -> str:
    """Name a JSON value's type in Go."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int64"
        case float():
            return "float64"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case dict():
            return "map[string]interface {}"
        case _:
            return "%!s(<nil>)"


def ordered(
    merged: Sequence[Any], wanted: Sequence[Any], live: Sequence[Any], alike: Same
) -> list[Any]:
    """Put a merged list in order.

    Args:
        merged: the elements.
        wanted: the order that the patch asks for; may name elements that are not there.
        live: the order before the patch.
        alike: whether two elements are the same one.
    """
    named = [item for item in merged if _index(wanted, item, alike) >= 0]
    others = [item for item in merged if _index(wanted, item, alike) < 0]
    named, others = _sorted(named, wanted, alike), _sorted(others, live, alike)
    found: list[Any] = []
    while named and others:
        left, right = _index(live, others[0], alike), _index(live, named[0], alike)
        found.append(others.pop(0) if 0 <= left < right else named.pop(0))
    return found + others + named


def _sorted(items: list[Any], order: Sequence[Any], alike: Same) -> list[Any]:
    """Sort by place in an order, by insertion; an element without a place goes to the front.

    This is what upstream's comparison, which is none for such elements, comes to in short lists.
    """
    found: list[tuple[int, Any]] = []
    for item in items:
        place, at = _index(order, item, alike), len(found)
        while at and (place < 0 or found[at - 1][0] < 0 or place < found[at - 1][0]):
            at -= 1
        found.insert(at, (place, item))
    return [item for _, item in found]


def _index(items: Sequence[Any], wanted: Any, alike: Same) -> int:
    return next((i for i, item in enumerate(items) if alike(item, wanted)), -1)
