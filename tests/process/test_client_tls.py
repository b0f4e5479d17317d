"""TLS, exec plugins and proxies, from kubeconfig files as people have them."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from aiohttp import web

from kubeconfig_file import kubeconfig
from loopback_server import Loopback, answer, in_loop, loopback, refusal
from pilotfish.client.api_client import ApiClient
from pilotfish.client.errors import ConfigError, ConnectionFailed, CredentialsError
from pilotfish.client.load_config import load_config

AUTHORITY = trustme.CA()
STRANGER = trustme.CA()
V1 = "client.authentication.k8s.io/v1"


def tls(name: str = "127.0.0.1", *, client_certificates: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    if client_certificates:
        AUTHORITY.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


CA = encoded(AUTHORITY.cert_pem.bytes())


def pem_pair(name: str) -> tuple[str, str]:
    issued = AUTHORITY.issue_cert(common_name=name)
    return issued.cert_chain_pems[0].bytes().decode(), issued.private_key_pem.bytes().decode()


@asynccontextmanager
async def connected(
    server: Loopback, folder: Path, user: Any = None, env: Any = None, **cluster: Any
) -> AsyncIterator[ApiClient]:
    """Enter a client of the server, by way of a kubeconfig file."""
    settings = {name.replace("_", "-"): value for name, value in cluster.items()}
    path = kubeconfig(folder / "config", cluster={"server": server.url, **settings}, user=user)
    async with ApiClient(load_config(path, None, env or {"PATH": "/usr/bin:/bin"})) as client:
        yield client


async def who(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with the common name of the client's certificate."""
    assert request.transport is not None
    subject = request.transport.get_extra_info("peercert")["subject"]
    return web.json_response(dict(part[0] for part in subject)["commonName"])


@in_loop
async def test_a_server_of_the_given_ca_is_trusted(tmp_path: Path) -> None:
    async with (
        loopback(answer(200), tls=tls()) as server,
        connected(server, tmp_path, {"token": "t"}, certificate_authority_data=CA) as api,
    ):
        await api.request("GET", "/x")

    assert server.requests[0].headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize("ca", [encoded(STRANGER.cert_pem.bytes()), ""])
@in_loop
async def test_a_server_of_another_ca_is_refused_before_anything_is_sent(
    tmp_path: Path, ca: str
) -> None:
    async with (
        loopback(answer(200), tls=tls()) as server,
        connected(server, tmp_path, {"token": "t"}, certificate_authority_data=ca) as api,
    ):
        with pytest.raises(ConnectionFailed, match="certificate verify failed") as caught:
            await api.request("GET", "/x")

    assert not caught.value.outcome_unknown
    assert "certificate-authority" in caught.value.hint
    assert server.requests == []


@in_loop
async def test_insecure_takes_any_server(tmp_path: Path) -> None:
    async with (
        loopback(answer(200), tls=tls("elsewhere")) as server,
        connected(server, tmp_path, insecure_skip_tls_verify=True) as api,
    ):
        assert (await api.request("GET", "/x")).status == 200


@in_loop
async def test_tls_server_name_is_what_the_certificate_must_carry(tmp_path: Path) -> None:
    async with loopback(answer(200), tls=tls("kubernetes.default")) as server:
        async with connected(server, tmp_path, certificate_authority_data=CA) as api:
            with pytest.raises(ConnectionFailed, match="certificate is not valid for"):
                await api.request("GET", "/x")
        named = {"certificate_authority_data": CA, "tls_server_name": "kubernetes.default"}
        async with connected(server, tmp_path, **named) as api:
            assert (await api.request("GET", "/x")).status == 200


@in_loop
async def test_a_client_certificate_from_data_is_shown(tmp_path: Path) -> None:
    certificate, key = pem_pair("me")
    user = {
        "client-certificate-data": encoded(certificate.encode()),
        "client-key-data": encoded(key.encode()),
    }
    async with (
        loopback(who, tls=tls(client_certificates=True)) as server,
        connected(server, tmp_path, user, certificate_authority_data=CA) as api,
    ):
        assert (await api.request("GET", "/x")).body == b'"me"'


@in_loop
async def test_an_unusable_configuration_shows_on_entering(tmp_path: Path) -> None:
    server = Loopback([], url="https://127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"config, context 'lab': certificate-authority: no PEM"):
        async with connected(server, tmp_path, certificate_authority_data="QQ=="):
            pass
    user = {"exec": {"apiVersion": V1, "command": "./absent", "interactiveMode": "Never"}}
    with pytest.raises(CredentialsError, match="absent' cannot be run"):
        async with connected(server, tmp_path, user):
            pass


def plugin(folder: Path, *statuses: dict[str, str]) -> dict[str, Any]:
    """Write an exec plugin that prints one status a run, the last one again and again."""
    for number, status in enumerate(statuses, start=1):
        printed = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
        (folder / f"status-{number}").write_bytes(msgspec.json.encode(printed))
    script = folder / "login"
    script.write_text(
        '#!/bin/sh\ncd "${0%/*}"\necho run >> runs\nn=$(wc -l < runs | tr -d " ")\n'
        f'[ "$n" -gt {len(statuses)} ] && n={len(statuses)}\ncat "status-$n"\n'
    )
    script.chmod(0o700)
    return {"exec": {"apiVersion": V1, "command": "./login", "interactiveMode": "Never"}}


@in_loop
async def test_401_runs_an_exec_plugin_once_more(tmp_path: Path) -> None:
    user = plugin(tmp_path, {"token": "old"}, {"token": "new"})
    async with (
        loopback(refusal(401), answer(200), tls=tls()) as server,
        connected(server, tmp_path, user, certificate_authority_data=CA) as api,
    ):
        await api.request("POST", "/x", body=b"{}")

    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer old", "Bearer new"]


@in_loop
async def test_a_rotated_exec_certificate_is_shown_on_a_new_connection(tmp_path: Path) -> None:
    pairs = [pem_pair("old"), pem_pair("new")]
    user = plugin(
        tmp_path,
        *({"clientCertificateData": cert, "clientKeyData": key} for cert, key in pairs),
    )
    async with (
        loopback(who, refusal(401), who, tls=tls(client_certificates=True)) as server,
        connected(server, tmp_path, user, certificate_authority_data=CA) as api,
    ):
        assert (await api.request("GET", "/x")).body == b'"old"'
        assert (await api.request("GET", "/x")).body == b'"new"'


@dataclass
class Proxy:
    """An HTTP proxy that knows CONNECT and notes what it was asked."""

    target: int
    requests: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tunnel one connection to the target, wherever the client wants to go."""
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def proxying(target: int) -> AsyncIterator[Proxy]:
    """Run a proxy."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy


@pytest.mark.parametrize("by", ["proxy-url", "HTTPS_PROXY"])
@in_loop
async def test_requests_go_through_the_proxy_and_tls_ends_at_the_server(
    tmp_path: Path, by: str
) -> None:
    async with loopback(answer(200), tls=tls("kubernetes.default")) as server:
        target = int(server.url.rpartition(":")[2])
        server.url = f"https://api.example.com:{target}"
        async with proxying(target) as proxy:
            url = f"http://me:pa55@127.0.0.1:{proxy.port}"
            cluster = {"proxy_url": url} if by == "proxy-url" else {}
            async with connected(
                server,
                tmp_path,
                {"token": "t"},
                {by: url},
                certificate_authority_data=CA,
                tls_server_name="kubernetes.default",
                **cluster,
            ) as api:
                await api.request("GET", "/x")

    (asked,) = proxy.requests
    assert asked.startswith(f"CONNECT api.example.com:{target} ")
    assert "Proxy-Authorization: Basic bWU6cGE1NQ==" in asked
    assert "Bearer" not in asked, "the token is for the server alone"
    assert server.requests[0].headers["Authorization"] == "Bearer t"
