"""HTTP to an API server: a keep-alive pool, credentials, a rate limit and safe retries.

What is retried here, and nothing else is: any request once after a 401, with renewed credentials;
any request after 429, which says that the server did not act; reads after a 5xx with Retry-After. A
write whose outcome is unknown is never sent twice.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict
from yarl import URL

from pilotfish.client.cluster_config import ClusterConfig
from pilotfish.client.credentials import ClientCertificate, Credential
from pilotfish.client.errors import ApiError, ConnectionFailed, api_error
from pilotfish.client.pacing import TokenBucket
from pilotfish.client.tls import ssl_context

TRIES = 10  # upstream's maxRetries: answers with Retry-After that are obeyed for one request
LONGEST_RETRY_AFTER_SECONDS = 60.0  # beyond it the caller is told instead
REQUEST_SECONDS = 30.0  # one try, from connecting to the last byte
CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 30.0  # idle connections are closed before servers and proxies close them
READ_BUFFER_BYTES = 2**18
CONNECTIONS = 100

_READS = frozenset({"GET", "HEAD"})
_NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, of a status below 300."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def _unobserved(_method: str, _code: str, _seconds: float) -> None:
    """Be told and do nothing."""


def always() -> bool:
    """Allow every write."""
    return True


class ApiClient:
    """Sends requests to one API server; an async context manager.

    Args:
        config: where and how.
        qps: requests a second, as clientConnection.qps; 0 is unlimited. All requests count.
        burst: requests at once after a quiet spell; 0 is one second's worth.
        connections: open at the same time; each watch holds one.
        user_agent: the User-Agent header, which shows in audit logs.
        observe: told of each request sent: its method, the status of the answer or "<error>", and
            the seconds until the answer began.
        may_write: asked right before the bytes of a body leave, the last moment. A request without
            a body is not asked about.
    """

    def __init__(
        self,
        config: ClusterConfig,
        *,
        qps: float = 0.0,
        burst: int = 0,
        connections: int = CONNECTIONS,
        user_agent: str = "pilotfish",
        observe: Callable[[str, str, float], None] = _unobserved,
        may_write: Callable[[], bool] = always,
    ) -> None:
        self.config = config
        self._connections = connections
        self._user_agent = user_agent
        self._observe = observe
        self.may_write = may_write
        self._bucket = TokenBucket(qps, burst)
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        self._credential: Credential | None = None
        self._headers: dict[str, CIMultiDict[str]] = {}
        self._certificate: ClientCertificate | None = None
        self._ssl: ssl.SSLContext | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Get a credential and set up TLS, so that a bad configuration shows here.

        Raises:
            ConfigError: the CA or the client certificate is unusable.
            CredentialsError: no credential could be had.
        """
        self._use(await self.config.credentials.current())
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections,
                keepalive_timeout=KEEPALIVE_SECONDS,
                ttl_dns_cache=30,
                socket_factory=_keepalive_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=READ_BUFFER_BYTES,
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        timeout_seconds: float = REQUEST_SECONDS,
    ) -> Response:
        """Send a request and return the whole answer.

        Args:
            method: in capitals.
            path: from the server's root, percent-encoded.
            params: the query, not yet encoded.
            body: the payload, of `content_type`.
            content_type: "application/merge-patch+json" and the like for patches.
            timeout_seconds: for one try.

        Raises:
            ApiError: the server refused, or redirected.
            ConnectionFailed: no answer; `outcome_unknown` says whether the server may have acted.
            CredentialsError: no credential could be had.
        """
        limit = self._timeouts.get(timeout_seconds)
        if limit is None:
            limit = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_SECONDS)
            self._timeouts[timeout_seconds] = limit
        try:
            response = await self._send(
                method, _path_and_query(path, params), body, content_type, limit
            )
            async with response:
                payload = await response.read()
        except _NETWORK_ERRORS as error:
            raise _connection_failed(error, f"{method} {path}") from error
        return Response(response.status, payload, response.headers)

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str], *, idle_seconds: float
    ) -> AsyncIterator["Chunks"]:
        """Open a GET that does not end and yield its chunks as they come.

        Raises:
            ConnectionFailed: also in mid-stream, when it is cut or silent for `idle_seconds`.
        """
        limit = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=idle_seconds
        )
        try:
            response = await self._send("GET", _path_and_query(path, params), None, "", limit)
        except _NETWORK_ERRORS as error:
            raise _connection_failed(error, f"GET {path}") from error
        async with response:
            yield Chunks(response.content, f"GET {path}")

    async def _send(
        self,
        method: str,
        path_and_query: str,
        body: bytes | None,
        content_type: str,
        limit: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """Send until there is an answer that is no reason to send again; refusals are raised."""
        renewed = False
        for tries_left in reversed(range(TRIES)):
            if (delay := self._bucket.reserve(asyncio.get_running_loop().time())) > 0:
                await asyncio.sleep(delay)
            credential = await self.config.credentials.current()
            response = await self._exchange(
                method, path_and_query, body, self._headers_for(credential, content_type), limit
            )
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                return response
            refusal = await _refusal(response, f"{method} {path_and_query.partition('?')[0]}")
            if response.status == HTTPStatus.UNAUTHORIZED and not renewed:
                renewed = True
                if await self.config.credentials.renew(credential) is not credential:
                    continue
            wait = refusal.retry_after_seconds
            if wait is None or not _may_resend(method, response.status):
                raise refusal
            if tries_left == 0 or wait > LONGEST_RETRY_AFTER_SECONDS:
                raise refusal
            await asyncio.sleep(wait)
        raise refusal

    async def _exchange(
        self,
        method: str,
        path_and_query: str,
        body: bytes | None,
        headers: Mapping[str, str],
        limit: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        if self._session is None or self._ssl is None:
            raise RuntimeError("ApiClient is an async context manager: use it in `async with`")
        code, started = "<error>", time.monotonic()
        try:
            response = await self._session.request(
                method,
                URL(self.config.server + path_and_query, encoded=True),
                data=None if body is None else _Body(body, self.may_write),
                headers=headers,
                timeout=limit,
                ssl=self._ssl,
                server_hostname=self.config.tls.server_name or None,
                proxy=self.config.proxy or None,
                allow_redirects=False,
                middlewares=() if method in _READS else _SEND_ONCE,
            )
            code = str(response.status)
        finally:
            self._observe(method, code, time.monotonic() - started)
        return response

    def _headers_for(self, credential: Credential, content_type: str) -> CIMultiDict[str]:
        """Return the headers, which are built once per credential and content type."""
        if credential is not self._credential:
            self._use(credential)
        headers = self._headers.get(content_type)
        if headers is None:
            headers = CIMultiDict(
                {
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": self._user_agent,
                }
            )
            if content_type:
                headers["Content-Type"] = content_type
            if credential.authorization:
                headers["Authorization"] = credential.authorization
            self._headers[content_type] = headers
        return headers

    def _use(self, credential: Credential) -> None:
        self._credential = credential
        self._headers = {}
        if self._ssl is None or credential.certificate is not self._certificate:
            self._certificate = credential.certificate  # which new connections show from now on
            self._ssl = ssl_context(self.config.tls, self._certificate, self.config.source)


class _Body(aiohttp.BytesPayload):
    """A body that is not written if it may not be; its headers wait for it, so they stay too."""

    def __init__(self, body: bytes, may_write: Callable[[], bool]) -> None:
        super().__init__(body)
        self.may_write = may_write

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write it."""
        if not self.may_write():
            raise PermissionError("this process may not write")
        await super().write_with_length(writer, content_length)


class Chunks:
    """The chunks of a stream; raises ConnectionFailed when it is cut or silent for too long."""

    def __init__(self, content: aiohttp.StreamReader, request: str) -> None:
        self._content = content
        self._request = request

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._content.readany()
        except _NETWORK_ERRORS as error:
            raise _connection_failed(error, self._request) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk


def _path_and_query(path: str, params: Mapping[str, str] | None) -> str:
    return f"{path}?{urlencode(params, quote_via=quote)}" if params else path


def _may_resend(method: str, status: int) -> bool:
    """Tell whether the answer says that the server did not act, or acting twice does no harm.

    Source: client-go v0.36 rest/with_retry.go. Differs: upstream sends writes again after 5xx too.
    """
    return status == HTTPStatus.TOO_MANY_REQUESTS or (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR and method in _READS
    )


async def _refusal(response: aiohttp.ClientResponse, request: str) -> ApiError:
    async with response:
        body = await response.read()
    header = response.headers.get("Retry-After", "")
    return api_error(
        response.status,
        body,
        retry_after_seconds=float(header) if header.isdecimal() else None,
        request=request,
    )


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Report a broken connection ourselves: aiohttp would send PUT and DELETE a second time."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _connection_failed(error, f"{request.method} {request.url.path}") from error


_SEND_ONCE = (_send_once,)

_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


def _connection_failed(error: Exception, request: str) -> ConnectionFailed:
    hint = ""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        hint = "check certificate-authority(-data) and tls-server-name of this cluster"
    return ConnectionFailed(
        f"{request}: {_reason(error)}",
        outcome_unknown=not isinstance(error, _NEVER_SENT),
        hint=hint,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return "no answer in time"
    return " ".join(str(error).split()) or type(error).__name__


def _keepalive_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    """Make a socket whose peer is probed: a machine that vanished is noticed within two minutes."""
    family, kind, protocol, _, _ = info
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return made
