"""Who sends a request, by its bearer token.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/authentication/request/bearertoken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from pilotfish.cluster.authentication.service_account_tokens import (
    AUDIENCES,
    InvalidTokenError,
    ServiceAccountTokens,
)
from pilotfish.cluster.errors import unauthorized
from pilotfish.cluster.requests import User

AUTHENTICATED: Final = "system:authenticated"
ANONYMOUS: Final = User("system:anonymous", ("system:unauthenticated",))
ADMIN: Final = User("admin", ("system:masters", AUTHENTICATED), "admin")


class Identity(NamedTuple):
    """What a token proves, and to which of the audiences that were asked for."""

    user: User
    audiences: tuple[str, ...]


class Authenticator:
    """Knows fixed tokens and those of ServiceAccounts.

    Args:
        tokens: the fixed ones, such as the admin's, and whom they stand for.
        service_accounts: issues and checks the others.
    """

    def __init__(self, tokens: Mapping[str, User], service_accounts: ServiceAccountTokens) -> None:
        self.service_accounts = service_accounts
        # by digest, so that the time of a look-up tells nothing about the tokens
        self._fixed = {_digest(token): user for token, user in tokens.items()}

    def authenticate(self, authorization: str, now: float) -> User:
        """Give the user whom an Authorization header proves; without a bearer token, ANONYMOUS.

        Raises:
            StatusError: Unauthorized: the token proves nothing.
        """
        scheme, _, rest = authorization.strip().partition(" ")
        token = rest.partition(" ")[0]
        if scheme.lower() != "bearer" or not token:
            return ANONYMOUS
        try:
            return self.identify(token, AUDIENCES, now).user
        except InvalidTokenError as error:
            raise unauthorized() from error

    def identify(self, token: str, audiences: Collection[str], now: float) -> Identity:
        """Give whom a token proves to one of these audiences.

        Raises:
            InvalidTokenError: The token proves nothing.
        """
        if not token.isascii():
            raise InvalidTokenError("invalid bearer token")
        accepted = tuple(audience for audience in AUDIENCES if audience in audiences)
        user = self._fixed.get(_digest(token))
        if user is not None and accepted:
            return Identity(user, accepted)
        try:
            claims = self.service_accounts.check(token, audiences, now)
        except InvalidTokenError as error:
            raise InvalidTokenError(f"[invalid bearer token, {error}]") from error
        if claims is None:
            raise InvalidTokenError("invalid bearer token")
        proven = tuple(audience for audience in claims.aud if audience in audiences)
        return Identity(claims.user(), proven)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
