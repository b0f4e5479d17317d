"""Who we are: credentials, and sources that keep them fresh.

A source is asked before every request and again, through `renew`, when the server refuses with 401.
It answers the *same object* as long as nothing changed, so that "did it help to renew?" is an
identity test and TLS contexts are rebuilt only when the certificate rotates.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pilotfish.client.errors import CredentialsError

TOKEN_FILE_SECONDS = 60.0  # upstream re-reads token files at least this often


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A client certificate with its key, both PEM; neither shows in a repr."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """What goes along with a request; secrets do not show in a repr.

    Attributes:
        authorization: the value of the Authorization header; "" sends none.
        certificate: the client certificate of the connection, if any.
    """

    authorization: str = field(default="", repr=False)
    certificate: ClientCertificate | None = None


def bearer(token: str) -> str:
    """Return the Authorization header of a token; none for an empty token."""
    return f"Bearer {token}" if token else ""


def basic(username: str, password: str) -> str:
    """Return the Authorization header of a user name and password."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


class CredentialSource(Protocol):
    """Where a credential comes from."""

    async def current(self) -> Credential:
        """Return the credential to use now, renewing it first when it is about to expire."""

    async def renew(self, refused: Credential) -> Credential:
        """Return a newer credential than the refused one, or the same when there is none."""


class StaticCredential:
    """A credential that never changes."""

    def __init__(self, credential: Credential | None = None) -> None:
        self._credential = credential or Credential()

    async def current(self) -> Credential:
        """Return the credential."""
        return self._credential

    async def renew(self, refused: Credential) -> Credential:
        """Return the refused credential: there is no other."""
        return refused


class TokenFile:
    """A bearer token in a file that somebody else rotates, as kubelet does for ServiceAccounts.

    The file is read again after 60 s and at once after a 401. A file that cannot be read any more
    leaves the last token in use: it may well be valid for a while.

    Source: client-go v0.36 transport/token_source.go.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float],
        initial: Credential | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._credential = initial or Credential()
        self._read_at = float("-inf")

    async def current(self) -> Credential:
        """Return the token, read within the last minute."""
        if self._clock() - self._read_at >= TOKEN_FILE_SECONDS:
            self._read()
        return self._credential

    async def renew(self, refused: Credential) -> Credential:
        """Read the file again, unless a newer token than the refused one is already there."""
        if refused is self._credential:
            self._read()
        return self._credential

    def _read(self) -> None:
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self._keep_or_raise(str(getattr(error, "strerror", "") or "not text"), error)
            return
        if not token:
            self._keep_or_raise("it is empty", None)
        elif (header := bearer(token)) != self._credential.authorization:
            self._credential = Credential(header, self._credential.certificate)
        self._read_at = self._clock()

    def _keep_or_raise(self, why: str, cause: Exception | None) -> None:
        if not self._credential.authorization:
            raise CredentialsError(
                f"{self._path}: no token could be read: {why}",
                hint="a pod needs automountServiceAccountToken, a kubeconfig a readable tokenFile",
            ) from cause
