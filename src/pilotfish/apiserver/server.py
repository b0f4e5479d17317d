"""The server: every HTTP request comes in here and leaves as a response.

*Theory of operation.* Handlers run on the loop and never wait between reading the cluster and
having the answer, so requests are atomic. What may wait is reading a body, before, and writing the
answer, after. Nobody's body is read who may not do what is asked. Large bodies are decoded, and
large tables and YAML are made, in a thread, one after the other, while others are served. A long
list is written piece by piece, of objects that were all read at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from pilotfish.apiserver import bodies, parameters, rendering
from pilotfish.apiserver.documents import DocumentEndpoint
from pilotfish.apiserver.media_types import AS_IS, JSON, Accepted, accepted_form
from pilotfish.apiserver.parameters import Query, wants_pretty
from pilotfish.apiserver.paths import ResourcePath, parse_path, split_target
from pilotfish.apiserver.pod_logs import LogEndpoint
from pilotfish.apiserver.replies import refusal, reply
from pilotfish.apiserver.routing import find_route, verb_of
from pilotfish.apiserver.watch_requests import WatchEndpoint
from pilotfish.apiserver.watch_streams import send
from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import (
    StatusError,
    bad_request,
    internal_error,
    method_not_allowed,
    timeout,
    unavailable,
)
from pilotfish.cluster.rbac import ResourceAttributes, impersonated
from pilotfish.cluster.requests import ApiRequest, Options, User
from pilotfish.cluster.resources import TABLE

BODY_SECONDS: Final = 30.0  # how long a body may take to arrive
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

log = logging.getLogger(__name__)
T = TypeVar("T")
_WRITES: Final = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}


class ApiServer:
    """Answers HTTP requests for one cluster.

    Args:
        cluster: what is asked.
        clock: seconds since the epoch.
        address: host and port at which clients reach the server.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float], address: str) -> None:
        self._cluster = cluster
        self._clock = clock
        self._documents = DocumentEndpoint(cluster.authorizer, cluster.registry.schema, address)
        self._watches = WatchEndpoint(cluster, clock)
        self._logs = LogEndpoint(cluster, clock)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")

    def close(self) -> None:
        """End all streams, so that their connections may end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._watches.watchers.close()
        self._logs.close()

    def wake_followers(self) -> None:
        """Let those who follow logs look at what a process wrote."""
        self._logs.wake()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; whatever it is, the answer is a response."""
        try:
            return await self._answer(request)
        except StatusError as error:
            return refusal(error)
        except RecursionError:
            return refusal(bad_request("json parse error: exceeded max depth"))
        except web.RequestPayloadError as error:
            request.content.feed_eof()  # what may follow is no part of it
            response = refusal(bad_request(f"the body cannot be read: {error}"))
            response.force_close()
            return response
        except ConnectionError:
            raise  # nobody is there to hear an answer
        except Exception as error:
            log.exception("%s %s failed", request.method, request.path)
            return refusal(internal_error(f"{type(error).__name__}: {error}"))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        target, query_text = split_target(request.raw_path)
        user = self._user(request)
        path = parse_path(target)
        if path is None or path.parts == 0:
            return self._documents.answer(request, user, target, Query(query_text))
        try:
            route = find_route(TABLE, request.method, path)
        except StatusError as error:
            self._refuse_if_forbidden(user, request.method, path)
            raise error from None
        query = Query(query_text)
        is_watch = route.verb == "list" and (path.is_watch or query.flag("watch"))
        if is_watch and "watch" not in route.resource.verbs:
            raise method_not_allowed()
        asked = ApiRequest(
            verb="watch" if is_watch else route.verb,
            resource=route.resource,
            user=user,
            namespace=route.namespace,
            name=route.name,
            subresource=route.subresource,
            options=Options(field_selector=query.text("fieldSelector")),
        )
        self._cluster.authorize(asked)
        if route.subresource == "log":
            return await self._logs.serve(request, route, query)
        wanted = await self._read(request, asked, query)
        accepted = accepted_form(request.headers.get("Accept", ""), is_watch=is_watch)
        include = rendering.include_of(query.text("includeObject"))
        if is_watch:
            return await self._watches.serve(request, wanted, accepted, include)
        return await self._ask(request, wanted, accepted, include, query)

    async def _ask(
        self,
        request: web.BaseRequest,
        wanted: ApiRequest,
        accepted: Accepted,
        include: rendering.IncludeObject,
        query: Query,
    ) -> web.StreamResponse:
        now = self._clock()
        try:
            answer = self._cluster.request(wanted, now)
        except StatusError as error:
            return refusal(error, wanted.warnings)
        pretty = wants_pretty(query, request.headers.get("User-Agent", ""))
        if accepted == AS_IS and answer.more is not None:  # too long for people: not indented
            return await send(request, _pieces(answer.body, answer.more), JSON)
        if accepted == AS_IS and not pretty:
            return reply(answer.code, answer.body, JSON, wanted.warnings)
        make = partial(rendering.render, answer, accepted, include, now, pretty=pretty)
        is_large = len(answer.body) >= bodies.LARGE_BYTES or answer.more is not None
        body = await self._aside(make) if is_large else make()
        return reply(answer.code, body, accepted.media_type, wanted.warnings)

    def _user(self, request: web.BaseRequest) -> User:
        headers = request.headers
        authorization = headers.get("Authorization", "")
        user = self._cluster.authenticator.authenticate(authorization, self._clock())
        return impersonated(self._cluster.authorizer, user, headers.items())

    def _refuse_if_forbidden(self, user: User, method: str, path: ResourcePath) -> None:
        """Refuse who may not even ask for what is not there."""
        attributes = ResourceAttributes(
            verb=verb_of(method, path),
            group=path.group,
            resource=path.plural,
            subresource=path.subresource,
            namespace=path.namespace,
            name=path.name,
        )
        self._cluster.authorizer.require(user, attributes)

    async def _read(self, request: web.BaseRequest, asked: ApiRequest, query: Query) -> ApiRequest:
        """Read the rest of a request: its body and its options."""
        verb = asked.verb
        if verb in ("list", "watch"):
            options = parameters.list_options(query, watch=verb == "watch")
            return msgspec.structs.replace(asked, options=options)
        if verb == "get":
            return msgspec.structs.replace(asked, options=parameters.get_options(query))
        body = await self._body(request, asked)
        if verb in _WRITES:
            return msgspec.structs.replace(
                asked,
                body=body.content,
                patch_type=body.patch_type,
                duplicates=body.duplicates,
                options=parameters.write_options(query, _WRITES[verb]),
            )
        options = parameters.delete_options(query, body.content)
        if verb == "deletecollection":
            options = parameters.selecting(options, query)
        return msgspec.structs.replace(asked, options=options)

    async def _body(self, request: web.BaseRequest, asked: ApiRequest) -> bodies.Body:
        text = await _text(request)
        content_type = request.headers.get("Content-Type", "")
        kind = rendering.body_kind(asked.resource, asked.subresource)
        decode = partial(bodies.decode_body, asked.verb, content_type, text, kind)
        return await self._aside(decode) if len(text) >= bodies.LARGE_BYTES else decode()

    async def _aside(self, compute: Callable[[], T]) -> T:
        """Compute in a thread what would keep others waiting.

        Raises:
            StatusError: 503, the server is ending.
        """
        loop = asyncio.get_running_loop()
        try:
            computing = loop.run_in_executor(self._thread, compute)
        except RuntimeError:  # the thread takes no more
            raise unavailable("the server is ending") from None
        return await computing


async def _pieces(first: bytes, more: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    yield first
    for piece in more:
        yield piece


async def _text(request: web.BaseRequest) -> bytes:
    """Read a body.

    Raises:
        StatusError: 413, it is too large; 504, it does not come.
    """
    limit = bodies.MAX_BODY_BYTES
    if (request.content_length or 0) > limit:
        raise bodies.body_too_large()
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(CONTINUE)  # else curl waits a second
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while not request.content.at_eof():
                part = await request.content.readany()
                size += len(part)
                if size > limit:
                    raise bodies.body_too_large()
                parts.append(part)
    except TimeoutError:
        raise timeout("the request's body did not arrive in time") from None
    return b"".join(parts)
