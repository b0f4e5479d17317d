"""Answers in the form that was asked for: as they are, as tables, as metadata alone.

Source: kubernetes v1.36 k8s.io/apiserver/pkg/endpoints/handlers/response.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from pilotfish.apiserver.media_types import YAML, Accepted
from pilotfish.apiserver.tables.of_kind import table_of
from pilotfish.apiserver.yaml_text import encode_yaml
from pilotfish.cluster.errors import bad_request
from pilotfish.cluster.objects import single_document
from pilotfish.cluster.requests import ApiAnswer
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.subresources import SUBRESOURCES

IncludeObject = Literal["None", "Metadata", "Object"]

_encode = msgspec.json.encode
_TABLE_HEAD: Final = b'{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":%b,'
_METADATA_HEAD: Final = b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",'
NO_COLUMNS: Final = b'"columnDefinitions":null,'


class _Outline(msgspec.Struct):
    """An answer as far as other forms need it."""

    kind: str = ""
    api_version: str = msgspec.field(default="", name="apiVersion")
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    items: list[msgspec.Raw] | None = None


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""


_outline_of = msgspec.json.Decoder(_Outline).decode
_list_meta_of = msgspec.json.Decoder(_ListMeta).decode
_object_of: Any = msgspec.json.Decoder().decode


def include_of(text: str) -> IncludeObject:
    """Read the parameter includeObject.

    Raises:
        StatusError: 400.
    """
    match text:
        case "None" | "Object" | "Metadata":
            return text
        case "":
            return "Metadata"
    raise bad_request(
        f'Unable to convert to Table as requested: includeObject: Invalid value: "{text}": '
        "must be 'Metadata', 'Object', 'None', or empty"
    )


def render(
    answer: ApiAnswer, accepted: Accepted, include: IncludeObject, now: float, *, pretty: bool
) -> bytes:
    """Return the bytes of an answer."""
    match accepted.form:
        case "table":
            body = _as_table(answer, include, now)
        case "metadata":
            body = _as_metadata(answer)
        case _:
            body = b"".join((answer.body, *(answer.more or ())))
    return dress(body, accepted.media_type, pretty=pretty)


def dress(body: bytes, media_type: str, *, pretty: bool) -> bytes:
    """Turn JSON into YAML, or into JSON for people."""
    if media_type == YAML:
        return encode_yaml(_object_of(body))
    return msgspec.json.format(body, indent=2) + b"\n" if pretty else body


def columns_of(kind: str) -> bytes:
    """Return the column definitions of a kind's table."""
    return b'"columnDefinitions":%b,' % _encode(table_of(kind).columns)


def row(resource: Resource, body: bytes, include: IncludeObject, now: float) -> bytes:
    """Return the row of one object.

    Args:
        resource: what the object is; the body need not say so.
        body: its JSON at rest, without kind and apiVersion.
        include: how much of the object goes with the row.
        now: seconds since the epoch, for ages.
    """
    table = table_of(resource.kind)
    obj = _object_of(body)
    content: dict[str, Any] = {"cells": table.cells(obj, now)}
    if table.conditions and (conditions := table.conditions(obj)):
        content["conditions"] = conditions
    match include:
        case "None":
            content["object"] = None
        case "Metadata":
            content["object"] = msgspec.Raw(metadata_only(body))
        case "Object":
            content["object"] = msgspec.Raw(single_document(resource, body))
    return _encode(content)


def metadata_only(body: bytes) -> bytes:
    """Reduce an object to its metadata."""
    return b'%b"metadata":%b}' % (_METADATA_HEAD, bytes(_outline_of(body).metadata))


def table(metadata: bytes, columns: bytes, rows: Iterable[bytes]) -> bytes:
    """Put a table together.

    Args:
        metadata: ListMeta as JSON.
        columns: of `columns_of`, or NO_COLUMNS.
        rows: of `row`.
    """
    return b'%b%b"rows":[%b]}' % (_TABLE_HEAD % metadata, columns, b",".join(rows))


def body_kind(resource: Resource, subresource: str) -> str:
    """Return the kind of object that a write on a resource, or a part of it, brings."""
    part = SUBRESOURCES.get(subresource)
    return part.kind if part and part.kind else resource.kind


def list_metadata(resource_version: str) -> bytes:
    """Return the ListMeta of a table with one row."""
    return _encode({"resourceVersion": resource_version} if resource_version else {})


def _as_table(answer: ApiAnswer, include: IncludeObject, now: float) -> bytes:
    outline = _outline(answer)
    if outline.kind == "Status":
        return answer.body
    is_list = outline.items is not None
    kind = outline.kind.removesuffix("List") if is_list else outline.kind
    resource = msgspec.structs.replace(answer.resource, kind=kind)
    metadata = bytes(outline.metadata)
    if not is_list:
        metadata = list_metadata(_list_meta_of(metadata).resource_version)
    rows = (row(resource, body, include, now) for body in _bodies(answer, outline))
    return table(metadata, columns_of(kind), rows)


def _as_metadata(answer: ApiAnswer) -> bytes:
    outline = _outline(answer)
    if outline.kind == "Status":
        return answer.body
    if outline.items is None:
        return metadata_only(answer.body)
    return b'{"kind":"PartialObjectMetadataList",%b"metadata":%b,"items":[%b]}' % (
        b'"apiVersion":"meta.k8s.io/v1",',
        bytes(outline.metadata),
        b",".join(map(metadata_only, _bodies(answer, outline))),
    )


def _outline(answer: ApiAnswer) -> _Outline:
    if answer.more is None:
        return _outline_of(answer.body)
    return _outline_of(answer.body.removesuffix(b",") + b"]}")  # as if it ended here


def _bodies(answer: ApiAnswer, outline: _Outline) -> Sequence[bytes]:
    """Return the objects of an answer without kind and apiVersion."""
    if answer.items is not None:
        return [item.body for item in answer.items]
    if outline.items is not None:
        return [bytes(item) for item in outline.items]
    obj = _object_of(answer.body)
    return [_encode({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")})]
