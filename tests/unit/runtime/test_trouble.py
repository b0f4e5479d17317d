import logging

import pytest

from pilotfish.client import (
    ApiError,
    ClientError,
    ConfigError,
    ConnectionFailed,
    CredentialsError,
    ProtocolError,
)
from pilotfish.runtime.feed import KINDS, Kind
from pilotfish.runtime.notices import Connection, Notices
from pilotfish.runtime.trouble import SETTLING_SECONDS, StartError, Triage, is_absent

LOG = logging.getLogger("pilotfish")
NODES = KINDS[0]
DOWN = ConnectionFailed("GET: connection refused", outcome_unknown=False)
FATAL = [
    ApiError(401, reason="Unauthorized"),
    ApiError(403, reason="Forbidden", message="nodes is forbidden"),
    ApiError(404, message="page not found"),
    ConfigError("bad CA", hint="give another"),
    CredentialsError("the plugin failed", hint="install it"),
    ConnectionFailed("GET: not trusted", outcome_unknown=False, hint="check the CA"),
]


class Story:
    """A triage with a clock to turn."""

    def __init__(self) -> None:
        self.now = 1000.0
        connection = Connection(LOG, "https://server")
        self.triage = Triage(connection, Notices(LOG), lambda: self.now)


@pytest.mark.parametrize("error", FATAL, ids=repr)
def test_start_ends_when_only_people_can_help(error: ClientError) -> None:
    with pytest.raises(StartError) as caught:
        Story().triage.failed(NODES, error)
    assert caught.value.hint


@pytest.mark.parametrize("error", [DOWN, ApiError(500), ApiError(503), ApiError(429)], ids=repr)
def test_start_waits_for_a_server_that_is_down_or_busy(error: ClientError) -> None:
    Story().triage.failed(NODES, error)


@pytest.mark.parametrize("error", FATAL, ids=repr)
def test_running_scheduler_goes_on(error: ClientError) -> None:
    story = Story()
    story.triage.has_started = True
    story.triage.failed(NODES, error)


@pytest.mark.parametrize("error", [*FATAL, ProtocolError("the watch ended at once")], ids=repr)
def test_watch_that_fails_while_others_still_start_ends_nothing(error: ClientError) -> None:
    Story().triage.failed(NODES, error, was_listed=True)


def test_server_that_comes_up_may_refuse_for_a_while() -> None:
    story = Story()
    story.triage.failed(NODES, DOWN)
    story.now += 1.0
    story.triage.failed(NODES, ApiError(403))
    story.now += SETTLING_SECONDS
    with pytest.raises(StartError):
        story.triage.failed(NODES, ApiError(403))


def test_missing_permission_names_the_kind_in_the_hint() -> None:
    with pytest.raises(StartError) as caught:
        Story().triage.failed(NODES, ApiError(403, message="nodes is forbidden"))
    assert str(caught.value) == "nodes is forbidden"
    assert "list and watch on nodes" in caught.value.hint


def test_kind_that_is_not_essential_is_lived_without() -> None:
    extra = Kind("namespaces", "/api/v1/namespaces", NODES.type, is_essential=False)
    assert is_absent(extra, ApiError(404))
    assert is_absent(extra, ApiError(403))
    assert not is_absent(extra, ApiError(500))
    assert not is_absent(NODES, ApiError(403))


def test_absent_kind_does_not_end_the_start_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    extra = Kind("namespaces", "/api/v1/namespaces", NODES.type, is_essential=False)
    story = Story()
    for _ in range(2):
        story.triage.failed(extra, ApiError(403, message="namespaces is forbidden"))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "namespaces is forbidden" in caplog.text
