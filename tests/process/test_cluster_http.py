"""The HTTP face on a socket: who sends or reads badly harms nobody."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from api_face import BEARER, Face, config_map
from loopback_server import in_loop
from pilotfish.apiserver import listener, watch_streams
from pilotfish.apiserver.certificates import make_certificate
from pilotfish.apiserver.listener import bind, listen

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
LARGE = "x" * 500_000
pytestmark = pytest.mark.timeout(30)
HEADERS = {"Authorization": f"Bearer {BEARER}"}


@asynccontextmanager
async def served(face: Face, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    """Serve a cluster; give its address."""
    listening = bind("127.0.0.1", 0)
    host, port = listening.getsockname()
    async with listen(face.server, listening, tls):
        yield host, port


async def create(session: aiohttp.ClientSession, url: str, count: int) -> None:
    """Create large ConfigMaps."""
    for number in range(count):
        body = config_map(f"m-{number}", text=LARGE)
        async with session.post(f"{url}{CONFIG_MAPS}", json=body) as answer:
            assert answer.status == 201


async def ask_for_health(session: aiohttp.ClientSession, url: str) -> None:
    """See that others are served."""
    async with session.get(f"{url}/livez") as answer:
        assert answer.status == 200


@in_loop
async def test_watcher_that_does_not_read_is_cut_off_and_others_miss_nothing() -> None:
    face = Face()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch_streams, "STALLED_SECONDS", 0.3)
        async with (
            served(face) as (host, port),
            aiohttp.ClientSession(headers=HEADERS, read_bufsize=2**21) as session,
        ):
            url = f"http://{host}:{port}"
            reader, writer = await asyncio.open_connection(host, port, limit=1024)
            writer.write(
                f"GET {CONFIG_MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {BEARER}\r\n\r\n".encode()
            )
            good = await session.get(f"{url}{CONFIG_MAPS}?watch=1")
            await create(session, url, 40)
            for _ in range(40):
                assert b"ADDED" in await good.content.readuntil(b"\n")
            while len(face.server._watches.watchers) > 1:
                await ask_for_health(session, url)
            good.close()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readexactly(10**9)
            writer.close()


@in_loop
async def test_watcher_that_leaves_is_forgotten() -> None:
    face = Face()
    async with (
        served(face) as (host, port),
        aiohttp.ClientSession(headers=HEADERS) as session,
    ):
        watchers = face.server._watches.watchers
        watching = await session.get(f"http://{host}:{port}{CONFIG_MAPS}?watch=1")
        assert len(watchers) == 1
        watching.close()
        while len(watchers):
            await ask_for_health(session, f"http://{host}:{port}")


@in_loop
async def test_body_over_the_limit_is_refused_even_without_a_length() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b" " * 1_000_000

    async with (
        served(Face()) as (host, port),
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(
            f"http://{host}:{port}{CONFIG_MAPS}",
            data=chunks(),
            headers={"Content-Type": "application/json"},
        ) as answer,
    ):
        assert answer.status == 413
        assert (await answer.json())["reason"] == "RequestEntityTooLarge"


@pytest.mark.parametrize(
    "text",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: x\r\n" * 1000 + b"\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_closed(text: bytes) -> None:
    @in_loop
    async def run() -> None:
        async with served(Face()) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(text)
            async with asyncio.timeout(5):
                answer = await reader.read()
            assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
            writer.close()

    run()


@in_loop
async def test_connection_on_which_nothing_is_asked_is_closed() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listener, "SILENT_SECONDS", 0.1)
        async with served(Face()) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost:")  # and no more
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()


@in_loop
async def test_certificate_is_good_for_loopback_and_for_nobody_without_the_authority() -> None:
    certificate = make_certificate(["127.0.0.1", "::1", "localhost"])
    trusting = ssl.create_default_context(cadata=certificate.authority.decode())
    async with (
        served(Face(), certificate.context()) as (host, port),
        aiohttp.ClientSession() as session,
    ):
        url = f"https://{host}:{port}/livez"
        async with session.get(url, ssl=trusting) as answer:
            assert await answer.text() == "ok"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url, ssl=ssl.create_default_context())
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url, ssl=trusting, server_hostname="elsewhere")


@in_loop
async def test_end_of_the_server_ends_its_watches() -> None:
    face = Face()
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async with served(face) as (host, port):
            watching = await session.get(f"http://{host}:{port}{CONFIG_MAPS}?watch=1")
            reading = asyncio.create_task(watching.content.read())
        async with asyncio.timeout(5):
            assert await reading == b""
