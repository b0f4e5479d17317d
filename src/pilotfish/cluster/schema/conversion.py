"""Objects read as a strategic merge patch's result is: from values, not from JSON text.

Only the words of a refusal differ from `decoding`, and whole floats count as integers.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/runtime/converter.go.
"""

from __future__ import annotations

from typing import Any, Final

from pilotfish.cluster.schema.decoding import DecodeError, Decoder, Path, json_type_of
from pilotfish.cluster.schema.table import Field

_KINDS: Final = {"string": "string", "boolean": "bool", "number": "float64"}
_CONVERTIBLE: Final = {  # what Go could convert, and JSON may not
    ("int64", "string"), ("int64", "int32"), ("int64", "int64"),
    ("float64", "int32"), ("float64", "int64"), ("string", "bytes"),
}  # fmt: skip


class Converter(Decoder):
    """Reads one object from values."""

    def _mismatch(
        self,
        field: Field,
        value: Any,
        _path: Path,
        *,
        number_as_written: bool = False,
        go: str = "",
    ) -> DecodeError:
        """Word a wrong type as Go's converter does."""
        if go:  # a type that reads its own JSON
            shown = json_type_of(value)
            if number_as_written and shown == "number":
                shown = f"number {value}"
            return DecodeError(f"json: cannot unmarshal {shown} into Go value of type {go}")
        kind = _kind_of(value)
        match field.type:
            case "object":
                return DecodeError(f"cannot restore struct from: {kind}")
            case "list":
                return DecodeError(f"cannot restore slice from {kind}")
            case "map":
                return DecodeError(f"cannot restore map from {kind}")
        wanted = field.format if field.type == "integer" else _KINDS.get(field.type, field.type)
        if (kind, wanted) in _CONVERTIBLE:
            return DecodeError(f"cannot convert {kind} to {wanted}")
        return DecodeError(f"unrecognized type: {wanted}")

    def _integer(self, field: Field, value: Any, path: Path) -> int:
        whole = type(value) is float and value.is_integer()
        return super()._integer(field, int(value) if whole else value, path)


Converter.readers = {**Decoder.readers, "integer": Converter._integer}


def _kind_of(value: Any) -> str:
    match value:
        case int() if not isinstance(value, bool):
            return "int64"
        case float():
            return "float64"
    return {"object": "map", "array": "slice"}.get(json_type_of(value), json_type_of(value))
