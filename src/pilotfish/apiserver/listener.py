"""The socket: TLS, limits on what strangers may send, and an orderly end."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from pilotfish.apiserver.replies import refusal
from pilotfish.apiserver.server import ApiServer
from pilotfish.cluster.errors import bad_request, method_not_allowed

LINE_BYTES: Final = 64 * 1024  # request line, and each header: selectors and tokens are long
HEADERS: Final = 128
SILENT_SECONDS: Final = 30.0  # how long a connection may be open without a complete request
HANDSHAKE_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 300.0  # between requests
END_SECONDS: Final = 1.0  # for answers under way when the server ends
BACKLOG: Final = 1024
MOST_FILES: Final = 65_536


def allow_connections() -> None:
    """Let this process have as many connections as the system grants its user."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    with suppress(ValueError, OSError):  # fewer than it says, as on macOS
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def bind(address: str, port: int) -> socket.socket:
    """Take an IP address; port 0 takes a free one, and `::` takes all addresses of IPv4, too.

    Raises:
        OSError: it is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    takes_all = address == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(
        (address, port), family=family, backlog=BACKLOG, dualstack_ipv6=takes_all
    )


@asynccontextmanager
async def listen(
    api: ApiServer, listening: socket.socket, tls: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """Serve until the block ends.

    Args:
        api: answers.
        listening: where; it is closed at the end.
        tls: None serves plain HTTP.
    """
    server = _Server(
        api.handle,
        handler_cancellation=True,  # a watcher that leaves is not waited for
        access_log=None,
        auto_decompress=False,  # upstream reads no Content-Encoding either
        keepalive_timeout=IDLE_SECONDS,
        max_line_size=LINE_BYTES,
        max_field_size=LINE_BYTES,
        max_headers=HEADERS,
    )
    loop = asyncio.get_running_loop()
    handshake = HANDSHAKE_SECONDS if tls else None
    listener = await loop.create_server(
        server, sock=listening, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=handshake
    )
    try:
        yield
    finally:
        listener.close()
        api.close()
        await server.shutdown(END_SECONDS)


class _Server(web.Server):
    """Speaks to each client through a `_Connection`."""

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    """One client's connection: who leaves is let go, and who does not speak HTTP is told so."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._loop.call_later(SILENT_SECONDS, self._close_if_silent)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what could not be read as a request; all else is answered by `ApiServer`.

        Raises:
            ConnectionError: the client has left, which is no error: aiohttp forgets it in silence.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        why = " ".join(exc.message.split())
        is_method = isinstance(exc, BadHttpMethod)
        error = method_not_allowed() if is_method else bad_request(f"this is no request: {why}")
        response = refusal(error)
        response.force_close()
        return response

    def _close_if_silent(self) -> None:
        # A connection that has had a request is left to the idle time-out.
        if self.transport is not None and not self._request_count:
            self.force_close()
