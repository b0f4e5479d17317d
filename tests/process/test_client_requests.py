import asyncio
from typing import Any

import pytest

from loopback_server import (
    Loopback,
    answer,
    in_loop,
    loopback,
    refusal,
    refusing_address,
    silence,
    vanish,
)
from pilotfish.client.api_client import TRIES, ApiClient
from pilotfish.client.cluster_config import ClusterConfig
from pilotfish.client.credentials import Credential
from pilotfish.client.errors import ApiError, ConnectionFailed

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Rotating:
    """Credentials "0", "1", ... that move on when the server refuses one."""

    def __init__(self, renewals: int) -> None:
        self.left = [Credential(f"Bearer {number}") for number in range(renewals + 1)]

    async def current(self) -> Credential:
        """Return the first that is left."""
        return self.left[0]

    async def renew(self, refused: Credential) -> Credential:
        """Drop the refused one while there is another."""
        if len(self.left) > 1 and refused is self.left[0]:
            del self.left[0]
        return self.left[0]


def client(server: Loopback, **config: Any) -> ApiClient:
    return ApiClient(ClusterConfig(server=server.url, source="test", **config))


def tokens(server: Loopback) -> list[str | None]:
    return [request.headers.get("Authorization") for request in server.requests]


@in_loop
async def test_a_request_arrives_as_it_was_meant() -> None:
    credentials = Rotating(0)
    async with loopback(answer(201, {"kind": "Status"})) as server:
        server.url += "/prefix"
        async with client(server, credentials=credentials) as api:
            response = await api.request(
                "PATCH",
                "/api/v1/pods/a",
                params={"labelSelector": "app in (a,b)", "x": "1&2+3 é"},
                body=b"{}",
                content_type="application/merge-patch+json",
            )

    (request,) = server.requests
    assert (response.status, response.body) == (201, b'{"kind":"Status"}')
    assert request.path == "/prefix/api/v1/pods/a"
    assert dict(request.query) == {"labelSelector": "app in (a,b)", "x": "1&2+3 é"}
    assert server.bodies == [b"{}"]
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.headers["Authorization"] == "Bearer 0"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["User-Agent"] == "pilotfish"


@in_loop
async def test_a_refusal_is_an_error_with_the_server_s_words() -> None:
    async with loopback(refusal(409, "Conflict")) as server, client(server) as api:
        with pytest.raises(ApiError, match="POST /x: 409 Conflict it is") as caught:
            await api.request("POST", "/x", params={"secret": "1"}, body=b"{}")

    assert (caught.value.status, caught.value.reason) == (409, "Conflict")
    assert len(server.requests) == 1


@in_loop
async def test_a_redirect_is_not_followed_with_our_token() -> None:
    there = answer(302, Location="http://127.0.0.1:1/")
    async with loopback(there) as server, client(server) as api:
        with pytest.raises(ApiError, match="302"):
            await api.request("GET", "/x")


@pytest.mark.parametrize("method", ["GET", *WRITES])
@in_loop
async def test_429_is_obeyed_whatever_the_method(method: str) -> None:
    busy = refusal(429, "TooManyRequests", Retry_After="0")
    async with loopback(busy, busy, answer(200)) as server, client(server) as api:
        assert (await api.request(method, "/x")).status == 200

    assert len(server.requests) == 3


@in_loop
async def test_retry_after_is_waited_for() -> None:
    loop = asyncio.get_running_loop()
    busy = refusal(429, Retry_After="1")
    async with loopback(busy, answer(200)) as server, client(server) as api:
        started = loop.time()
        await api.request("POST", "/x")

    assert loop.time() - started >= 1.0


@in_loop
async def test_429_without_end_is_an_error_after_ten_tries() -> None:
    async with loopback(refusal(429, Retry_After="0")) as server, client(server) as api:
        with pytest.raises(ApiError, match="429"):
            await api.request("POST", "/x")

    assert len(server.requests) == TRIES


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "3600"}, {"Retry_After": "soon"}])
@in_loop
async def test_429_is_the_caller_s_when_waiting_here_makes_no_sense(headers: Any) -> None:
    async with loopback(refusal(429, **headers)) as server, client(server) as api:
        with pytest.raises(ApiError) as caught:
            await api.request("GET", "/x")

    assert caught.value.retry_after_seconds == (3600.0 if "3600" in str(headers) else None)
    assert len(server.requests) == 1


@in_loop
async def test_reads_are_sent_again_after_503_with_retry_after() -> None:
    down = refusal(503, Retry_After="0")
    async with loopback(down, answer(200)) as server, client(server) as api:
        assert (await api.request("GET", "/x")).status == 200


@pytest.mark.parametrize("method", WRITES)
@in_loop
async def test_writes_are_never_sent_again_after_503(method: str) -> None:
    """The server may have acted before it failed."""
    async with loopback(refusal(503, Retry_After="0")) as server, client(server) as api:
        with pytest.raises(ApiError, match="503"):
            await api.request(method, "/x")

    assert len(server.requests) == 1


@pytest.mark.parametrize("method", WRITES)
@in_loop
async def test_writes_are_never_sent_again_over_a_connection_that_broke(method: str) -> None:
    async with loopback(answer(200), vanish) as server, client(server) as api:
        await api.request("GET", "/warm-up")
        with pytest.raises(ConnectionFailed) as caught:
            await api.request(method, "/x", body=b"{}")

    assert caught.value.outcome_unknown
    assert [request.path for request in server.requests] == ["/warm-up", "/x"]


@in_loop
async def test_a_time_out_leaves_the_outcome_unknown() -> None:
    async with loopback(answer(200), silence) as server, client(server) as api:
        await api.request("GET", "/warm-up")  # else the time may be over before it is connected
        with pytest.raises(ConnectionFailed, match="POST /x: no answer in time") as caught:
            await api.request("POST", "/x", timeout_seconds=0.05)

    assert caught.value.outcome_unknown


@in_loop
async def test_a_refused_connection_surely_sent_nothing() -> None:
    with refusing_address() as address:
        async with ApiClient(ClusterConfig(server=address, source="")) as api:
            with pytest.raises(ConnectionFailed, match="GET /x: Cannot connect") as caught:
                await api.request("GET", "/x")

    assert not caught.value.outcome_unknown


@in_loop
async def test_401_renews_the_credentials_once() -> None:
    async with (
        loopback(refusal(401), answer(200)) as server,
        client(server, credentials=Rotating(5)) as api,
    ):
        await api.request("POST", "/x", body=b"{}")
        await api.request("POST", "/x", body=b"{}")

    assert tokens(server) == ["Bearer 0", "Bearer 1", "Bearer 1"]


@pytest.mark.parametrize(("renewals", "sent"), [(0, ["Bearer 0"]), (5, ["Bearer 0", "Bearer 1"])])
@in_loop
async def test_401_that_stays_is_an_error(renewals: int, sent: list[str]) -> None:
    async with (
        loopback(refusal(401, "Unauthorized")) as server,
        client(server, credentials=Rotating(renewals)) as api,
    ):
        with pytest.raises(ApiError, match="401") as caught:
            await api.request("GET", "/x")

    assert tokens(server) == sent
    assert "credentials were refused" in caught.value.hint


@in_loop
async def test_the_rate_limit_counts_every_request() -> None:
    loop = asyncio.get_running_loop()
    config: dict[str, Any] = {"source": "test"}
    async with loopback(answer(200)) as server:
        limited = ApiClient(ClusterConfig(server=server.url, **config), qps=100, burst=2)
        async with limited as api:
            started = loop.time()
            await asyncio.gather(*(api.request("GET", "/x") for _ in range(12)))

    assert loop.time() - started >= 0.1, "2 at once, 10 more at 100 a second"


@in_loop
async def test_a_body_that_may_not_be_written_leaves_nothing_at_the_server() -> None:
    may_write = True
    async with loopback(answer(200), answer(200), answer(200)) as server:
        config = ClusterConfig(server=server.url, source="test")
        async with ApiClient(config, may_write=lambda: may_write) as api:
            await api.request("POST", "/first", body=b"{}")
            may_write = False
            with pytest.raises(ConnectionFailed, match="POST /second: "):
                await api.request("POST", "/second", body=b"{}")
            await api.request("GET", "/third")

    assert [request.path for request in server.requests] == ["/first", "/third"]


@in_loop
async def test_requests_are_told_to_an_observer_with_what_became_of_them() -> None:
    told: list[tuple[str, str]] = []
    async with loopback(answer(201), refusal(409, "Conflict"), vanish) as server:
        config = ClusterConfig(server=server.url, source="test")
        async with ApiClient(config, observe=lambda *seen: told.append(seen[:2])) as api:
            await api.request("POST", "/x", body=b"{}")
            for _ in range(2):
                with pytest.raises((ApiError, ConnectionFailed)):
                    await api.request("POST", "/x", body=b"{}")

    assert told == [("POST", "201"), ("POST", "409"), ("POST", "<error>")]
