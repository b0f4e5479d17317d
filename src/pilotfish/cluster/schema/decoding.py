"""Objects read as the real API server reads them: types checked, unknown fields found and dropped.

What comes out has the wire form of upstream's Go types: nulls and empty optional fields are gone,
fields that are always written are there, quantities and times are canonical.

Source: kubernetes v1.36 vendor sigs.k8s.io/json, staging/src/k8s.io/api/*/types.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar, Final

from pilotfish.cluster.errors import quote
from pilotfish.cluster.schema import leaves
from pilotfish.cluster.schema.table import Field, TypeInfo

JsonObject = dict[str, Any]
Path = tuple[Any, TypeInfo | None, str | int] | None  # parent, the type that has the field, step

MAX_STRICT_ERRORS: Final = 100
MAX_DEPTH: Final = 500  # of content without a type; differs: 10,000 in upstream's decoder
_INTEGERS: Final = {"int32": 1 << 31, "int64": 1 << 63, "": 1 << 63}
_ZEROS: Final[dict[str, Any]] = {
    "string": "", "integer": 0, "boolean": False, "number": 0, "quantity": "0",
    "int-or-string": 0, "bytes": "",
}  # fmt: skip


class DecodeError(Exception):
    """A value does not have its field's type; the message is that of upstream's decoder."""


class Decoder:
    """Reads one object.

    Args:
        duplicates: paths that the object's JSON text named twice.

    Attributes:
        strict_errors: what is wrong but can be read: unknown and duplicate fields.
    """

    readers: ClassVar[dict[str, Callable[[Any, Field, Any, Path], Any]]]
    """How a value is read, by its field's type."""

    def __init__(self, duplicates: Collection[str] = ()) -> None:
        self.strict_errors: list[str] = []
        self._duplicates = duplicates

    def decode(self, info: TypeInfo, value: JsonObject) -> JsonObject:
        """Return the object in wire form; the one given is left alone.

        Raises:
            DecodeError: a value has the wrong type.
        """
        return self._struct(info, value, None)

    def _struct(self, info: TypeInfo, value: JsonObject, path: Path) -> JsonObject:
        fields, readers, found = info.fields, self.readers, {}
        for name, item in value.items():
            here = (path, info, name)
            if (field := fields.get(name)) is None:
                self._note("unknown", here)
                continue
            if self._duplicates:
                self._note_duplicate(here)
            if item is not None:
                read = readers[field.type](self, field, item, here)
                if read or field.empty != "drop":
                    found[name] = read
                    if field.empty == "fill" and read == []:
                        found[name] = None  # as after upstream's storage, which has no empty lists
        for name, field in info.filled:
            if name not in found:
                found[name] = None if field.empty == "fill-null" else self._zero(field)
        return found

    def _zero(self, field: Field) -> Any:
        if field.info is not None:
            return self._struct(field.info, {}, None)
        return _ZEROS.get(field.type)

    def _element(self, field: Field, item: Any, path: Path) -> Any:
        return (
            self._zero(field) if item is None else self.readers[field.type](self, field, item, path)
        )

    def _object(self, field: Field, value: Any, path: Path) -> JsonObject:
        if type(value) is not dict or field.info is None:
            raise self._mismatch(field, value, path)
        return self._struct(field.info, value, path)

    def _list(self, field: Field, value: Any, path: Path) -> list[Any]:
        if type(value) is not list or field.items is None:
            raise self._mismatch(field, value, path)
        element = field.items
        return [self._element(element, item, (path, None, i)) for i, item in enumerate(value)]

    def _map(self, field: Field, value: Any, path: Path) -> JsonObject:
        if type(value) is not dict or field.items is None:
            raise self._mismatch(field, value, path)
        element, found = field.items, {}
        for key, item in value.items():
            here = (path, None, key)
            if self._duplicates:
                self._note_duplicate(here)
            found[key] = self._element(element, item, here)
        return found

    def _string(self, field: Field, value: Any, path: Path) -> str:
        if type(value) is not str:
            raise self._mismatch(field, value, path)
        return value

    def _boolean(self, field: Field, value: Any, path: Path) -> bool:
        if type(value) is not bool:
            raise self._mismatch(field, value, path)
        return value

    def _integer(self, field: Field, value: Any, path: Path) -> int:
        limit = _INTEGERS[field.format]
        if type(value) is not int or not -limit <= value < limit:
            raise self._mismatch(field, value, path, number_as_written=True)
        return value

    def _number(self, field: Field, value: Any, path: Path) -> float:
        if type(value) not in (int, float):
            raise self._mismatch(field, value, path)
        number: float = value
        return number

    def _int_or_string(self, field: Field, value: Any, path: Path) -> int | str:
        if type(value) is str:
            return value
        if type(value) is not int or not -(1 << 31) <= value < 1 << 31:
            raise self._mismatch(field, value, path, number_as_written=True, go="int32")
        return value

    def _quantity(self, _field: Field, value: Any, _path: Path) -> str:
        return _leaf(leaves.canonical_quantity, "-" if _is_no_number(value) else str(value))

    def _time(self, field: Field, value: Any, path: Path) -> str:
        if type(value) is not str:
            raise self._mismatch(field, value, path, go="string")
        return _leaf(leaves.canonical_time, value)

    def _micro_time(self, field: Field, value: Any, path: Path) -> str:
        if type(value) is not str:
            raise self._mismatch(field, value, path, go="string")
        return _leaf(_canonical_micro_time, value)

    def _bytes(self, field: Field, value: Any, path: Path) -> str:
        if type(value) is not str:
            raise self._mismatch(field, value, path, go="[]uint8")
        return _leaf(leaves.canonical_base64, value)

    def _any(self, _field: Field, value: Any, _path: Path) -> Any:
        if _is_too_deep(value):
            raise DecodeError("exceeded max depth")
        return value

    def _mismatch(
        self,
        _field: Field,
        value: Any,
        path: Path,
        *,
        number_as_written: bool = False,
        go: str = "",
    ) -> DecodeError:
        """Word a wrong type as Go's decoder does: the innermost struct, fields without indexes.

        differs: a number in words is written as Python does, not as in the request (1e3 is 1000.0).
        """
        json_type = json_type_of(value)
        if json_type == "number" and number_as_written:
            json_type = f"number {value}"
        owner, where, expected = _go_place(path)
        return DecodeError(
            f"json: cannot unmarshal {json_type} into Go struct field {owner}.{where}"
            f" of type {go or expected}"
        )

    def _note_duplicate(self, path: Path) -> None:
        if strict_path(path) in self._duplicates:
            self._note("duplicate", path)

    def _note(self, problem: str, path: Path) -> None:
        if len(self.strict_errors) < MAX_STRICT_ERRORS:
            self.strict_errors.append(f"{problem} field {quote(strict_path(path))}")


Decoder.readers = {
    "object": Decoder._object, "list": Decoder._list, "map": Decoder._map,
    "string": Decoder._string, "boolean": Decoder._boolean, "integer": Decoder._integer,
    "number": Decoder._number, "int-or-string": Decoder._int_or_string,
    "quantity": Decoder._quantity, "time": Decoder._time, "micro-time": Decoder._micro_time,
    "bytes": Decoder._bytes, "any": Decoder._any,
}  # fmt: skip


def _canonical_micro_time(text: str) -> str:
    return leaves.canonical_time(text, leaves.MICROSECONDS_LAYOUT)


def _is_too_deep(value: Any) -> bool:
    """Say whether dicts and lists lie so deep in one another that later readers would give up."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = (x.values() if type(x) is dict else x for x in level if type(x) in (dict, list))
        level = [item for items in inner for item in items]
        if not level:
            return False
    return True


def _is_no_number(value: Any) -> bool:
    return type(value) not in (str, int, float)


def _leaf(canonical: Callable[[str], str], text: str) -> str:
    try:
        return canonical(text)
    except leaves.MalformedValueError as error:
        raise DecodeError(str(error)) from None


def _go_place(path: Path) -> tuple[str, str, str]:
    """Return the innermost struct on a path, the way there, and the type that is expected."""
    steps: list[str] = []
    owner, expected, levels, node = "", "", 0, path
    while node is not None:
        parent, info, step = node
        if info is not None:
            field = info.fields[str(step)]
            steps.append(f"{field.embedded}{step}")
            if not owner:
                owner, expected = info.go_name, element_type(field.go, levels)
        elif not owner:
            levels += 1
        node = parent
    return owner, ".".join(reversed(steps)), expected


def element_type(go: str, levels: int) -> str:
    """Return the Go type of an element, so many lists and maps deep."""
    for _ in range(levels):
        go = go.partition("]")[2].removeprefix("*")
    return go


def json_type_of(value: Any) -> str:
    """Name a value's type as error messages of Go's decoder do."""
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case dict():
            return "object"
        case list():
            return "array"
        case _:
            return "number"


def strict_path(path: Path) -> str:
    """Write a path as strict errors do: `spec.containers[0].name`."""
    steps: list[str] = []
    while path is not None:
        parent, _, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
        path = parent
    return "".join(reversed(steps)).removeprefix(".")
