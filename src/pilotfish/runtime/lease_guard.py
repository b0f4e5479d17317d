"""Lease guard: no second default-scheduler beside kube-scheduler."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from pilotfish.client import ApiClient, ApiError, Response
from pilotfish.runtime.trouble import StartError

DEFAULT_SCHEDULER = "default-scheduler"
LEASE = "kube-system/kube-scheduler"
PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler"
NOT_FOUND = 404


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: datetime | None = None


class _Lease(msgspec.Struct, frozen=True):
    spec: _Spec = _Spec()


async def refuse_second_default_scheduler(client: ApiClient) -> None:
    """Raise unless kube-scheduler's Lease is free.

    Raises:
        StartError: it is held, or that cannot be found out.
        ConnectionFailed: the API server does not answer.
    """
    try:
        response = await client.request("GET", PATH)
    except ApiError as error:
        if error.status == NOT_FOUND:
            return
        raise StartError(
            f"whether kube-scheduler is running cannot be read from its Lease: {error}",
            hint="choose another --scheduler-name, or --force when you know that it is not running",
        ) from error
    holder = held_by(response.body, _server_time(response))
    if holder:
        raise StartError(
            f"{DEFAULT_SCHEDULER} is kube-scheduler's name, and {holder} is running: "
            f"it holds the Lease {LEASE}",
            hint="choose another --scheduler-name, or stop kube-scheduler first; --leader-elect "
            "waits until it stops; --force runs both, and they will overfill nodes",
        )


def held_by(body: bytes, now: datetime) -> str:
    """Return who holds the Lease; empty when nobody has renewed it in time."""
    spec = msgspec.json.decode(body, type=_Lease).spec
    if not spec.holder_identity or spec.renew_time is None:
        return ""
    age = (now - spec.renew_time).total_seconds()
    return spec.holder_identity if age < (spec.lease_duration_seconds or 0) else ""


def _server_time(response: Response) -> datetime:
    """Return the server's time: our own clock may differ from that of whoever renews."""
    date = response.headers.get("Date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)
