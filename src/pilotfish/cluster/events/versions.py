"""Events: one storage, seen as core/v1 and as events.k8s.io/v1.

At rest an Event has core's form. What one form always shows and the other leaves out when empty is
upstream's, since clients read it: `kubectl get events` wants core's timestamps even when null.

Source: kubernetes v1.36 pkg/apis/events/v1/conversion.go; staging/src/k8s.io/api/core/v1/types.go
and events/v1/types.go for what is left out when empty.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final, NamedTuple

import msgspec

from pilotfish.cluster.resources import Resource

Event = dict[str, Any]  # as JSON has it

EVENTS_GROUP: Final = "events.k8s.io"


class _Field(NamedTuple):
    """A field by both names, its empty value, and which form shows it even when empty."""

    core: str
    events: str
    empty: Any
    core_shows: bool = False
    events_shows: bool = False


_FIELDS: Final = (
    _Field("involvedObject", "regarding", {}, core_shows=True, events_shows=True),
    _Field("reason", "reason", ""),
    _Field("message", "note", ""),
    _Field("source", "deprecatedSource", {}, core_shows=True, events_shows=True),
    _Field("firstTimestamp", "deprecatedFirstTimestamp", None, core_shows=True, events_shows=True),
    _Field("lastTimestamp", "deprecatedLastTimestamp", None, core_shows=True, events_shows=True),
    _Field("count", "deprecatedCount", 0),
    _Field("type", "type", ""),
    _Field("eventTime", "eventTime", None, core_shows=True, events_shows=True),
    _Field("series", "series", None),
    _Field("action", "action", ""),
    _Field("related", "related", None),
    _Field("reportingComponent", "reportingController", "", core_shows=True),
    _Field("reportingInstance", "reportingInstance", "", core_shows=True),
)


def to_core(event: Event) -> Event:
    """Return an Event of either group in core's form, complete as core shows it."""
    names = _names(event)
    core: Event = {"kind": "Event", "apiVersion": "v1", "metadata": event["metadata"]}
    for field, name in zip(_FIELDS, names, strict=True):
        if (value := event.get(name)) or field.core_shows:
            core[field.core] = value or deepcopy(field.empty)
    return core


def to_events_v1(event: Event) -> Event:
    """Return an Event of either group in the form of events.k8s.io, complete as that shows it."""
    names = _names(event)
    seen: Event = {
        "kind": "Event",
        "apiVersion": f"{EVENTS_GROUP}/v1",
        "metadata": event["metadata"],
    }
    for field, name in zip(_FIELDS, names, strict=True):
        if (value := event.get(name)) or field.events_shows:
            seen[field.events] = value or deepcopy(field.empty)
    return seen


def as_seen(resource: Resource, body: bytes) -> bytes:
    """Return a stored body as a resource shows it: as it is, but for events.k8s.io."""
    if resource.group != EVENTS_GROUP:
        return body
    seen = to_events_v1(msgspec.json.decode(body))
    return msgspec.json.encode({k: v for k, v in seen.items() if k not in ("kind", "apiVersion")})


def _names(event: Event) -> tuple[str, ...]:
    """Return the names that the event's own form gives to the fields; at rest it is core's."""
    is_core = event.get("apiVersion", "v1") == "v1"
    return tuple(field.core if is_core else field.events for field in _FIELDS)
