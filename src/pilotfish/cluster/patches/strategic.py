"""Strategic merge patch: a merge that knows the lists, and takes directives.

    $patch: delete | replace            of an object, or of an element of a list
    $retainKeys: [...]                  drop all other fields, for unions
    $setElementOrder/LIST: [...]        the order of a list after the merge
    $deleteFromPrimitiveList/LIST: [...]

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go.
    differs: what upstream answers with 500 (no merge key, an unknown directive) is malformed: 400.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from pilotfish.cluster.patches.errors import MalformedPatchError
from pilotfish.cluster.patches.list_order import (
    by_key,
    go_type,
    key_of,
    no_merge_key,
    ordered,
    places,
)
from pilotfish.cluster.patches.values import JsonObject, go_text, identity, without_nulls
from pilotfish.cluster.schema import Field, TypeInfo

DIRECTIVE: Final = "$patch"
RETAIN_KEYS: Final = "$retainKeys"
DELETE_FROM: Final = "$deleteFromPrimitiveList"
SET_ORDER: Final = "$setElementOrder"

_KINDS: Final = {"object": "struct", "list": "slice", "integer": "int32", "boolean": "bool"}
_DROPPED: Final = object()


def strategic_merge_patch(obj: JsonObject, patch: Any, info: TypeInfo) -> JsonObject:
    """Return what a strategic merge patch makes of an object; no argument is changed.

    Raises:
        MalformedPatchError: the patch is no object, or breaks the rules of its directives.
    """
    if not isinstance(patch, dict):
        raise MalformedPatchError("a strategic merge patch is an object")
    return _merge_objects(obj, patch, info)


def _merge_objects(obj: JsonObject, patch: JsonObject, info: TypeInfo | Field) -> JsonObject:
    if DIRECTIVE in patch:
        return _replaced(patch)
    merged, patch = dict(obj), dict(patch)
    if RETAIN_KEYS in patch:
        merged = _retained(merged, patch, patch.pop(RETAIN_KEYS))
    for directive in [key for key in patch if key.startswith(SET_ORDER)]:
        _merge_in_order(merged, patch, directive, info)
    for key, value in patch.items():
        if key.startswith(DELETE_FROM):
            name = _list_name(key, DELETE_FROM)
            if isinstance(current := merged.get(name), list) and isinstance(value, list):
                merged[name] = _without(current, value)
            continue
        _merge_field(merged, key, value, info)
    return merged


def _replaced(patch: JsonObject) -> JsonObject:
    match patch[DIRECTIVE]:
        case "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        case "delete":
            return {}
        case directive:
            raise _unknown_directive(directive, patch)


def _retained(obj: JsonObject, patch: JsonObject, keys: Any) -> JsonObject:
    malformed = MalformedPatchError("invalid patch format of retainKeys")
    if not isinstance(keys, list):
        raise malformed
    for key, value in patch.items():
        if value is not None and key not in keys and not key.startswith((DELETE_FROM, SET_ORDER)):
            raise malformed
    return {key: value for key, value in obj.items() if key in keys}


def _merge_in_order(
    merged: JsonObject, patch: JsonObject, directive: str, info: TypeInfo | Field
) -> None:
    """Merge the list that a $setElementOrder is about; take both from the patch."""
    wanted = _list(patch.pop(directive))
    name = _list_name(directive, SET_ORDER)
    field = _field(info, name)
    if field.type != "list":
        kind = _KINDS.get(field.type, field.type)
        raise MalformedPatchError(f"expected slice or array type, but got: {kind}")
    has_live, has_patch = name in merged, name in patch
    live = _list(merged[name]) if has_live else []
    changes = _list(patch.pop(name)) if has_patch else []
    _check_order(changes, wanted, field.merge_key)
    if not has_live and not has_patch:
        return
    if not has_patch:
        result = live
    elif not has_live:
        result = _without_directives(changes)
    else:
        result = _merge_lists(live, changes, field)
    _common_type(live, changes)
    merged[name] = ordered(result, wanted, live, by_key(field.merge_key))


def _check_order(changes: list[Any], wanted: list[Any], merge_key: str) -> None:
    """See that the patch's elements are among those of its order, and in that order."""
    if not wanted or not changes:
        return
    identify = by_key(merge_key)
    following = map(identify, wanted)
    for change in changes:
        if isinstance(change, dict) and DIRECTIVE in change:
            continue
        if not any(identify(change) == place for place in following):
            raise MalformedPatchError(
                f"The order in patch list:\n{go_text(changes)}\n"
                f" doesn't match {SET_ORDER} list:\n{go_text(wanted)}\n"
            )


def _merge_field(merged: JsonObject, key: str, value: Any, info: TypeInfo | Field) -> None:
    if value is None:
        merged.pop(key, None)
        return
    current = merged.get(key)
    if isinstance(value, dict) and isinstance(current, dict):
        field = _field(info, key)
        replaces = "replace" in field.strategy
        merged[key] = value if replaces else _merge_objects(current, value, field)
    elif isinstance(value, list) and isinstance(current, list):
        field = _field(info, key)
        merges = "merge" in field.strategy
        merged[key] = _merge_lists(current, value, field) if merges else value
    elif (kept := _without_directives(without_nulls(value))) is _DROPPED:
        merged.pop(key, None)
    else:
        merged[key] = kept


def _merge_lists(live: list[Any], patch: list[Any], field: Field) -> list[Any]:
    if not live and not patch:
        return live
    if not isinstance(_common_type(live, patch), dict):
        unique: dict[Hashable, Any] = {}
        for item in [*live, *patch]:
            unique.setdefault(identity(item), item)
        return ordered(list(unique.values()), patch, live, identity)
    if not field.merge_key or field.items is None:
        raise MalformedPatchError("cannot merge lists without merge key for struct")
    live, patch = _apply_element_directives(live, patch, field.merge_key)
    merged = _merge_elements(live, patch, field.merge_key, field.items)
    return ordered(merged, patch, live, by_key(field.merge_key))


def _apply_element_directives(
    live: list[Any], patch: list[Any], merge_key: str
) -> tuple[list[Any], list[Any]]:
    """Delete what the patch deletes; return the list, and the patch without directives."""
    plain: list[Any] = []
    gone: set[Hashable] = set()
    replaces = False
    for change in patch:
        match change.get(DIRECTIVE, _DROPPED):
            case unmarked if unmarked is _DROPPED:
                plain.append(change)
            case "delete":
                gone.add(identity(key_of(change, merge_key)))
            case "replace":
                replaces = True
            case "merge":
                raise MalformedPatchError("merging lists cannot yet be specified in the patch")
            case directive:
                raise _unknown_directive(directive, change)
    if replaces:
        return plain, []
    return [item for item in live if identity(item.get(merge_key)) not in gone], plain


def _merge_elements(live: list[Any], patch: list[Any], merge_key: str, element: Field) -> list[Any]:
    merged, identify = list(live), by_key(merge_key)
    found = places(live, identify)
    for change in patch:
        key = identify(change)
        if key in found:
            merged[found[key]] = _merge_objects(merged[found[key]], change, element)
        else:
            found[key] = len(merged)
            merged.append(change)
    for item in merged:
        if merge_key not in item:
            raise no_merge_key(item, merge_key)
    return merged


def _common_type(*lists: list[Any]) -> Any:
    """Return an example of the elements, which must all have one type."""
    items = [item for part in lists for item in part]
    if not items:
        raise MalformedPatchError("no elements in any of the given slices")
    if isinstance(items[0], list):
        raise MalformedPatchError("lists of lists are not supported")
    if any(type(item) is not type(items[0]) for item in items):
        raise MalformedPatchError(f"list element types are not identical: {go_text(list(lists))}")
    return items[0]


def _without(items: list[Any], gone: list[Any]) -> list[Any]:
    identities = set(map(identity, gone))
    return [item for item in items if identity(item) not in identities]


def _without_directives(value: Any) -> Any:
    """Return a value without objects that are marked with a directive."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return _DROPPED
        kept = ((key, _without_directives(item)) for key, item in value.items())
        return {key: item for key, item in kept if item is not _DROPPED}
    if isinstance(value, list):
        return [item for item in map(_without_directives, value) if item is not _DROPPED]
    return value


def _field(info: TypeInfo | Field, name: str) -> Field:
    inner = info.info if isinstance(info, Field) else info
    if inner is None:
        kind = info.type if isinstance(info, Field) else ""
        raise MalformedPatchError(
            f"merging an object in json but data type is not struct, instead is: {kind}"
        )
    if (field := inner.fields.get(name)) is None:
        raise MalformedPatchError(
            f'unable to find api field in struct {inner.go_name} for the json field "{name}"'
        )
    return field


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedPatchError(f"expected a []interface {{}}, but received a {go_type(value)}")
    return value


def _list_name(directive: str, prefix: str) -> str:
    found, separator, name = directive.partition("/")
    if found != prefix or not separator:
        words = "primitive list" if prefix == DELETE_FROM else "setElementOrder list"
        raise MalformedPatchError(f"invalid patch format of {words}")
    return name


def _unknown_directive(directive: Any, patch: JsonObject) -> MalformedPatchError:
    return MalformedPatchError(f"unknown patch type: {directive} in map: {go_text(patch)}")
