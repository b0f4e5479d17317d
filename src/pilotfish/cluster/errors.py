"""Refusals of the embedded cluster, as the API conventions word them.

    StatusError    one class: what a client tells apart is the Status's `reason`
    ├── 400 BadRequest             bad_request
    ├── 401 Unauthorized           unauthorized
    ├── 403 Forbidden              forbidden
    ├── 404 NotFound               not_found, no_such_path
    ├── 405 MethodNotAllowed       method_not_allowed
    ├── 406 NotAcceptable          not_acceptable
    ├── 409 AlreadyExists          already_exists, name_not_generated
    ├── 409 Conflict               conflict
    ├── 410 Expired                expired
    ├── 413 RequestEntityTooLarge  too_large
    ├── 415 UnsupportedMediaType   unsupported_media_type
    ├── 422 Invalid                invalid
    ├── 429 TooManyRequests        too_many_requests
    ├── 500 InternalError          internal_error
    ├── 501 NotImplemented         not_implemented
    ├── 503 ServiceUnavailable     unavailable
    └── 504 Timeout                timeout, too_large_resource_version

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from pilotfish.cluster.field_errors import FieldError, aggregate

OBJECT_MODIFIED: Final = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


class Named(Protocol):
    """What a refusal says about a resource; `Resource` and `GroupResource` have it."""

    @property
    def group(self) -> str:
        """The API group, empty for core."""

    @property
    def plural(self) -> str:
        """The name in paths."""


class NamedKind(Protocol):
    """What a refusal of an object's content says about its kind."""

    @property
    def group(self) -> str:
        """The API group, empty for core."""

    @property
    def kind(self) -> str:
        """The name in objects."""


class GroupResource(msgspec.Struct, frozen=True):
    """A resource by name alone."""

    group: str
    plural: str


class GroupKind(msgspec.Struct, frozen=True):
    """A kind by name alone, also where upstream names none or none that is served."""

    group: str
    kind: str


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of several causes of a refusal."""

    reason: str = ""
    message: str = ""
    field: str = ""


class Details(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a refusal is about; `kind` is the resource's plural except where content is invalid."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[Cause, ...] = ()
    retry_after_seconds: int = 0


class StatusError(Exception):
    """A request is refused.

    Attributes:
        code: the HTTP status.
        reason: the word that clients tell refusals apart by; empty where upstream has none.
        message: the sentence for people.
        details: what it is about, or None.
        continue_token: of an expired list: a token that goes on at the newest version.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Details | None = None,
        *,
        continue_token: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.continue_token = continue_token

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes in the details, if any."""
        return self.details.causes if self.details else ()

    @property
    def retry_after_seconds(self) -> int:
        """When to try again; 0 says nothing. The HTTP face repeats it as a header."""
        return self.details.retry_after_seconds if self.details else 0

    def status(self) -> dict[str, Any]:
        """Return the Status object that the client reads."""
        details = self.details and msgspec.json.decode(msgspec.json.encode(self.details))
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.continue_token} if self.continue_token else {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": details,
            "code": self.code,
        }
        return {key: value for key, value in status.items() if value not in ("", None)}


def qualified(resource: Named) -> str:
    """Return a resource's name with its group: `pods`, `deployments.apps`."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def quote(text: str) -> str:
    """Quote as upstream's messages do."""
    return msgspec.json.encode(text).decode()


def _about(resource: Named, name: str, *, retry_after_seconds: int = 0) -> Details:
    return Details(
        name=name,
        group=resource.group,
        kind=resource.plural,
        retry_after_seconds=retry_after_seconds,
    )


def bad_request(message: str) -> StatusError:
    """Make the refusal of a request that cannot be understood."""
    return StatusError(400, "BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> StatusError:
    """Make the refusal of a client that is not known."""
    return StatusError(401, "Unauthorized", message)


def forbidden(resource: Named | None, name: str, why: str) -> StatusError:
    """Make the refusal of what this user may not do; without a resource, of a path.

    A path that is no resource's gets upstream's empty details.
    """
    if resource is None:
        return StatusError(403, "Forbidden", f"forbidden: {why}", Details())
    subject = f"{qualified(resource)} {quote(name)}" if name else qualified(resource)
    return StatusError(403, "Forbidden", f"{subject} is forbidden: {why}", _about(resource, name))


def not_found(resource: Named, name: str) -> StatusError:
    """Make the refusal for an object that does not exist."""
    message = f"{qualified(resource)} {quote(name)} not found"
    return StatusError(404, "NotFound", message, _about(resource, name))


def no_such_path() -> StatusError:
    """Make the refusal for a resource or subresource that this server does not have."""
    message = "the server could not find the requested resource"
    return StatusError(404, "NotFound", message, Details())


def method_not_allowed() -> StatusError:
    """Make the refusal of a verb that a resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, Details())


def not_acceptable(available: Sequence[str]) -> StatusError:
    """Make the refusal of an Accept header that names nothing the server can write."""
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(available)}"
    return StatusError(406, "NotAcceptable", message, Details())


def already_exists(resource: Named, name: str) -> StatusError:
    """Make the refusal of a second object of the same name."""
    message = f"{qualified(resource)} {quote(name)} already exists"
    return StatusError(409, "AlreadyExists", message, _about(resource, name))


def name_not_generated(resource: Named, name: str) -> StatusError:
    """Make the refusal when generateName met only names that exist."""
    message = (
        f"{qualified(resource)} {quote(name)} already exists,"
        " the server was not able to generate a unique name for the object"
    )
    return StatusError(409, "AlreadyExists", message, _about(resource, name, retry_after_seconds=1))


def conflict(resource: Named, name: str, why: str = OBJECT_MODIFIED) -> StatusError:
    """Make the refusal of a write that does not fit the object as it is now."""
    message = f"Operation cannot be fulfilled on {qualified(resource)} {quote(name)}: {why}"
    return StatusError(409, "Conflict", message, _about(resource, name))


def expired(message: str, *, continue_token: str = "") -> StatusError:
    """Make the refusal of a resourceVersion or page that the server no longer has."""
    return StatusError(410, "Expired", message, continue_token=continue_token)


def too_large(message: str) -> StatusError:
    """Make the refusal of a body over the limit."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: {message}")


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    """Make the refusal of a body in a language that the server does not read."""
    message = (
        "the body of the request was in an unknown format -"
        f" accepted media types include: {', '.join(accepted)}"
    )
    return StatusError(415, "UnsupportedMediaType", message)


def invalid(kind: NamedKind, name: str, errors: Sequence[FieldError]) -> StatusError:
    """Make the refusal of an object whose content breaks rules, one cause for each field error."""
    label = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    message = f"{label} {quote(name)} is invalid"
    if errors:
        message = f"{message}: {aggregate(errors)}"
    causes = tuple(Cause(error.reason, error.body, error.field) for error in errors)
    details = Details(name=name, group=kind.group, kind=kind.kind, causes=causes)
    return StatusError(422, "Invalid", message, details)


def too_many_requests(
    message: str, *, retry_after_seconds: int = 0, causes: Sequence[Cause] = ()
) -> StatusError:
    """Make the refusal for now: try later."""
    details = Details(causes=tuple(causes), retry_after_seconds=retry_after_seconds)
    return StatusError(429, "TooManyRequests", message, details)


def internal_error(message: str) -> StatusError:
    """Make the answer when the server itself failed."""
    details = Details(causes=(Cause(message=message),))
    return StatusError(500, "InternalError", f"Internal error occurred: {message}", details)


def not_implemented(message: str) -> StatusError:
    """Make the refusal of what the real server does and this one does not."""
    return StatusError(501, "NotImplemented", message)


def unavailable(message: str) -> StatusError:
    """Make the refusal of a server, or a part of one, that is not ready."""
    return StatusError(503, "ServiceUnavailable", message)


def timeout(message: str, *, retry_after_seconds: int = 0) -> StatusError:
    """Make the answer when something took too long."""
    details = Details(retry_after_seconds=retry_after_seconds)
    return StatusError(504, "Timeout", f"Timeout: {message}", details)


def too_large_resource_version(wanted: int, current: int) -> StatusError:
    """Make the answer to who wants a resourceVersion that is yet to come.

    Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/storage/errors.go.
    """
    message = f"Too large resource version: {wanted}, current: {current}"
    cause = Cause("ResourceVersionTooLarge", "Too large resource version")
    details = Details(causes=(cause,), retry_after_seconds=1)
    return StatusError(504, "Timeout", f"Timeout: {message}", details)
