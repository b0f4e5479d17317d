"""Kubernetes objects from JSON and back; one malformed object never costs its neighbours."""

from __future__ import annotations

import re
from functools import cache
from types import GenericAlias
from typing import Any, Generic, TypeVar

import msgspec

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.quantity import MalformedQuantityError, Quantity

T = TypeVar("T", bound=KubernetesObject)

_AT = re.compile(r"(.*?) - at (?:`key` in )?`\$\.?(.*)`", re.DOTALL)


class MalformedObjectError(ValueError):
    """An object that does not have the shape of its kind, with what is known of its identity.

    Attributes:
        kind: The kind, as in `Pod`.
        namespace: Its namespace; this and the next three are empty where they cannot be read.
        name: Its name.
        uid: Its uid.
        resource_version: Its resourceVersion.
        field: The path of the field at fault, as in `spec.nodeName`; map keys read `[...]`.
        reason: What is wrong with the field.
    """

    def __init__(self, kind: str, metadata: dict[str, str], field: str, reason: str) -> None:
        self.kind = kind
        self.namespace = metadata.get("namespace", "")
        self.name = metadata.get("name", "")
        self.uid = metadata.get("uid", "")
        self.resource_version = metadata.get("resourceVersion", "")
        self.field = field
        self.reason = reason
        name = self.name or "without a readable name"
        key = f"{self.namespace}/{name}" if self.namespace else name
        where = f"{field}: " if field else ""
        super().__init__(f"{kind.lower()} {key}: {where}{reason}")


class ListPage(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: list[T]
    malformed: list[MalformedObjectError]
    resource_version: str
    continue_token: str


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_token: str | None = msgspec.field(name="continue", default=None)


class _List(msgspec.Struct, Generic[T]):
    items: list[T] | None = None
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)


class _RawList(msgspec.Struct):
    items: list[msgspec.Raw] | None = None
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)


def decode(kind: type[T], raw: bytes | msgspec.Raw) -> T:
    """Decode one object.

    A member that is null is taken for absent, as Go takes it.

    Raises:
        MalformedObjectError: The object does not have the shape of its kind.
        msgspec.DecodeError: The bytes are no JSON.
    """
    try:
        obj: T = _decoder(kind).decode(raw)
    except msgspec.ValidationError as error:
        return _decode_slowly(kind, bytes(raw), error)
    return obj


def decode_list(kind: type[T], raw: bytes) -> ListPage[T]:
    """Decode one page of a list; objects at fault are told apart from the good ones.

    Raises:
        msgspec.DecodeError: The bytes are no list in JSON.
    """
    try:
        page = _list_decoder(kind).decode(raw)
    except msgspec.ValidationError:
        return _decode_list_slowly(kind, raw)
    meta = page.metadata
    return ListPage(page.items or [], [], meta.resource_version, meta.continue_token or "")


def encode(obj: object) -> bytes:
    """Encode to JSON what `decode` reads back as equal."""
    return _ENCODER.encode(obj)


def dec_hook(kind: type, value: Any) -> Any:
    """Make a Quantity of a JSON string, number or null, for msgspec.

    Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go.
    """
    if kind is not Quantity:
        raise NotImplementedError(f"no decoding to {kind} is defined")
    match value:
        case str():
            return Quantity.parse(value.strip())
        case bool():
            raise MalformedQuantityError("a quantity is a string or a number, not a boolean")
        case int() | float():
            return Quantity.parse(str(value))
        case None:
            return Quantity.parse("0")
        case _:
            raise MalformedQuantityError("a quantity is a string or a number")


def enc_hook(value: Any) -> Any:
    """Make JSON of a Quantity, for msgspec."""
    if isinstance(value, Quantity):
        return str(value)
    raise NotImplementedError(f"no encoding of {type(value)} is defined")


_ENCODER = msgspec.json.Encoder(enc_hook=enc_hook)


@cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind, dec_hook=dec_hook)


@cache
def _list_decoder(kind: type[T]) -> msgspec.json.Decoder[_List[T]]:
    return msgspec.json.Decoder(GenericAlias(_List, (kind,)), dec_hook=dec_hook)


def _decode_slowly(kind: type[T], raw: bytes, error: msgspec.ValidationError) -> T:
    content = msgspec.json.decode(raw)
    if b"null" in raw:
        try:
            return msgspec.convert(without_nulls(content), kind, dec_hook=dec_hook)
        except msgspec.ValidationError as second:
            error = second
    match = _AT.fullmatch(str(error))
    reason, field = match.groups() if match else (str(error), "")
    raise MalformedObjectError(kind.__name__, _identity(content), field, reason) from error


def _decode_list_slowly(kind: type[T], raw: bytes) -> ListPage[T]:
    page = msgspec.json.decode(raw, type=_RawList)
    items, malformed = [], []
    for item in page.items or ():
        try:
            items.append(decode(kind, item))
        except MalformedObjectError as error:
            malformed.append(error)
    meta = page.metadata
    return ListPage(items, malformed, meta.resource_version, meta.continue_token or "")


def without_nulls(content: Any) -> Any:
    """Leave out members that are null: Go takes them for absent."""
    match content:
        case dict():
            return {k: without_nulls(v) for k, v in content.items() if v is not None}
        case list():
            return [without_nulls(item) for item in content]
        case _:
            return content


def _identity(content: Any) -> dict[str, str]:
    """Give the texts in the metadata of whatever this is."""
    metadata = content.get("metadata") if isinstance(content, dict) else None
    if not isinstance(metadata, dict):
        return {}
    return {key: value for key, value in metadata.items() if isinstance(value, str)}
