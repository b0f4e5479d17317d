"""Paths that are no resources: discovery, OpenAPI, health, version.

Source: kubernetes v1.36 k8s.io/apiserver/pkg/server/{healthz,routes}.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from pilotfish.apiserver.discovery import Discovery, Document, health
from pilotfish.apiserver.media_types import JSON, accepts, accepts_aggregated_discovery
from pilotfish.apiserver.parameters import Query, wants_pretty
from pilotfish.apiserver.paths import parse_path
from pilotfish.apiserver.rendering import dress
from pilotfish.apiserver.replies import document_reply, reply, text_reply
from pilotfish.cluster.errors import method_not_allowed, no_such_path, not_acceptable
from pilotfish.cluster.rbac import Authorizer, PathAttributes
from pilotfish.cluster.requests import User
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.schema import Schema
from pilotfish.cluster.schema.openapi import OpenApi

NOT_FOUND: Final = 404
OPENAPI_V2: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


class DocumentEndpoint:
    """Answers for paths that are no resources.

    Args:
        authorizer: says who may ask.
        schema: the types of OpenAPI.
        address: host and port at which clients reach the server.
    """

    def __init__(self, authorizer: Authorizer, schema: Schema, address: str) -> None:
        self._authorizer = authorizer
        self._openapi_v3 = OpenApi(schema.table, TABLE)
        self._discovery = Discovery(TABLE, address)

    def answer(self, request: web.BaseRequest, user: User, path: str, query: Query) -> web.Response:
        """Answer a request.

        Raises:
            StatusError: it is refused.
        """
        attributes = PathAttributes(verb=request.method.lower(), path=path)
        self._authorizer.require(user, attributes)
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        if (text := health(path, verbose=query.flag("verbose"))) is not None:
            return text_reply(200, text)
        if path.startswith("/openapi/"):
            return self._openapi(request, path)
        accept = request.headers.get("Accept", "")
        plain = path.rstrip("/") or "/"
        aggregated = accepts_aggregated_discovery(accept)
        document = self._discovery.document(plain, aggregated=aggregated)
        if document is None:
            return self._nothing(plain)
        if not aggregated and not accepts(accept, JSON):
            raise not_acceptable((JSON,))
        if not aggregated and wants_pretty(query, request.headers.get("User-Agent", "")):
            return reply(200, dress(document.body, JSON, pretty=True))
        return document_reply(document, request.headers.get("If-None-Match", ""))

    def _nothing(self, path: str) -> web.Response:
        """Answer for a path where nothing is: within a group that is served with a Status."""
        version = parse_path(path)
        if version is not None and self._discovery.has_group(version.group):
            raise no_such_path()
        return text_reply(NOT_FOUND, b"404 page not found\n")

    def _openapi(self, request: web.BaseRequest, path: str) -> web.Response:
        """Answer for /openapi/v3 and the document of a group version.

        Of v2, kubectl wants the form of protobuf when v3 does not know a kind. It gets a document
        without kinds, so that it goes on and says that there is no such kind.
        """
        accept = request.headers.get("Accept", "")
        if path == "/openapi/v2" and OPENAPI_V2 in accept:
            return reply(200, b"", OPENAPI_V2.replace("@", "."))  # Go reads no type with an @
        if not accepts(accept, JSON):
            raise not_acceptable((JSON,))
        name = path.removeprefix("/openapi/v3").strip("/")
        is_v3 = path.startswith("/openapi/v3")
        body = self._openapi_v3.document(name) if name else self._openapi_v3.index()
        if body is None or not is_v3:
            raise no_such_path()
        etag = f'"{self._openapi_v3.hash(name)}"' if name else ""
        return document_reply(Document(body, etag), request.headers.get("If-None-Match", ""))
