"""Make a case smaller for as long as it goes on failing.

This is delta debugging on the manifests rather than hypothesis' shrinking of the draws: a judgement
costs half a second and not a microsecond, so few and large steps count. What is left needs no
generator to be read or repeated.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from parity.drawing.cases import Case
from parity.drawing.draw import Manifest

Path: TypeAlias = tuple[Any, ...]
NEEDED: Final = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name")}

Judge: TypeAlias = Callable[[Case], bool]
"""Whether a case still fails; false too when there is no time left, which ends the search."""


def shrunk(case: Case, still_fails: Judge) -> Case:
    """Return a case that fails too, and none of whose single parts can be left out.

    Larger parts first: whole objects by halves, then fields of what is left, outermost first. It is
    repeated until nothing more goes.
    """
    while True:
        before = case
        case = _with_less_profile(case, still_fails)
        case = _with_fewer(case, "pods", still_fails)
        case = _with_fewer(case, "objects", still_fails)
        case = _with_less(case, "pods", still_fails)
        case = _with_less(case, "objects", still_fails)
        if case == before:
            return case


def single(case: Case, steps: Sequence[Manifest], index: int) -> Case:
    """Ask for one decision alone: the pods bound before it are on their nodes from the start."""
    manifests = {_key(pod): pod for pod in case.pods}
    placed = tuple(
        {
            **(pod := manifests[_key(step["pod"])]),
            "spec": {**pod["spec"], "nodeName": step["node"]},
            "status": {"startTime": step["changed"][-1]["status"]["startTime"]},
        }
        for step in steps[:index]
        if step["outcome"] == "bound"
    )
    pods = (manifests[_key(steps[index]["pod"])],)
    return msgspec.structs.replace(case, objects=case.objects + placed, pods=pods)


def _with_fewer(case: Case, field: str, still_fails: Judge) -> Case:
    """Leave out runs of manifests: halves, then quarters, in the end single ones."""
    size = max(1, len(getattr(case, field)) // 2)
    while True:
        start = 0
        while start < len(items := getattr(case, field)):
            smaller = _with(case, field, items[:start] + items[start + size :])
            if still_fails(smaller):
                case = smaller
            else:
                start += size
        if size == 1:
            return case
        size //= 2


def _with_less(case: Case, field: str, still_fails: Judge) -> Case:
    """Leave out single fields and list items of the manifests, outer ones first."""
    for index, manifest in enumerate(getattr(case, field)):
        for path in list(_paths(manifest)):
            items: tuple[Manifest, ...] = getattr(case, field)
            less = _without(items[index], path)
            smaller = _with(case, field, (*items[:index], less, *items[index + 1 :]))
            if less != items[index] and still_fails(smaller):
                case = smaller
    return case


def _with_less_profile(case: Case, still_fails: Judge) -> Case:
    """Leave out plugins and arguments."""
    for path in list(_paths(case.profile)):
        less = _without(case.profile, path)
        smaller = msgspec.structs.replace(case, profile=less)
        if less != case.profile and still_fails(smaller):
            case = smaller
    return case


def _with(case: Case, field: str, manifests: tuple[Manifest, ...]) -> Case:
    return msgspec.structs.replace(case, **{field: manifests})


def _key(pod: Manifest) -> tuple[str, str]:
    return pod["metadata"].get("namespace", "default"), pod["metadata"]["name"]


def _paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Yield where the parts of a manifest are; of a list the last first, so that none moves."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    else:
        keys = list(reversed(range(len(value)))) if isinstance(value, list | tuple) else []
    yield from ((*at, key) for key in keys if (*at, key) not in NEEDED)
    for key in keys:
        yield from _paths(value[key], (*at, key))


def _without(manifest: Manifest, path: Path) -> Manifest:
    """Leave one part out; a part that went with an outer one changes nothing."""
    changed = holder = copy.deepcopy(manifest)
    with contextlib.suppress(KeyError, IndexError):
        for key in path[:-1]:
            holder = holder[key]
        del holder[path[-1]]
    return changed
