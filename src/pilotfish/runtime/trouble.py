"""Trouble: what a failed list or watch means for a scheduler that starts, and for one that runs."""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.client import (
    ApiError,
    ClientError,
    ConfigError,
    ConnectionFailed,
    CredentialsError,
    ProtocolError,
)
from pilotfish.runtime.feed import Kind
from pilotfish.runtime.notices import Connection, Notices

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
SERVER_ERROR = 500
TOO_MANY_REQUESTS = 429
SETTLING_SECONDS = 15.0  # a server that comes up refuses for a while before it knows its users


class StartError(Exception):
    """The scheduler cannot start, and waiting does not help.

    Attributes:
        hint: what to do.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class LeaseLostError(Exception):
    """Another process may schedule in this one's place: it must end, and do nothing more.

    Attributes:
        hint: what to do.
    """

    hint = "nothing, if others lead now: start this one again, and it stands by"


class Triage:
    """Decides about the failures of one scheduler's lists and watches.

    Args:
        connection: tells when the server is away.
        notices: says what else is wrong.
        clock: monotonic seconds.
    """

    def __init__(
        self, connection: Connection, notices: Notices, clock: Callable[[], float]
    ) -> None:
        self.has_started = False
        self._connection = connection
        self._notices = notices
        self._clock = clock

    def failed(self, kind: Kind, error: ClientError, *, was_listed: bool = False) -> None:
        """Take a failure of one kind's list or watch; a kind that is absent is told of once.

        Args:
            kind: what was to be read.
            error: why it was not.
            was_listed: whether it was read before, so that nobody needs to mend anything.

        Raises:
            StartError: at the start, when only people can help.
        """
        now = self._clock()
        is_start = not (self.has_started or was_listed or is_absent(kind, error))
        if is_start and now - self._connection.was_lost_at > SETTLING_SECONDS:
            _give_up(kind, error)
        match error:
            case ApiError(status=status) if status < SERVER_ERROR:
                if status != TOO_MANY_REQUESTS:
                    self._notices.once(f"{kind.name} {status}", str(error), hint=error.hint)
            case ConnectionFailed() | ApiError():
                self._connection.lost(error, now)
            case _:
                self._notices.once(f"{kind.name} {type(error).__name__}", str(error))

    def answered(self) -> None:
        """Take note that the server answers."""
        self._connection.regained()


def is_absent(kind: Kind, error: ClientError) -> bool:
    """Whether a kind can be lived without, and has to be."""
    missing = isinstance(error, ApiError) and error.status in (FORBIDDEN, NOT_FOUND)
    return missing and not kind.is_essential


def _give_up(kind: Kind, error: ClientError) -> None:
    """Raise StartError for what waiting does not mend."""
    match error:
        case ConfigError() | CredentialsError():
            raise StartError(str(error), hint=error.hint) from error
        case ConnectionFailed() if error.hint:  # TLS: the server answers, but cannot be trusted
            raise StartError(str(error), hint=error.hint) from error
        case ApiError(status=401):
            raise StartError(
                "the API server refused the credentials: 401 Unauthorized", hint=error.hint
            ) from error
        case ApiError(status=403):
            raise StartError(
                error.message or str(error),
                hint=f"grant the verbs list and watch on {kind.name} with a ClusterRole",
            ) from error
        case ApiError(status=404) | ProtocolError():
            raise StartError(
                f"this is no Kubernetes API server: {error}",
                hint="correct the server in the kubeconfig",
            ) from error
