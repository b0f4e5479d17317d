"""Events.

Source: kubernetes v1.36 pkg/registry/core/event/strategy.go and
    pkg/apis/core/validation/events.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.events.versions import EVENTS_GROUP
from pilotfish.cluster.field_errors import FieldError, field_invalid, field_required
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.validation.metadata import IMMUTABLE
from pilotfish.cluster.validation.names import qualified_name

LIMITS: Final = {"reportingInstance": 128, "action": 128, "reason": 128}
NOTE_LIMIT: Final = 1024
SYSTEM_NAMESPACES: Final = ("default", "kube-system")
TYPES: Final = ("Normal", "Warning")
MIN_SERIES: Final = 2
UNSET: Final = ("firstTimestamp", "lastTimestamp", "count")
FIXED: Final = (
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
)


class EventStrategy(Strategy):
    """The rules of Events, at rest in core's form; those of events.k8s.io are stricter."""

    allow_create_on_update = True
    is_garbage_collected = False

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an Event."""
        yield from self._common_errors(obj)
        if self.resource.group != EVENTS_GROUP:
            return
        yield from _series_errors(obj.get("series"))
        if not obj.get("eventTime"):
            yield field_required("eventTime")
        if (kind := obj.get("type", "")) not in TYPES:
            yield field_invalid("type", "", f"has invalid value: {kind}")
        for field in UNSET:
            if obj.get(field):
                yield field_invalid(field, "", "needs to be unset")
        if any((obj.get("source") or {}).values()):
            yield field_invalid("source", "", "needs to be unset")

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: the series may change, what happened stays."""
        yield from self._common_errors(new)
        if self.resource.group != EVENTS_GROUP:
            return
        if new.get("series") != old.get("series"):
            yield from _series_errors(new.get("series"))
        for field in FIXED:
            if new.get(field) != old.get(field):
                shown = "reportingController" if field == "reportingComponent" else field
                yield field_invalid(shown, new.get(field), IMMUTABLE)

    def _common_errors(self, event: JsonObject) -> Iterator[FieldError]:
        own, about = event["metadata"].get("namespace", ""), event.get("involvedObject") or {}
        namespace = about.get("namespace", "")
        is_new = bool(event.get("eventTime"))
        allowed = SYSTEM_NAMESPACES if is_new else SYSTEM_NAMESPACES[:1]
        if (not namespace and own not in allowed) or (not is_new and namespace not in ("", own)):
            detail = "does not match event.namespace"
            yield field_invalid("involvedObject.namespace", namespace, detail)
        if is_new:
            yield from self._reporting_errors(event)

    def _reporting_errors(self, event: JsonObject) -> Iterator[FieldError]:
        field = "reportingComponent"
        if self.resource.group == EVENTS_GROUP:
            field = "reportingController"
        controller = event.get("reportingComponent", "")
        if not controller:
            yield field_required(field)
        for problem in qualified_name(controller):
            yield field_invalid(field, controller, problem)
        for part, limit in LIMITS.items():
            text = event.get(part, "")
            if not text:
                yield field_required(part)
            if len(text.encode()) > limit:
                yield field_invalid(part, "", f"can have at most {limit} characters")
        if len(event.get("message", "").encode()) > NOTE_LIMIT:
            yield field_invalid("message", "", f"can have at most {NOTE_LIMIT} characters")


def _series_errors(series: JsonObject | None) -> Iterator[FieldError]:
    if series is None:
        return
    if series.get("count", 0) < MIN_SERIES:
        yield field_invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield field_required("series.lastObservedTime")
