"""Who sends a request: fixed bearer tokens and those of ServiceAccounts.

Law: a token proves a user or nothing; what the user may do is asked of `pilotfish.cluster.rbac`.
"""

from pilotfish.cluster.authentication.authenticator import (
    ADMIN,
    ANONYMOUS,
    AUTHENTICATED,
    Authenticator,
)
from pilotfish.cluster.authentication.service_account_tokens import (
    AUDIENCES,
    ISSUER,
    InvalidTokenError,
    ServiceAccountTokens,
)

__all__ = [
    "ADMIN",
    "ANONYMOUS",
    "AUDIENCES",
    "AUTHENTICATED",
    "ISSUER",
    "Authenticator",
    "InvalidTokenError",
    "ServiceAccountTokens",
]
