"""Executor: turns the scheduler's effects into requests, and every outcome into an input.

Effects of one pod are executed in order, those of different pods in parallel, at most `in_flight`
requests at a time. A pod that waits for another try holds no place.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, assert_never

from pilotfish.client import ApiClient, ApiError, ClientError
from pilotfish.core.effects import (
    Bind,
    CallPlugin,
    EvictPod,
    PatchCondition,
    PatchNomination,
    PatchObject,
    ReadPod,
)
from pilotfish.core.inputs import (
    BindAnswered,
    EvictionAnswered,
    Input,
    PodRead,
    StatusAnswered,
    WriteAnswered,
)
from pilotfish.runtime.attempt import attempt
from pilotfish.runtime.notices import Notices
from pilotfish.runtime.plugin_calls import PluginCalls
from pilotfish.runtime.requests import (
    bind_failure,
    bind_request,
    condition_request,
    delete_request,
    describe,
    disruption_request,
    is_gone,
    is_transient,
    nomination_request,
    patch_request,
    pod_read,
    read_request,
    text_of,
)

IN_FLIGHT = 64
PATCH_TRIES = 5
BACKOFF_SECONDS = 0.5  # doubled by each failure, spread by up to half
BACKOFF_MAX_SECONDS = 8.0
FORBIDDEN = 403

Request: TypeAlias = Bind | ReadPod | PatchCondition | PatchNomination | EvictPod | PatchObject
PodEffect: TypeAlias = Request | CallPlugin


class Executor(Protocol):
    """What a shell needs of whoever executes."""

    @property
    def is_saturated(self) -> bool:
        """Whether so much waits already that deciding more would only age the decisions."""

    @property
    def binds(self) -> int:
        """How many binds are under way or wait for their turn."""

    def submit(self, effect: PodEffect) -> None:
        """Execute an effect after the earlier ones of the same pod; returns at once."""


class ApiExecutor:
    """Executes against an API server.

    Args:
        client: sends the requests.
        calls: runs the methods of plugins.
        answer: takes the inputs that the outcomes are.
        tasks: owns the tasks.
        notices: says once what goes wrong for a reason that concerns every pod.
        rng: spreads the pauses between tries.
        in_flight: how many requests at a time.
    """

    def __init__(
        self,
        client: ApiClient,
        calls: PluginCalls,
        answer: Callable[[Input], None],
        tasks: asyncio.TaskGroup,
        notices: Notices,
        rng: random.Random,
        *,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        self._client = client
        self._calls = calls
        self._answer = answer
        self._tasks = tasks
        self._notices = notices
        self._rng = rng
        self._in_flight = in_flight
        self._free = in_flight
        self._lanes: dict[str, deque[Request]] = {}  # by uid; the first effect is under way
        self._waiting: deque[str] = deque()  # lanes whose first effect waits for a place
        self._tries: dict[str, int] = {}  # failed tries of a lane's first effect
        self._binds = 0

    @property
    def is_saturated(self) -> bool:
        """Whether as much waits as is under way."""
        return len(self._waiting) >= self._in_flight

    @property
    def binds(self) -> int:
        """How many binds are under way or wait for their turn."""
        return self._binds

    def submit(self, effect: PodEffect) -> None:
        """Execute an effect after the earlier ones of the same pod."""
        if isinstance(effect, CallPlugin):
            self._calls.submit(effect)
            return
        if isinstance(effect, Bind):
            self._binds += 1
        lane = self._lanes.get(effect.uid)
        if lane is not None:
            lane.append(effect)
            return
        self._lanes[effect.uid] = deque((effect,))
        self._enter(effect.uid)

    def _enter(self, uid: str) -> None:
        if self._free:
            self._free -= 1
            self._tasks.create_task(self._run(uid))
        else:
            self._waiting.append(uid)

    async def _run(self, uid: str) -> None:
        """Hold one place: serve this lane, then the next that waits, until none does."""
        while True:
            await self._serve(uid)
            if not self._waiting:
                self._free += 1
                return
            uid = self._waiting.popleft()

    async def _serve(self, uid: str) -> None:
        """Execute the first effect of a lane and see to what follows it."""
        lane = self._lanes[uid]
        effect = lane[0]
        answer = await self._execute(effect, self._tries.get(uid, 0))
        if answer is None:
            self._pause(uid)
            return
        self._tries.pop(uid, None)
        lane.popleft()
        if isinstance(effect, Bind):
            self._binds -= 1
        if lane:
            self._waiting.append(uid)
        else:
            del self._lanes[uid]
        self._answer(answer)

    def _pause(self, uid: str) -> None:
        failures = self._tries.get(uid, 0)
        self._tries[uid] = failures + 1
        pause = min(BACKOFF_MAX_SECONDS, BACKOFF_SECONDS * 2.0**failures)
        asyncio.get_running_loop().call_later(
            pause * (1.0 + self._rng.random() / 2), self._enter, uid
        )

    async def _execute(self, effect: Request, failures: int) -> Input | None:
        """Execute one effect; None asks for another try, later."""
        match effect:
            case Bind():
                return await self._bind(effect)
            case ReadPod():
                return await self._read(effect)
            case PatchCondition() | PatchNomination():
                return await self._patch(effect, failures)
            case EvictPod():
                return await self._evict(effect, failures)
            case PatchObject():
                return await self._write(effect)
            case _:
                assert_never(effect)

    async def _bind(self, bind: Bind) -> BindAnswered:
        answer = await attempt(self._client, bind_request(bind))
        if isinstance(answer, Exception):
            return bind_failure(bind, answer)
        # The body is a Status, not a Binding, and says nothing beyond the code.
        return BindAnswered(bind.uid, bind.node_name, "bound", answer.status)

    async def _read(self, read: ReadPod) -> PodRead:
        answer = await attempt(self._client, read_request(read))
        if isinstance(answer, Exception):
            return PodRead(read.uid, error=describe(answer))  # the scheduler reads again, later
        return pod_read(read, answer.body)

    async def _patch(
        self, patch: PatchCondition | PatchNomination, failures: int
    ) -> StatusAnswered | None:
        if isinstance(patch, PatchCondition):
            request = condition_request(patch, _now())
        else:
            request = nomination_request(patch)
        answer = await attempt(self._client, request)
        if not isinstance(answer, Exception):
            return StatusAnswered(patch.uid, is_written=True)
        if is_transient(answer) and failures + 1 < PATCH_TRIES:
            return None
        self._warn(answer, "pods/status", "conditions of pods cannot be written", "patch")
        return StatusAnswered(patch.uid, is_written=False, message=describe(answer))

    async def _evict(self, evict: EvictPod, failures: int) -> EvictionAnswered | None:
        """Say why the pod goes, and only then delete it; repeating both does no harm."""
        answer = await attempt(self._client, disruption_request(evict, _now()))
        what = ("pods/status", "conditions of victims cannot be written", "patch")
        if not isinstance(answer, Exception):
            answer = await attempt(self._client, delete_request(evict))
            what = ("pods", "pods cannot be preempted", "delete")
        if not isinstance(answer, Exception):
            return EvictionAnswered(evict.uid, "evicted")
        if is_gone(answer):
            return EvictionAnswered(evict.uid, "gone")
        if is_transient(answer) and failures + 1 < PATCH_TRIES:
            return None
        self._warn(answer, *what)
        return EvictionAnswered(evict.uid, "failed", describe(answer))

    async def _write(self, write: PatchObject) -> WriteAnswered:
        """Patch once: what fails is decided anew, of what the cluster is like then."""
        answer = await attempt(self._client, patch_request(write.patch))
        if not isinstance(answer, Exception):
            return WriteAnswered(write.uid, write.number)
        kind = write.patch.kind
        self._warn(answer, kind, f"{kind} cannot be written", "patch")
        return WriteAnswered(write.uid, write.number, text_of(answer))

    def _warn(self, error: Exception, resource: str, problem: str, verb: str) -> None:
        if isinstance(error, ApiError) and error.status == FORBIDDEN:
            self._notices.once(
                f"{verb} {resource}",
                f"{problem}: {error}",
                hint=f"grant the verb {verb} on {resource}",
            )
        elif not isinstance(error, ClientError):
            self._notices.bug(error)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
