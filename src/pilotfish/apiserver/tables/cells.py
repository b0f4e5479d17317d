"""What several kinds' cells are made of.

Source: kubernetes v1.36 pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pilotfish.apiserver.tables.ages import age
from pilotfish.apiserver.tables.columns import NONE, Object

_OPERATORS: Final = {"In": "in", "NotIn": "notin"}
_ACCESS_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def part(obj: Object, *path: str) -> Mapping[str, Any]:
    """Return an inner object, empty where it is missing."""
    for name in path:
        obj = obj.get(name) or {}
    return obj


def name_of(obj: Object) -> str:
    """Return an object's name."""
    name: str = part(obj, "metadata").get("name", "")
    return name


def age_of(obj: Object, now: float) -> str:
    """Return how old an object is."""
    return age(part(obj, "metadata").get("creationTimestamp"), now)


def is_being_deleted(obj: Object) -> bool:
    """Say whether an object's deletion has begun."""
    return "deletionTimestamp" in part(obj, "metadata")


def container_cells(spec: Object) -> tuple[str, str]:
    """Return names and images of a pod spec's containers."""
    containers = spec.get("containers") or ()
    return (
        ",".join(container.get("name", "") for container in containers),
        ",".join(container.get("image", "") for container in containers),
    )


def format_labels(labels: Mapping[str, str] | None) -> str:
    """Render a set of labels."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def format_selector(selector: Object | None) -> str:
    """Render a label selector; nothing selected and everything selected read alike."""
    if selector is None:
        return NONE
    return ",".join(_requirements(selector)) or NONE


def access_modes(modes: Sequence[str] | None) -> str:
    """Render the access modes of a volume, in upstream's order."""
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in (modes or ()))


def has_condition(obj: Object, condition_type: str) -> bool:
    """Say whether a condition of the status is true."""
    conditions: Iterable[Object] = part(obj, "status").get("conditions") or ()
    return any(c.get("type") == condition_type and c.get("status") == "True" for c in conditions)


def _requirements(selector: Object) -> list[str]:
    """Render requirements, ordered by key."""
    rendered = [(k, f"{k}={v}") for k, v in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        key = expression.get("key", "")
        match expression.get("operator"):
            case "Exists":
                rendered.append((key, key))
            case "DoesNotExist":
                rendered.append((key, f"!{key}"))
            case operator:
                values = ",".join(sorted(expression.get("values") or ()))
                rendered.append((key, f"{key} {_OPERATORS.get(operator, operator)} ({values})"))
    return [text for _, text in sorted(rendered, key=lambda pair: pair[0])]
