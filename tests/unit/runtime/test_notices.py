import logging

import pytest

from pilotfish.client import ConnectionFailed
from pilotfish.runtime.notices import REMIND_SECONDS, Connection, Notices

LOG = logging.getLogger("pilotfish")
DOWN = ConnectionFailed("GET /api/v1/pods: refused", outcome_unknown=False)


def test_topic_is_spoken_of_once(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices(LOG)
    notices.once("events", "no Events are made", hint="grant create")
    notices.once("events", "no Events are made")
    assert caplog.messages == ["no Events are made; grant create"]


def test_lost_server_is_mentioned_once_and_again_after_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    connection = Connection(LOG, "https://server:6443")
    for now in (0.0, 0.1, 10.0, REMIND_SECONDS, REMIND_SECONDS + 1):
        connection.lost(DOWN, now)
    assert len(caplog.messages) == 2
    assert caplog.messages[0].startswith("waiting for the API server at https://server:6443: ")
    connection.regained()
    connection.regained()
    assert caplog.messages[2:] == ["the API server at https://server:6443 answers again"]


def test_refused_connection_is_called_that(caplog: pytest.LogCaptureFixture) -> None:
    error = ConnectionFailed("GET /: Cannot connect", outcome_unknown=False)
    error.__cause__ = ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)")
    Connection(LOG, "https://server").lost(error, 0.0)
    assert caplog.messages == ["waiting for the API server at https://server: connection refused"]
