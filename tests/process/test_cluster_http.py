"""The HTTP face on a socket: who sends or reads badly harms nobody."""

import asyncio
import gzip
import json
import resource
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from api_face import BEARER, NOW, Face, config_map
from loopback_server import in_loop
from pilotfish.apiserver import listener, watch_streams
from pilotfish.apiserver.certificates import make_certificate
from pilotfish.apiserver.listener import bind, listen
from pilotfish.apiserver.server import ApiServer
from pilotfish.cluster.kinds import PODS

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS_PATH = "/api/v1/namespaces/default/pods"
LARGE = "x" * 500_000
HEADERS = {"Authorization": f"Bearer {BEARER}"}


class Recording(Face):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__(nodes=1)
        self.requests: list[web.BaseRequest] = []
        self.server = _RecordingServer(self)

    def create_pod(self, name: str, **data: str) -> Any:
        """Create a bound pod without a request; data make it large."""
        spec = {"nodeName": "node-1", "containers": [{"name": "c", "image": "i"}]}
        metadata = {"name": name, "namespace": "default", "annotations": data}
        return self.cluster.client.create(PODS, {"metadata": metadata, "spec": spec}, self.now)


class _RecordingServer(ApiServer):
    def __init__(self, face: Recording) -> None:
        super().__init__(face.cluster, lambda: face.now, "127.0.0.1:6443")
        self._face = face

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._face.requests.append(request)
        return await super().handle(request)


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
        patch.setattr(watch_streams, "STALLED_SECONDS", 4.0)  # the good one is never so slow
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
            async with asyncio.TaskGroup() as both:
                both.create_task(create(session, url, 40))
                lines = [await good.content.readuntil(b"\n") for _ in range(40)]
            assert all(b"ADDED" in line for line in lines)
            while len(face.server._watches.watchers) > 1:
                await ask_for_health(session, url)
            good.close()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readexactly(10**9)
            writer.close()


@in_loop
async def test_long_list_shows_what_there_was_when_it_was_asked_for() -> None:
    face = Recording()
    for number in range(2000):
        face.create_pod(f"p-{number}", text="x" * 2000)
    async with (
        served(face) as (host, port),
        aiohttp.ClientSession(headers=HEADERS, read_bufsize=1024) as session,
        session.get(f"http://{host}:{port}{PODS_PATH}") as answer,
    ):
        for number in range(2000):  # while most of it waits to be read
            face.cluster.client.delete(PODS, "default", f"p-{number}", NOW, grace_period_seconds=0)
        names = [pod["metadata"]["name"] for pod in (await answer.json())["items"]]
        assert names == sorted(f"p-{number}" for number in range(2000))


@in_loop
async def test_long_list_is_one_table() -> None:
    face = Recording()
    for number in range(1100):
        face.create_pod(f"p-{number}")
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    async with (
        served(face) as (host, port),
        aiohttp.ClientSession(headers=HEADERS | accept) as session,
        session.get(f"http://{host}:{port}{PODS_PATH}") as answer,
    ):
        table = await answer.json()
    assert (table["kind"], len(table["rows"])) == ("Table", 1100)
    assert table["rows"][-1]["cells"][0] == "p-999"
    assert table["metadata"]["resourceVersion"]


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


HEAD = f"Host: x\r\nAuthorization: Bearer {BEARER}\r\nContent-Type: application/json\r\n"
POST = f"POST {CONFIG_MAPS} HTTP/1.1\r\n{HEAD}".encode()


def told(address: tuple[str, int], text: bytes) -> bytes:
    """Send a text and give what comes back until the connection is closed.

    By a plain socket, which gives what came before a reset: who closes in mid-text resets.
    """
    answer = b""
    with (
        socket.create_connection(address, timeout=30) as connection,
        suppress(ConnectionError),
    ):
        with suppress(ConnectionError):
            connection.sendall(text)
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"FOO /api/v1/pods HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"GARBAGE\r\n\r\n", 405),
        (b"GET http://[/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 100_000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"A: x\r\n" * 1000 + b"\r\n", 400),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n", 400),
    ],
)
def test_what_is_no_request_gets_a_status_and_the_connection_is_closed(
    text: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    @in_loop
    async def run() -> None:
        async with served(Face()) as address:
            answer = await asyncio.to_thread(told, address, text)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.split()[1] == str(code).encode()
            status = json.loads(body)
            assert (status["kind"], status["code"]) == ("Status", code)

    run()
    assert not caplog.records


BODY = json.dumps(config_map("a")).encode()


@in_loop
async def test_who_waits_to_be_told_to_send_a_body_is_told() -> None:
    async with served(Face()) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(POST + f"Expect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
        async with asyncio.timeout(30):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(BODY)
            assert await reader.readline() == b"HTTP/1.1 201 Created\r\n"
        writer.close()


@in_loop
async def test_body_is_not_unpacked() -> None:
    headers = HEADERS | {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with (
        served(Face()) as (host, port),
        aiohttp.ClientSession(headers=headers, auto_decompress=False) as session,
    ):
        url = f"http://{host}:{port}{CONFIG_MAPS}"
        async with session.post(url, data=BytesIO(gzip.compress(BODY))) as packed:
            assert packed.status == 400
        async with session.post(url, data=BytesIO(BODY)) as plain:
            assert plain.status == 201


@pytest.mark.parametrize("question", ["?watch=1", ""])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_client_that_leaves_in_mid_answer_is_no_error(
    scheme: str, question: str, caplog: pytest.LogCaptureFixture
) -> None:
    @in_loop
    async def run() -> None:
        certificate = make_certificate(["127.0.0.1"])
        trusting = ssl.create_default_context(cadata=certificate.authority.decode())
        face = Recording()
        for number in range(20):
            face.create_pod(f"p-{number}", text=LARGE[:200_000])
        is_tls = scheme == "https"
        async with (
            served(face, certificate.context() if is_tls else None) as (host, port),
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session,
        ):
            reader, writer = await asyncio.open_connection(
                host, port, limit=1024, ssl=trusting if is_tls else None
            )
            writer.write(f"GET {PODS_PATH}{question} HTTP/1.1\r\n{HEAD}\r\n".encode())
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            writer.transport.abort()
            while face.requests[0].transport is not None:
                await ask_for_health(session, f"{scheme}://{host}:{port}")

    run()
    assert not caplog.records


@pytest.mark.parametrize("path", [f"{PODS_PATH}?watch=1", f"{PODS_PATH}/p/log?follow=1"])
def test_write_to_a_connection_just_lost_is_no_error(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    @in_loop
    async def run() -> None:
        face = Recording()
        pod = face.create_pod("p")
        while face.now < NOW + 10:  # until it runs
            face.now += 1
            face.cluster.advance(face.now)
        async with (
            served(face) as (host, port),
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.get(f"http://{host}:{port}{path}") as answer,
        ):
            assert answer.status == 200
            assert await answer.content.readline()
            face.now += 1
            face.create_pod("q")
            face.cluster.kubelets.logs.append(pod["metadata"]["uid"], "c", "more", face.now)
            face.server.wake_followers()
            transport = face.requests[0].transport
            assert transport is not None
            transport.abort()  # the stream is woken before it is told
            while face.requests[0].transport is not None:
                await ask_for_health(session, f"http://{host}:{port}")

    run()
    assert not caplog.records


@pytest.mark.parametrize("question", ["?watch=1&timeoutSeconds=1", ""])
def test_stream_to_an_old_client_ends_with_the_connection(
    question: str, caplog: pytest.LogCaptureFixture
) -> None:
    @in_loop
    async def run() -> None:
        face = Recording()
        for number in range(1000):
            face.create_pod(f"p-{number}")
        async with served(face) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET {PODS_PATH}{question} HTTP/1.0\r\n{HEAD}\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.0 200 OK\r\n")
            assert b"chunked" not in head
            assert [json.loads(line) for line in body.splitlines()]
            writer.close()

    run()
    assert not caplog.records


@in_loop
async def test_connection_on_which_nothing_is_asked_is_closed() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listener, "SILENT_SECONDS", 0.1)
        async with served(Face()) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost:")  # and no more
            async with asyncio.timeout(60):
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await reader.readexactly(1)
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


def test_idle_clients_may_be_more_than_a_shell_allows_files() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        listener.allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@in_loop
async def test_end_of_the_server_ends_its_watches() -> None:
    face = Face()
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async with served(face) as (host, port):
            watching = await session.get(f"http://{host}:{port}{CONFIG_MAPS}?watch=1")
            reading = asyncio.create_task(watching.content.read())
        async with asyncio.timeout(30):
            assert await reading == b""
