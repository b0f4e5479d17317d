"""Leadership: holds a Lease while the scheduler works, and ends it when the Lease is lost."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from pilotfish.client import ApiClient, ApiError, ClientError
from pilotfish.client.election import (
    Answer,
    Election,
    ElectionSettings,
    Failed,
    Lease,
    LeaseSpec,
    Lost,
    NoLease,
    ReadLease,
    Step,
    WakeAt,
    WriteLease,
)
from pilotfish.runtime.notices import Notices
from pilotfish.runtime.trouble import LeaseLostError

NOT_FOUND, CONFLICT = 404, 409
UNRENEWED_SECONDS = 20.0  # upstream leaderHealthzAdaptorTimeout: beyond the Lease's duration

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Lease).decode


class Leadership:
    """A candidate for one Lease.

    Args:
        settings: which Lease, and as whom.
        client: sends the requests for it, and nothing that the scheduler does.
        log: where it is said who leads.
        notices: says once why the Lease cannot be had.
        rng: shortens pauses.
    """

    def __init__(
        self,
        settings: ElectionSettings,
        client: ApiClient,
        log: logging.Logger,
        notices: Notices,
        rng: random.Random,
    ) -> None:
        self._settings = settings
        self._client = client
        self._log = log
        self._notices = notices
        self._election = Election(settings, rng)
        self._holder = ""
        self._is_leading = False
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{settings.namespace}/leases"
        self.lease = settings.name
        self.name = f"{settings.namespace}/{settings.name}"

    def may_act(self) -> bool:
        """Say whether this process holds the Lease now; asked before each write."""
        return self._election.leads(time.monotonic())

    def problem(self) -> str:
        """Say what is wrong, for a health check: a leader that cannot end though it should."""
        overdue = time.monotonic() - self._election.deadline()
        allowed = self._settings.lease_seconds - self._settings.renew_seconds + UNRENEWED_SECONDS
        return f"the Lease {self.name} was not renewed" if overdue > allowed else ""

    async def run(self, on_lead: Callable[[], None]) -> None:
        """Take the Lease when it is free, and renew it until cancelled.

        Args:
            on_lead: called once, when it is ours.

        Raises:
            LeaseLostError: it was ours and is no more.
        """
        self._log.info("standing by for the Lease %s", self.name)
        step: Step = self._election.wake(time.monotonic(), _stamp())
        while True:
            match step:
                case WakeAt(at=at):
                    await asyncio.sleep(max(0.0, at - time.monotonic()))
                    step = self._election.wake(time.monotonic(), _stamp())
                case ReadLease() | WriteLease():
                    answer = await self._ask(step)
                    step = self._election.answered(answer, time.monotonic(), _stamp())
                case Lost(why=why):
                    raise LeaseLostError(f"the Lease {self.name} is lost: {why}")
            self._tell()
            if not self._is_leading and self.may_act():
                self._is_leading = True
                self._log.info("leading: the Lease %s is ours", self.name)
                on_lead()

    async def release(self) -> None:
        """Let others take the Lease at once; nothing may be in flight any more."""
        if not self._is_leading:
            return
        step = self._election.release(await self._ask(ReadLease()), _stamp())
        if step is not None:
            answer = await self._ask(step)
            if isinstance(answer, Lease):
                self._log.info("released the Lease %s", self.name)

    def _tell(self) -> None:
        """Say who holds the Lease when that has changed."""
        holder = self._election.holder
        if holder not in (self._holder, self._settings.identity):
            self._log.info("the Lease %s is held by %s", self.name, holder or "nobody")
        self._holder = holder

    async def _ask(self, step: ReadLease | WriteLease) -> Answer:
        """Send a request, but wait no longer than it is of use."""
        seconds = min(
            self._settings.renew_seconds / 2, self._election.deadline() - time.monotonic()
        )
        try:
            async with asyncio.timeout(seconds):
                return _decode(await self._send(step))
        except ApiError as error:
            if error.status == NOT_FOUND and isinstance(step, ReadLease):
                return NoLease()
            if error.status != CONFLICT:  # somebody was faster
                self._warn(error)
        except (ClientError, TimeoutError, msgspec.DecodeError) as error:
            self._warn(error)
        return Failed()

    async def _send(self, step: ReadLease | WriteLease) -> bytes:
        one = f"{self._path}/{self._settings.name}"
        if isinstance(step, ReadLease):
            return (await self._client.request("GET", one)).body
        if step.metadata is None:
            body = self._body(step.spec, _encode({"name": self._settings.name}))
            return (await self._client.request("POST", self._path, body=body)).body
        body = self._body(step.spec, step.metadata)
        return (await self._client.request("PUT", one, body=body)).body

    def _body(self, spec: LeaseSpec, metadata: bytes) -> bytes:
        return _encode(Lease(msgspec.Raw(metadata), spec))

    def _warn(self, error: Exception) -> None:
        topic = f"lease {getattr(error, 'status', type(error).__name__)}"
        hint = getattr(error, "hint", "")
        self._notices.once(topic, f"the Lease {self.name} cannot be had: {error}", hint=hint)


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
