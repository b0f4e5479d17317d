import msgspec
import pytest

from pilotfish.client.errors import api_error


def test_a_status_is_read_and_cut_to_one_line_of_256_characters() -> None:
    body = msgspec.json.encode(
        {"kind": "Status", "code": 409, "reason": "Conflict", "message": "so\nlong " * 100}
    )

    error = api_error(409, body, retry_after_seconds=2.0, request="POST /x")

    assert (error.status, error.reason, error.retry_after_seconds) == (409, "Conflict", 2.0)
    assert len(error.message) == 256
    assert str(error).startswith("POST /x: 409 so long so long")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "body", [b"<html>secret</html>", b'{"kind":"Pod","message":"secret"}', b"[1]", b""]
)
def test_a_body_that_is_no_status_is_dropped(body: bytes) -> None:
    error = api_error(502, body)

    assert (error.status, error.reason, error.message) == (502, "", "")
    assert "secret" not in str(error)


def test_a_watch_error_takes_its_status_from_the_code() -> None:
    assert api_error(0, b'{"kind":"Status","code":410,"reason":"Expired"}').status == 410
