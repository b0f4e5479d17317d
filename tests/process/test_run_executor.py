"""The executor and the event recorder against a small API server that does as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from aiohttp import web

from executor_stage import Stage, play
from pilotfish.api.pod import Pod
from pilotfish.core.effects import (
    Bind,
    EvictPod,
    PatchCondition,
    PatchObject,
    ReadPod,
    RecordEvent,
)
from pilotfish.core.inputs import (
    BindAnswered,
    EvictionAnswered,
    PodRead,
    StatusAnswered,
    WriteAnswered,
)
from pilotfish.framework import Patch


def bind(name: str = "a") -> Bind:
    return Bind(f"uid-{name}", "default", name, "node-1")


def read(name: str = "a") -> ReadPod:
    return ReadPod(f"uid-{name}", "default", name)


def patch(name: str = "a") -> PatchCondition:
    return PatchCondition(f"uid-{name}", "default", name, "Unschedulable", "0/1 nodes", 1)


def event(name: str = "a", note: str = "0/1 nodes") -> RecordEvent:
    return RecordEvent(
        f"uid-{name}",
        "default",
        name,
        "Warning",
        "FailedScheduling",
        "Scheduling",
        note,
        "my-scheduler",
    )


def status(code: int, message: str = "no", reason: str = "Reason") -> web.Response:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code)


def test_success_of_a_bind_is_its_status_whatever_the_body() -> None:
    """The server answers a Status; a client that wants a Binding fails after every success."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=201, text="no JSON at all")

    async def story(stage: Stage) -> None:
        assert await stage.execute(bind()) == [BindAnswered("uid-a", "node-1", "bound", 201)]
        assert stage.executor.binds == 0

    play(story, handler)


@pytest.mark.parametrize(
    ("code", "outcome"), [(403, "refused"), (404, "refused"), (409, "unknown"), (500, "unknown")]
)
def test_failed_bind_comes_back_as_an_input_and_is_sent_once(
    code: int, outcome: Literal["refused", "unknown"]
) -> None:
    requests = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal requests
        requests += 1
        return status(code, "why")

    async def story(stage: Stage) -> None:
        (answer,) = await stage.execute(bind())
        assert answer == BindAnswered("uid-a", "node-1", outcome, code, "why")

    play(story, handler)
    assert requests == 1


def test_bind_whose_connection_is_cut_has_an_unknown_outcome() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.close()
        return web.Response()

    async def story(stage: Stage) -> None:
        (answer,) = await stage.execute(bind())
        assert isinstance(answer, BindAnswered)
        assert (answer.outcome, answer.status) == ("unknown", 0)

    play(story, handler)


@pytest.mark.parametrize(
    ("patched", "deleted", "outcome", "methods"),
    [
        (200, 200, "evicted", ["PATCH", "DELETE"]),
        (200, 404, "gone", ["PATCH", "DELETE"]),
        (404, 200, "gone", ["PATCH"]),
        (403, 200, "failed", ["PATCH"]),
        (200, 403, "failed", ["PATCH", "DELETE"]),
        (200, 409, "failed", ["PATCH", "DELETE"]),
    ],
)
def test_victim_is_deleted_only_after_it_is_told_why(
    patched: int,
    deleted: int,
    outcome: Literal["evicted", "gone", "failed"],
    methods: list[str],
) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.method)
        return status(patched if request.method == "PATCH" else deleted)

    async def story(stage: Stage) -> None:
        (answer,) = await stage.execute(EvictPod("uid-a", "default", "a", "making room", 7))
        assert isinstance(answer, EvictionAnswered)
        assert (answer.uid, answer.outcome) == ("uid-a", outcome)

    play(story, handler)
    assert asked == methods


def test_effects_of_one_pod_are_executed_in_order_and_others_meanwhile() -> None:
    order: list[str] = []
    others_done = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        order.append(f"{request.method} {request.path}")
        if request.path.endswith("/pods/a/binding"):
            await others_done.wait()
        if request.path.endswith("/pods/b/binding"):
            others_done.set()
        return web.json_response({"items": []}, status=200)

    async def story(stage: Stage) -> None:
        answers = await stage.execute(bind("a"), read("a"), bind("b"))
        of_a = [answer for answer in answers if getattr(answer, "uid", "") == "uid-a"]
        assert [type(answer) for answer in of_a] == [BindAnswered, PodRead]

    play(story, handler)
    assert order[-1] == "GET /api/v1/namespaces/default/pods"


def test_requests_in_flight_are_bounded() -> None:
    now = most = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return web.Response(status=201)

    async def story(stage: Stage) -> None:
        answers = await stage.execute(*(bind(f"p{n}") for n in range(50)))
        assert {answer.uid for answer in answers if isinstance(answer, BindAnswered)} == {
            f"uid-p{n}" for n in range(50)
        }

    play(story, handler, in_flight=3)
    assert most <= 3


def test_patch_is_tried_again_without_holding_up_other_pods() -> None:
    tries = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal tries
        if request.method == "PATCH":
            tries += 1
            return status(503) if tries < 2 else web.json_response({})
        return web.Response(status=201)

    async def story(stage: Stage) -> None:
        answers = await stage.execute(patch("a"), bind("b"))
        assert answers == [
            BindAnswered("uid-b", "node-1", "bound", 201),
            StatusAnswered("uid-a", is_written=True),
        ]

    play(story, handler, in_flight=1)


def test_patch_without_permission_is_spoken_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_: web.Request) -> web.Response:
        return status(403, "pods/status is forbidden")

    async def story(stage: Stage) -> None:
        for answer in await stage.execute(patch("a"), patch("b")):
            assert isinstance(answer, StatusAnswered)
            assert not answer.is_written

    play(story, handler)
    assert len(caplog.messages) == 1
    assert "grant the verb patch on pods/status" in caplog.text


def test_write_of_a_plugin_is_sent_once_and_answered_in_the_servers_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[str] = []
    refusals = [status(503, "try later"), status(403, "not yours"), status(409, "modified")]

    async def handler(request: web.Request) -> web.Response:
        sent.append(f"{request.method} {request.path}")
        return refusals.pop() if refusals else web.json_response({})

    async def story(stage: Stage) -> None:
        for number, error in enumerate(("modified", "not yours", "try later", "")):
            write = PatchObject("uid-a", number, Patch("persistentvolumes", "v", {}))
            answers = await stage.execute(write)
            assert answers == [WriteAnswered("uid-a", number, error)]

    play(story, handler)
    assert sent == ["PATCH /api/v1/persistentvolumes/v"] * 4
    assert len(caplog.messages) == 1
    assert "grant the verb patch on persistentvolumes" in caplog.text


def test_pod_is_read_by_a_list_of_one() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.query["fieldSelector"] == "metadata.name=a"
        assert "resourceVersion" not in request.query
        pod = {"metadata": {"name": "a", "uid": "uid-a"}, "spec": {"nodeName": "node-2"}}
        return web.json_response({"metadata": {}, "items": [pod]})

    async def story(stage: Stage) -> None:
        (answer,) = await stage.execute(read())
        assert isinstance(answer, PodRead)
        assert isinstance(answer.pod, Pod)
        assert answer.pod.node_name == "node-2"

    play(story, handler)


@dataclass
class EventServer:
    """Takes Events and remembers what it was sent; `refuse` answers instead when it is set."""

    refuse: Callable[[], web.Response] | None = None
    created: list[dict[str, Any]] = field(default_factory=list)
    patched: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        self.requests += 1
        if self.refuse is not None:
            return self.refuse()
        body = json.loads(await request.read())
        (self.created if request.method == "POST" else self.patched).append(body)
        return web.json_response(body, status=201)


def test_first_repeat_of_an_event_patches_its_series() -> None:
    server = EventServer()

    async def story(stage: Stage) -> None:
        for _ in range(4):
            stage.events.record(event())
            await stage.events.drained()

    play(story, server.serve)
    assert [created["note"] for created in server.created] == ["0/1 nodes"]
    assert [patched["series"]["count"] for patched in server.patched] == [2]


def test_event_that_expired_on_the_server_is_made_anew() -> None:
    server = EventServer()

    async def handler(request: web.Request) -> web.StreamResponse:
        return (
            status(404, reason="NotFound")
            if request.method == "PATCH"
            else await server.serve(request)
        )

    async def story(stage: Stage) -> None:
        for _ in range(2):
            stage.events.record(event())
            await stage.events.drained()

    play(story, handler)
    assert [created.get("series", {}).get("count") for created in server.created] == [None, 2]


def test_server_without_events_is_spoken_of_once_and_not_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = EventServer(lambda: web.Response(status=404, text="404 page not found"))

    async def story(stage: Stage) -> None:
        for name in ("a", "b", "c"):
            stage.events.record(event(name))
            await stage.events.drained()

    play(story, server.serve)
    assert server.requests == 1
    assert caplog.messages == ["the API server has no events.k8s.io: no Events are made"]


def test_missing_permission_for_events_is_spoken_of_once(caplog: pytest.LogCaptureFixture) -> None:
    server = EventServer(lambda: status(403, "events.events.k8s.io is forbidden"))

    async def story(stage: Stage) -> None:
        for name in ("a", "b"):
            stage.events.record(event(name))
            await stage.events.drained()

    play(story, server.serve)
    assert server.requests == 2
    assert len(caplog.messages) == 1
    assert "grant the verbs create and patch on events" in caplog.text


def test_event_in_a_namespace_that_goes_is_dropped_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = "unable to create new content in namespace team because it is being terminated"
    server = EventServer(lambda: status(403, message))

    async def story(stage: Stage) -> None:
        stage.events.record(event())
        await stage.events.drained()

    play(story, server.serve)
    assert caplog.messages == []
