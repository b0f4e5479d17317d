"""The order of a list after a strategic merge patch.

What the patch names comes in the patch's order, the rest keeps its order, and the two are merged so
that the rest stays where it was among its neighbours.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go
    normalizeElementOrder.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pilotfish.cluster.patches.errors import MalformedPatchError
from pilotfish.cluster.patches.values import JsonObject, go_text, identity

Identify = Callable[[Any], Hashable]
_Keyed: TypeAlias = tuple[Hashable, Any]  # an element behind what identifies it
SHORT: Final = 20  # what Go sorts by insertion


def by_key(merge_key: str) -> Identify:
    """Return by what elements are told apart: objects by their merge key, others by their value."""
    if not merge_key:
        return identity
    return lambda element: identity(key_of(element, merge_key))


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
    merged: Sequence[Any], wanted: Sequence[Any], live: Sequence[Any], identify: Identify
) -> list[Any]:
    """Put a merged list in order.

    Args:
        merged: the elements.
        wanted: the order that the patch asks for; may name elements that are not there.
        live: the order before the patch.
        identify: what two elements share that are the same one.
    """
    wanted_places, live_places = places(wanted, identify), places(live, identify)
    keyed = [(identify(item), item) for item in merged]
    named = deque(_sorted([pair for pair in keyed if pair[0] in wanted_places], wanted_places))
    others = deque(_sorted([pair for pair in keyed if pair[0] not in wanted_places], live_places))
    found: list[_Keyed] = []
    while named and others:
        left, right = live_places.get(others[0][0], -1), live_places.get(named[0][0], -1)
        found.append(others.popleft() if 0 <= left < right else named.popleft())
    return [item for _, item in (*found, *others, *named)]


def places(items: Sequence[Any], identify: Identify) -> dict[Hashable, int]:
    """Give each element's place, the first where it stands several times."""
    found: dict[Hashable, int] = {}
    for place, item in enumerate(items):
        found.setdefault(identify(item), place)
    return found


def _sorted(items: Sequence[_Keyed], order: Mapping[Hashable, int]) -> list[_Keyed]:
    """Sort by place in an order; an element without a place goes to the front.

    In short lists it ends where upstream's comparison, which is none for such elements, puts it.
    """
    if len(items) > SHORT or all(key in order for key, _ in items):
        return sorted(items, key=lambda pair: order.get(pair[0], -1))
    found: list[tuple[int, _Keyed]] = []
    for pair in items:
        place, at = order.get(pair[0], -1), len(found)
        while at and (place < 0 or found[at - 1][0] < 0 or place < found[at - 1][0]):
            at -= 1
        found.insert(at, (place, pair))
    return [pair for _, pair in found]
