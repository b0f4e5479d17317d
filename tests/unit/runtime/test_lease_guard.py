from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pilotfish.runtime.lease_guard import held_by

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def lease(holder: str | None, seconds_ago: float) -> bytes:
    renewed = (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
    return msgspec.json.encode({"spec": spec})


def test_lease_that_is_renewed_in_time_is_held() -> None:
    assert held_by(lease("master_1", 14.9), NOW) == "master_1"


@pytest.mark.parametrize(
    "body",
    [lease("master_1", 15.1), lease("", 1), lease(None, 1), b'{"spec":{}}', b"{}"],
    ids=["expired", "released", "null", "never held", "empty"],
)
def test_lease_is_free(body: bytes) -> None:
    assert held_by(body, NOW) == ""
