"""Protobuf bodies, which Go clients send unless told otherwise; answers are JSON, which they read.

A table that hack/derive_protobuf.py derives from the public Go types says which number stands for
which field.

Source: kubernetes v1.36 k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go for the
envelope; protobuf.dev/programming-guides/encoding for the rest.
"""

from __future__ import annotations

import base64
import gzip
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from pilotfish.apiserver.json_text import MalformedTextError, decode_json

PROTOBUF: Final = "application/vnd.kubernetes.protobuf"

_MAGIC: Final = b"k8s\x00"
_MAX_DEPTH: Final = 64  # of messages in messages
_MAX_VARINT_BITS: Final = 70
_MORE: Final = 0x80  # the bit of a byte that says that another one follows
_EPOCH_LIMIT: Final = 253_402_300_800  # the year 10000

Field = tuple[str, str, str]  # JSON name, type, "omit" if JSON leaves it out when it is empty


class Table(msgspec.Struct, frozen=True):
    """Which message each kind is, and the fields of messages by number."""

    kinds: dict[str, str]
    messages: dict[str, dict[int, Field]]


@lru_cache(maxsize=1)
def load_table() -> Table:
    """Read the table that comes with the package."""
    raw = files(__package__).joinpath("protobuf.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(raw), type=Table)


def decode_protobuf(body: bytes) -> dict[str, Any]:
    """Decode an object in its envelope.

    Raises:
        MalformedTextError: it is none.
    """
    if not body.startswith(_MAGIC):
        raise MalformedTextError("provided data does not appear to be a protobuf message")
    envelope = dict(_fields(body[len(_MAGIC) :]))
    names = dict(_fields(_bytes(envelope.get(1, b""))))
    version, kind = _text(names.get(1, b"")), _text(names.get(2, b""))
    table = load_table()
    message = table.kinds.get(f"{version} {kind}")
    if message is None:
        raise MalformedTextError(f'no kind "{kind}" is registered for version "{version}"')
    obj = _message(table, message, _bytes(envelope.get(2, b"")), _MAX_DEPTH)
    return {"kind": kind, "apiVersion": version, **obj}


def _message(table: Table, name: str, data: bytes, depth: int) -> dict[str, Any]:
    if not depth:
        raise MalformedTextError("exceeded max depth")
    known = table.messages[name]
    obj: dict[str, Any] = {}
    for number, raw in _fields(data):
        if (field := known.get(number)) is None:
            continue
        json_name, whole_kind, omit = field
        kind, _, inner = whole_kind.partition(" ")
        match kind:
            case "list":
                obj.setdefault(json_name, []).append(_value(table, inner, raw, depth))
            case "map":
                key, value = _entry(table, inner, _bytes(raw), depth)
                obj.setdefault(json_name, {})[key] = value
            case _:
                value = _value(table, whole_kind, raw, depth)
                if not json_name:
                    obj |= value
                elif value or not (omit or value is None):
                    obj[json_name] = value
    return obj


def _entry(table: Table, kind: str, data: bytes, depth: int) -> tuple[str, Any]:
    parts = dict(_fields(data))
    raw = parts.get(2, 0 if kind in ("int", "bool") else b"")
    return _text(parts.get(1, b"")), _value(table, kind, raw, depth)


def _value(table: Table, kind: str, raw: int | bytes, depth: int) -> Any:
    kind, _, inner = kind.partition(" ")
    match kind:
        case "string":
            return _text(raw)
        case "int":
            return _signed(raw)
        case "bool":
            return bool(_signed(raw))
        case "double":
            return struct.unpack("<d", _bytes(raw).ljust(8, b"\0")[:8])[0]
        case "bytes":
            return base64.b64encode(_bytes(raw)).decode()
        case "message":
            return _message(table, inner, _bytes(raw), depth - 1)
        case "wrapped":
            items = (item for number, item in _fields(_bytes(raw)) if number == 1)
            return [_value(table, inner, item, depth - 1) for item in items]
    return _leaf(kind, dict(_fields(_bytes(raw))))


def _leaf(kind: str, parts: Mapping[int, int | bytes]) -> Any:
    """Return a value of a type that writes its own JSON."""
    match kind:
        case "quantity":
            return _text(parts.get(1, b""))
        case "int-or-string":
            return _text(parts.get(3, b"")) if parts.get(1) else _signed(parts.get(2, 0))
        case "raw":
            raw = _bytes(parts.get(1, b""))
            return decode_json(raw) if raw else None
        case "time" | "micro-time":
            return _time(parts, with_fraction=kind == "micro-time")
    raise MalformedTextError(f"the type {kind} is not known")


def _time(parts: Mapping[int, int | bytes], *, with_fraction: bool) -> str | None:
    """Return a time as text; the zero time is none."""
    seconds, nanoseconds = _signed(parts.get(1, 0)), _signed(parts.get(2, 0))
    if not 0 < seconds < _EPOCH_LIMIT:
        return None
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanoseconds // 1000 % 1_000_000:06}Z" if with_fraction else f"{text}Z"


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and content of each field of a message."""
    position, end = 0, len(data)
    while position < end:
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        match wire_type:
            case 0:  # a number
                value, position = _varint(data, position)
                yield number, value
                continue
            case 1:  # eight bytes
                size = 8
            case 2:  # their number, then bytes
                size, position = _varint(data, position)
            case 5:  # four bytes
                size = 4
            case _:
                raise MalformedTextError(f"proto: illegal wireType {wire_type}")
        if position + size > end:
            raise MalformedTextError("unexpected EOF")
        yield number, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < _MAX_VARINT_BITS:
        if position >= len(data):
            raise MalformedTextError("unexpected EOF")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & _MORE:
            return value & (1 << 64) - 1, position
        shift += 7
    raise MalformedTextError("proto: integer overflow")


def _signed(raw: int | bytes) -> int:
    if isinstance(raw, bytes):
        raise MalformedTextError("proto: wrong wireType for a number")
    return raw - (1 << 64) if raw >> 63 else raw


def _bytes(raw: int | bytes) -> bytes:
    if isinstance(raw, int):
        raise MalformedTextError("proto: wrong wireType for bytes")
    return raw


def _text(raw: int | bytes) -> str:
    try:
        return _bytes(raw).decode()
    except UnicodeDecodeError:
        raise MalformedTextError("proto: a string is no UTF-8") from None
