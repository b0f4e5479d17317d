"""Validation of what the kubelet does to a container: probes and lifecycle hooks.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, validateHandler and its callers.
    differs: stop signals are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE
from pilotfish.cluster.validation.names import port_name, port_number

PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_HEADER: Final = "[-A-Za-z0-9]+"
BAD_HEADER: Final = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
    f"regex used for validation is '{_HEADER}')"
)
SCHEMES: Final = ("HTTP", "HTTPS")


def probe_errors(
    probe: JsonObject, kind: str, grace: int | None, path: str
) -> Iterator[FieldError]:
    """Give what is wrong with a probe of a kind, such as `readinessProbe`."""
    yield from _handler_errors(probe, grace, path)
    for field in (
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ):
        if probe.get(field, 0) < 0:
            yield field_invalid(f"{path}.{field}", probe[field], NOT_NEGATIVE)
    own, field = probe.get("terminationGracePeriodSeconds"), "terminationGracePeriodSeconds"
    if own is not None and own <= 0:
        yield field_invalid(f"{path}.{field}", own, "must be greater than 0")
    if kind == "readinessProbe":
        if own is not None:
            yield field_invalid(f"{path}.{field}", own, "must not be set for readinessProbes")
    elif probe.get("successThreshold", 1) != 1:
        yield field_invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def lifecycle_errors(lifecycle: JsonObject, grace: int | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the hooks of a container; a sleep ends within the grace period."""
    for hook in ("postStart", "preStop"):
        if (handler := lifecycle.get(hook)) is not None:
            yield from _handler_errors(handler, grace, f"{path}.{hook}")


def _handler_errors(handler: JsonObject, grace: int | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the first way of acting, and each further one."""
    kinds = [kind for kind in HANDLERS if handler.get(kind) is not None]
    if not kinds:
        yield field_required(path, "must specify a handler type")
        return
    yield from _action_errors(kinds[0], handler[kinds[0]], grace, f"{path}.{kinds[0]}")
    for kind in kinds[1:]:
        yield field_forbidden(f"{path}.{kind}", "may not specify more than 1 handler type")


def _action_errors(
    kind: str, action: JsonObject, grace: int | None, path: str
) -> Iterator[FieldError]:
    match kind:
        case "exec":
            if not action.get("command"):
                yield field_required(f"{path}.command")
        case "sleep":
            seconds = action.get("seconds", 0)
            if grace is not None and not 0 <= seconds <= grace:
                why = "must be non-negative and less than terminationGracePeriodSeconds"
                yield field_invalid(path, seconds, f"{why} ({grace})")
        case "httpGet":
            if not action.get("path"):
                yield field_required(f"{path}.path")
            yield from _port_errors(action.get("port", 0), f"{path}.port")
            if (scheme := action.get("scheme", "")) not in SCHEMES:
                yield field_not_supported(f"{path}.scheme", scheme, SCHEMES)
            for header in action.get("httpHeaders") or ():
                if re.fullmatch(_HEADER, header.get("name", "")) is None:
                    yield field_invalid(f"{path}.httpHeaders", header.get("name", ""), BAD_HEADER)
        case _:
            yield from _port_errors(action.get("port", 0), f"{path}.port")


def _port_errors(port: int | str, path: str) -> Iterator[FieldError]:
    problems = port_number(port) if isinstance(port, int) else port_name(port)
    for problem in problems:
        yield field_invalid(path, port, problem)
