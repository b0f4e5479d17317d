"""Events about what controllers and kubelets do, as client-go's recorder writes them.

Theory of operation: an event that says the same as before counts up the old one. Of one object,
source and reason, messages beyond the tenth within ten minutes are folded into one, "(combined from
similar events)". Beyond 25 events an object's source may only write one in five minutes.

Source: client-go v0.36 tools/record/events_cache.go.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kinds import EVENTS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.timestamps import timestamp

REMEMBERED: Final = 4096  # client-go maxLruCacheEntries
SIMILAR_EVENTS: Final = 10
SIMILAR_SECONDS: Final = 600.0
SPAM_BURST: Final = 25.0
SPAM_REFILL_SECONDS: Final = 300.0
T = TypeVar("T")
COMBINED: Final = "(combined from similar events): "


class _Similar(msgspec.Struct):
    messages: dict[str, None]
    last: float


class _Budget(msgspec.Struct):
    tokens: float
    last: float


class Recorder:
    """Writes core Events; refused ones are dropped, as nobody waits for them."""

    def __init__(self, client: LoopbackClient) -> None:
        self._client = client
        self._count = 0
        self._similar: dict[tuple[str, ...], _Similar] = {}
        self._budgets: dict[tuple[str, ...], _Budget] = {}
        self._written: dict[tuple[str, ...], tuple[str, int]] = {}

    def source(self, component: str, resource: Resource) -> EventSource:
        """Give what a component reports about objects of a resource with."""
        return EventSource(self, component, resource)

    def record(
        self,
        component: str,
        involved: JsonObject,
        event_type: str,
        reason: str,
        message: str,
        now: float,
        *,
        host: str = "",
    ) -> None:
        """Write an event, or count up or fold it as the module says; a kubelet says its host."""
        source = (component, involved["kind"], involved.get("namespace", ""), involved["uid"])
        group = (*source, event_type, reason)
        message, key = self._aggregate(group, message, now)
        key = (*key, involved.get("fieldPath", ""))
        name, count = self._written.get(key, ("", 0))
        if not self._may_write(source, now):
            return
        namespace = involved.get("namespace") or "default"
        if count and self._client.store.get(EVENTS.storage, namespace, name) is None:
            count = 0  # it has expired
        try:
            if count:
                patch = {"count": count + 1, "message": message, "lastTimestamp": timestamp(now)}
                self._client.patch(EVENTS, namespace, name, patch, now)
            else:
                event = self._event(component, host, involved, now)
                event |= {"type": event_type, "reason": reason, "message": message[:1024]}
                name = self._client.create(EVENTS, event, now)["metadata"]["name"]
        except StatusError:
            self._written.pop(key, None)
            return
        _remember(self._written, key, (name, count + 1))

    def _aggregate(
        self, group: tuple[str, ...], message: str, now: float
    ) -> tuple[str, tuple[str, ...]]:
        similar = self._similar.get(group)
        if similar is None or now - similar.last > SIMILAR_SECONDS:
            similar = _Similar({}, now)
        similar.last = now
        similar.messages[message] = None
        _remember(self._similar, group, similar)
        if len(similar.messages) < SIMILAR_EVENTS:
            return message, (*group, message)
        similar.messages.popitem()
        return COMBINED + message, group

    def _may_write(self, source: tuple[str, ...], now: float) -> bool:
        budget = self._budgets.get(source) or _Budget(SPAM_BURST, now)
        refill = (now - budget.last) / SPAM_REFILL_SECONDS
        budget.tokens = min(SPAM_BURST, budget.tokens + refill)
        budget.last = now
        _remember(self._budgets, source, budget)
        if budget.tokens < 1:
            return False
        budget.tokens -= 1
        return True

    def _event(self, component: str, host: str, involved: JsonObject, now: float) -> JsonObject:
        self._count += 1
        return {
            "metadata": {
                "name": f"{involved['name']}.{int(now * 1e9) + self._count:x}",
                "namespace": involved.get("namespace") or "default",
            },
            "involvedObject": involved,
            "source": {"component": component} | ({"host": host} if host else {}),
            "firstTimestamp": timestamp(now),
            "lastTimestamp": timestamp(now),
            "count": 1,
            "reportingComponent": component,
            "reportingInstance": host,
        }


class EventSource:
    """What one component says about objects of one resource."""

    def __init__(self, recorder: Recorder, component: str, resource: Resource) -> None:
        self._recorder = recorder
        self._component = component
        self._resource = resource

    def normal(self, obj: JsonObject, reason: str, message: str, now: float) -> None:
        """Record something expected."""
        involved = reference(self._resource, obj)
        self._recorder.record(self._component, involved, "Normal", reason, message, now)

    def warning(self, obj: JsonObject, reason: str, message: str, now: float) -> None:
        """Record something that may need a person."""
        involved = reference(self._resource, obj)
        self._recorder.record(self._component, involved, "Warning", reason, message, now)


def reference(resource: Resource, obj: JsonObject) -> JsonObject:
    """Make the reference by which an Event names an object."""
    metadata = obj["metadata"]
    fields = {
        "kind": resource.kind,
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": resource.api_version,
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return {key: value for key, value in fields.items() if value}


def _remember(cache: dict[tuple[str, ...], T], key: tuple[str, ...], value: T) -> None:
    cache.pop(key, None)
    cache[key] = value
    if len(cache) > REMEMBERED:
        del cache[next(iter(cache))]
