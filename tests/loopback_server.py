"""An HTTP server on a loopback port that gives scripted answers, for tests of the client."""

import asyncio
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec

import msgspec
from aiohttp import web

P = ParamSpec("P")

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@dataclass
class Loopback:
    """Gives one answer a request, in order; when they are used up, the last one again and again."""

    answers: list[Answer]
    url: str = ""
    requests: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Note the request and give the next answer."""
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await answer(request)


@asynccontextmanager
async def loopback(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Loopback]:
    """Serve until the block ends."""
    server = Loopback(list(answers))
    runner = web.ServerRunner(web.Server(server.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


@contextmanager
def refusing_address() -> Iterator[str]:
    """Give the URL of a port that refuses connections, and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def answer(status: int = 200, body: Any = None, **headers: str) -> Answer:
    """Answer with JSON; `Retry_After="1"` is the header Retry-After."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}

    async def respond(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(
            status=status,
            body=body if isinstance(body, bytes) else msgspec.json.encode(body),
            content_type="application/json",
            headers=sent,
        )

    return respond


def refusal(code: int, reason: str = "", **headers: str) -> Answer:
    """Answer with a Status."""
    body = {"kind": "Status", "code": code, "reason": reason, "message": f"{reason} it is"}
    return answer(code, body, **headers)


def stream(*chunks: bytes, then: Callable[[web.BaseRequest], Awaitable[None]]) -> Answer:
    """Answer with chunks, and `then` cut, end or hang."""

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        await then(request)
        return response

    return respond


async def cut(request: web.BaseRequest) -> None:
    """Cut the connection in mid-stream."""
    assert request.transport is not None
    request.transport.abort()


async def end(_request: web.BaseRequest) -> None:
    """End the stream as it should end."""


async def hang(_request: web.BaseRequest) -> None:
    """Stay silent for ever."""
    await asyncio.Event().wait()


async def vanish(request: web.BaseRequest) -> web.StreamResponse:
    """Take the request and cut the connection instead of answering."""
    await cut(request)
    return web.Response()


async def silence(request: web.BaseRequest) -> web.StreamResponse:
    """Take the request and never answer."""
    await hang(request)
    return web.Response()
