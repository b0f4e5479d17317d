"""Everything that can go wrong between pilotfish and an API server.

    ClientError
    ├── ConfigError          no usable configuration: a file, a field, an environment variable
    ├── CredentialsError     no credential could be had (exec plugin, token file)
    ├── ApiError             the server answered, with a refusal
    ├── ConnectionFailed     no answer came
    └── ProtocolError        the answer is not what an API server says

Every message is one line that names the file and the field; `hint` says what to do. Neither ever
holds a secret.
"""

import msgspec

STATUS_LIMIT = 256  # characters of a Status message that are kept


class ClientError(Exception):
    """The root of this package's errors.

    Attributes:
        hint: what the person who reads the message can do about it; may be empty.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(ClientError):
    """The configuration is missing, malformed or asks for something unsupported."""


class CredentialsError(ClientError):
    """A credential could not be obtained."""


class ProtocolError(ClientError):
    """The server sent something that is not a list, a watch event or a Status."""


class ConnectionFailed(ClientError):  # noqa: N818 - a fact about the world, not a fault
    """No answer came.

    Attributes:
        outcome_unknown: False when the request surely never reached the server; True when it may
            have, and the server may have acted on it.
    """

    def __init__(self, message: str, *, outcome_unknown: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.outcome_unknown = outcome_unknown


class ApiError(ClientError):
    """The API server refused.

    Attributes:
        status: the HTTP status, or the code of a watch's ERROR event.
        reason: the machine-readable reason of the Status ("Conflict", "Expired"), or "".
        message: the Status's message, at most 256 characters; "" when the body was no Status.
        retry_after_seconds: what the server asked for, or None.
    """

    def __init__(
        self,
        status: int,
        *,
        reason: str = "",
        message: str = "",
        retry_after_seconds: float | None = None,
        request: str = "",
    ) -> None:
        text = message or reason or "no Status in the answer"
        where = f"{request}: " if request else ""
        super().__init__(f"{where}{status} {text}", hint=_HINTS.get(status, ""))
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_seconds = retry_after_seconds


_HINTS = {
    401: "the credentials were refused: renew the token or the certificate of this kubeconfig",
    403: "grant the missing permission with a Role or ClusterRole",
}


class Status(msgspec.Struct, frozen=True):
    """What an API server says instead of an object when it refuses."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""


def api_error(
    status: int, body: bytes, *, retry_after_seconds: float | None = None, request: str = ""
) -> ApiError:
    """Read a refusal; a body that is no Status (a proxy's page, say) is dropped."""
    try:
        answer = msgspec.json.decode(body, type=Status)
    except ValueError:
        answer = Status()
    if answer.kind != "Status":
        answer = Status()
    return ApiError(
        status or answer.code,
        reason=answer.reason,
        message=" ".join(answer.message.split())[:STATUS_LIMIT],
        retry_after_seconds=retry_after_seconds,
        request=request,
    )
