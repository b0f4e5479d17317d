"""The socket: TLS, limits on what strangers may send, and an orderly end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from pilotfish.apiserver.server import ApiServer

LINE_BYTES: Final = 64 * 1024  # request line, and each header: selectors and tokens are long
HEADERS: Final = 128
SILENT_SECONDS: Final = 30.0  # how long a connection may be open without a complete request
HANDSHAKE_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 300.0  # between requests
END_SECONDS: Final = 1.0  # for answers under way when the server ends
BACKLOG: Final = 1024


def bind(address: str, port: int) -> socket.socket:
    """Take an address; port 0 takes a free one.

    Raises:
        OSError: it is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=BACKLOG)


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
    """Closes connections on which nothing is asked."""

    def __call__(self) -> RequestHandler:
        connection = super().__call__()
        loop = asyncio.get_running_loop()
        loop.call_later(SILENT_SECONDS, partial(_close_if_silent, connection))
        return connection


def _close_if_silent(connection: RequestHandler) -> None:
    # A connection that has had a request is left to the idle time-out.
    if connection.transport is not None and not connection._request_count:
        connection.force_close()
