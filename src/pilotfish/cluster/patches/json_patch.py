"""JSON patch (RFC 6902), as lenient as upstream.

Source: kubernetes v1.36 vendor gopkg.in/evanphx/json-patch.v4/patch.go: `replace` adds a field that
    is not there, negative indexes count from the end, a null equals an absent field.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from pilotfish.api.selectors import int64
from pilotfish.cluster.patches.errors import InapplicablePatchError, MalformedPatchError
from pilotfish.cluster.patches.values import JsonObject, same

MAX_COPIED_BYTES: Final = 3 * 1024 * 1024  # upstream's JSONPatchMaxCopyBytes

_INDEX: Final = re.compile(r"[+-]?[0-9]+")


def json_patch(obj: JsonObject, patch: Any) -> JsonObject:
    """Return what a JSON patch makes of an object; neither argument is changed.

    Raises:
        MalformedPatchError: the patch is no list of objects.
        InapplicablePatchError: an operation does not fit, a test failed, or more is copied than
            anyone would: a copy of copies doubles with each step.
    """
    if not isinstance(patch, list) or not all(isinstance(step, dict) for step in patch):
        raise MalformedPatchError("a JSON patch is a list of operations")
    document: Any = _copy(obj)
    left = MAX_COPIED_BYTES
    for step in patch:
        op = step.get("op", "unknown")
        operation = _OPERATIONS.get(op) if isinstance(op, str) else None
        if operation is None:
            raise InapplicablePatchError(f"Unexpected kind: {op}")
        if op == "copy":
            left -= len(msgspec.json.encode(_get(document, _text(step, "from"))))
            if left < 0:
                raise InapplicablePatchError(f"copying more than {MAX_COPIED_BYTES} bytes")
        document = operation(document, step)
    if not isinstance(document, dict):
        raise InapplicablePatchError("the patched document is no object")
    return document


def _add(document: Any, step: JsonObject) -> Any:
    _insert(document, _text(step, "path"), _copy(step.get("value")))
    return document


def _remove(document: Any, step: JsonObject) -> Any:
    _take(document, _text(step, "path"))
    return document


def _replace(document: Any, step: JsonObject) -> Any:
    path, value = _text(step, "path"), _copy(step.get("value"))
    if path == "":
        if not isinstance(value, dict | list):
            raise InapplicablePatchError("replace operation value must be object or array")
        return value
    container, key = _find(document, path)
    container[_index(container, key) if isinstance(container, list) else key] = value
    return document


def _move(document: Any, step: JsonObject) -> Any:
    _insert(document, _text(step, "path"), _take(document, _text(step, "from")))
    return document


def _copy_value(document: Any, step: JsonObject) -> Any:
    value = _copy(_get(document, _text(step, "from")))
    _insert(document, _text(step, "path"), value)
    return document


def _test(document: Any, step: JsonObject) -> Any:
    path = _text(step, "path")
    if not same(_get(document, path) if path else document, step.get("value")):
        raise InapplicablePatchError(f"testing value {path} failed: test failed")
    return document


_OPERATIONS: Final[dict[str, Callable[[Any, JsonObject], Any]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy_value,
    "test": _test,
}


def _find(document: Any, path: str) -> tuple[Any, str]:
    """Return the container that a path's last step is in, and that step."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    if not steps:
        raise InapplicablePatchError(f'doc is missing path: "{path}": missing value')
    for step in steps[:-1]:
        document = document.get(step) if isinstance(document, dict) else _item(document, step)
        if not isinstance(document, dict | list):
            raise InapplicablePatchError(f'doc is missing path: "{path}": missing value')
    return document, steps[-1]


def _get(document: Any, path: str) -> Any:
    container, key = _find(document, path)
    return container.get(key) if isinstance(container, dict) else _item(container, key)


def _take(document: Any, path: str) -> Any:
    container, key = _find(document, path)
    if isinstance(container, list):
        return container.pop(_index(container, key))
    if key not in container:
        raise InapplicablePatchError(f"Unable to remove nonexistent key: {key}: missing value")
    return container.pop(key)


def _insert(document: Any, path: str, value: Any) -> None:
    container, key = _find(document, path)
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(container, key, size=len(container) + 1), value)


def _item(container: list[Any], key: str) -> Any:
    return container[_index(container, key)]


def _index(container: list[Any], key: str, size: int | None = None) -> int:
    """Read an index into a list, or a place between its items where the size is one more."""
    size = len(container) if size is None else size
    if not _INDEX.fullmatch(key):
        raise InapplicablePatchError(f"value was not a proper array index: '{key}'")
    index = int64(key)
    if index is None or not -size <= index < size:
        raise InapplicablePatchError(f"Unable to access invalid index: {key}")
    return index % size


def _text(step: JsonObject, name: str) -> str:
    value = step.get(name)
    if not isinstance(value, str):
        raise InapplicablePatchError(f"operation missing {name} field: missing value")
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
