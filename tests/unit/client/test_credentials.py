import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilotfish.client.credentials import (
    ClientCertificate,
    Credential,
    StaticCredential,
    TokenFile,
    basic,
    bearer,
)
from pilotfish.client.errors import CredentialsError


@dataclass
class Clock:
    """A clock that tests set."""

    now: float = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def current(source: TokenFile) -> Credential:
    return asyncio.run(source.current())


def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    path.write_text("one\n")
    source = TokenFile(path, clock=clock)
    first = current(source)
    path.write_text("two\n")

    clock.now = 59.0
    assert current(source) is first
    clock.now = 60.0
    assert current(source).authorization == "Bearer two"


def test_an_unchanged_token_stays_the_same_object(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    path.write_text("one")
    source = TokenFile(path, clock=clock)
    first = current(source)
    clock.now = 1000.0

    assert current(source) is first
    assert asyncio.run(source.renew(first)) is first


def test_a_refused_token_is_read_again_at_once(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one")
    source = TokenFile(path, clock=Clock())
    first = current(source)
    path.write_text("two")

    second = asyncio.run(source.renew(first))

    assert second.authorization == "Bearer two"
    assert asyncio.run(source.renew(first)) is second, "it was already replaced"


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_a_token_file_that_vanishes_leaves_the_last_token(
    tmp_path: Path, content: str | None
) -> None:
    path, clock = tmp_path / "token", Clock()
    path.write_text("one")
    source = TokenFile(path, clock=clock)
    current(source)
    path.unlink() if content is None else path.write_text(content)
    clock.now = 100.0

    assert current(source).authorization == "Bearer one"


def test_a_token_file_that_never_was_is_an_error_naming_it(tmp_path: Path) -> None:
    source = TokenFile(tmp_path / "absent", clock=Clock())

    with pytest.raises(CredentialsError, match="absent: no token could be read: No such file"):
        current(source)


def test_the_initial_token_serves_until_the_file_can_be_read(tmp_path: Path) -> None:
    clock = Clock()
    source = TokenFile(tmp_path / "token", clock=clock, initial=Credential(bearer("literal")))
    assert current(source).authorization == "Bearer literal"
    (tmp_path / "token").write_text("file")
    clock.now = 60.0

    assert current(source).authorization == "Bearer file"


def test_a_static_credential_cannot_be_renewed() -> None:
    credential = Credential(basic("me", "pa55"))
    source = StaticCredential(credential)

    assert asyncio.run(source.current()) is credential
    assert asyncio.run(source.renew(credential)) is credential
    assert credential.authorization == "Basic bWU6cGE1NQ=="


def test_no_secret_shows_in_a_repr() -> None:
    credential = Credential(bearer("s3cret"), ClientCertificate(b"s3cret", b"s3cret"))

    assert "s3cret" not in repr(credential)
