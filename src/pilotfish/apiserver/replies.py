"""HTTP responses."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from aiohttp import web

from pilotfish.apiserver.discovery import Document
from pilotfish.apiserver.media_types import JSON, TEXT
from pilotfish.cluster.errors import StatusError

_NO_CACHE = "no-cache, private"


def reply(
    code: int, body: bytes, media_type: str = JSON, warnings: Iterable[str] = ()
) -> web.Response:
    """Answer with bytes."""
    response = web.Response(
        status=code, body=body, headers={"Cache-Control": _NO_CACHE, "Content-Type": media_type}
    )
    for warning in dict.fromkeys(warnings):
        response.headers.add("Warning", f"299 - {_quoted(warning)}")
    return response


def text_reply(code: int, body: bytes) -> web.Response:
    """Answer with text, as health checks and paths that are no API's do."""
    return reply(code, body, TEXT)


def refusal(error: StatusError, warnings: Iterable[str] = ()) -> web.Response:
    """Answer with the Status of a refusal."""
    response = reply(error.code, msgspec.json.encode(error.status()), warnings=warnings)
    if error.retry_after_seconds:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def document_reply(document: Document, if_none_match: str) -> web.Response:
    """Answer with a document, or that the client has it already."""
    headers = {"Cache-Control": _NO_CACHE, "Content-Type": document.media_type, "Vary": "Accept"}
    if document.etag:
        headers |= {"Cache-Control": "public", "ETag": document.etag}
        if document.etag in if_none_match:
            return web.Response(status=304, headers=headers)
    return web.Response(body=document.body, headers=headers)


def _quoted(text: str) -> str:
    """Make a text fit for a header: one line, in quotes."""
    line = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{line}"'
