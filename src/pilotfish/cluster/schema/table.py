"""What the real API server knows about its types: the table that hack/derive_schema.py derives."""

from __future__ import annotations

import zlib
from typing import Any, Literal, Self

import msgspec

GZIP_WINDOW = 31  # zlib's number for "a gzip header, the largest window"

Shape = Literal[
    "object", "list", "map", "string", "integer", "boolean", "number", "bytes",
    "quantity", "int-or-string", "time", "micro-time", "any",
]  # fmt: skip
Empty = Literal["keep", "drop", "fill", "fill-null"]


class Field(msgspec.Struct, frozen=True):
    """A field of a type, or the element of a list or map."""

    type: Shape
    ref: str = ""
    """Name of the type of an object."""
    info: TypeInfo | None = None
    """That type; `Table.from_bytes` links them."""
    items: Field | None = None
    """The element of a list or map."""
    go: str = ""
    """What error messages call the type; empty for elements."""
    embedded: str = ""
    """The embedded Go structs on the way, which error messages name: `ProbeHandler.`."""
    format: str = ""
    empty: Empty = "keep"
    """What is written for a zero value: itself; nothing; or, even when absent, zero or null."""
    required: bool = False
    default: Any = msgspec.UNSET
    """What OpenAPI says; the zero values in it are no defaults but part of the wire form."""
    enum: tuple[str, ...] = ()
    list: str = ""
    """atomic, set or map, of server-side apply."""
    keys: tuple[str, ...] = ()
    map: str = ""
    merge_key: str = ""
    """The key by which a strategic merge patch finds the element of a list."""
    strategy: tuple[str, ...] = ()
    """Of a strategic merge patch: merge, replace, retainKeys."""


class TypeInfo(msgspec.Struct, frozen=True):
    """A type of objects: its fields by name."""

    fields: dict[str, Field]
    map: str = ""
    name: str = ""
    """OpenAPI's name; the last word is the Go type's."""
    filled: tuple[tuple[str, Field], ...] = ()
    """The fields that are written even when they are absent."""

    @property
    def go_name(self) -> str:
        """The Go type's own name, such as PodSpec."""
        return self.name.rpartition(".")[2]


class Table(msgspec.Struct, frozen=True):
    """All types, and the type of each `apiVersion kind`."""

    version: str
    kinds: dict[str, str]
    types: dict[str, TypeInfo]

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read what hack/derive_schema.py wrote."""
        table = msgspec.json.decode(zlib.decompress(raw, GZIP_WINDOW), type=cls)
        for name, info in table.types.items():
            msgspec.structs.force_setattr(info, "name", name)
            filled = tuple(item for item in info.fields.items() if item[1].empty[:4] == "fill")
            msgspec.structs.force_setattr(info, "filled", filled)
            for field in info.fields.values():
                table._link(field)
        return table

    def _link(self, field: Field) -> None:
        if field.items is not None:
            self._link(field.items)
        elif field.ref:
            msgspec.structs.force_setattr(field, "info", self.types[field.ref])
