"""One Event seen through both groups, as kube-apiserver v1.36.3 shows it."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.cluster.events.versions import to_core, to_events_v1
from pilotfish.cluster.kinds import EVENTS
from pilotfish.cluster.objects import JsonObject, Stored, list_document, single_document
from pilotfish.cluster.registry.read import selection
from pilotfish.cluster.requests import Options
from pilotfish.cluster.resources import TABLE, Resource
from pilotfish.cluster.store import Store

POD = {"kind": "Pod", "namespace": "default", "name": "p"}
META = {"name": "e", "namespace": "default"}
SERIES = {"count": 2, "lastObservedTime": "2026-11-22T09:00:00.000000Z"}

CORE_SPARSE: JsonObject = {
    "kind": "Event",
    "apiVersion": "v1",
    "metadata": META,
    "involvedObject": POD,
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}
EVENTS_SPARSE: JsonObject = {
    "kind": "Event",
    "apiVersion": "events.k8s.io/v1",
    "metadata": META,
    "eventTime": None,
    "regarding": POD,
    "deprecatedSource": {},
    "deprecatedFirstTimestamp": None,
    "deprecatedLastTimestamp": None,
}
CORE_FULL: JsonObject = {
    "kind": "Event",
    "apiVersion": "v1",
    "metadata": META,
    "involvedObject": POD,
    "reason": "r",
    "message": "m",
    "source": {"component": "x", "host": "h"},
    "firstTimestamp": "2026-11-22T09:00:00Z",
    "lastTimestamp": "2026-11-22T09:00:01Z",
    "count": 3,
    "type": "Normal",
    "eventTime": "2026-11-22T09:00:00.123456Z",
    "series": SERIES,
    "action": "a",
    "related": {"name": "z"},
    "reportingComponent": "rc",
    "reportingInstance": "ri",
}
EVENTS_FULL: JsonObject = {
    "kind": "Event",
    "apiVersion": "events.k8s.io/v1",
    "metadata": META,
    "eventTime": "2026-11-22T09:00:00.123456Z",
    "series": SERIES,
    "reportingController": "rc",
    "reportingInstance": "ri",
    "action": "a",
    "reason": "r",
    "regarding": POD,
    "related": {"name": "z"},
    "note": "m",
    "type": "Normal",
    "deprecatedSource": {"component": "x", "host": "h"},
    "deprecatedFirstTimestamp": "2026-11-22T09:00:00Z",
    "deprecatedLastTimestamp": "2026-11-22T09:00:01Z",
    "deprecatedCount": 3,
}


def resource(group: str) -> Resource:
    found = TABLE.get(group, "v1", "events")
    assert found is not None
    return found


def stored(event: JsonObject) -> Stored:
    return Store().put("events", to_core(event))


@pytest.mark.parametrize(
    ("core", "events"), [(CORE_SPARSE, EVENTS_SPARSE), (CORE_FULL, EVENTS_FULL)]
)
def test_either_form_becomes_the_other(core: JsonObject, events: JsonObject) -> None:
    assert to_events_v1(core) == events
    assert to_core(events) == core
    assert to_core(core) == core
    assert to_events_v1(events) == events


def test_what_a_client_left_out_is_shown_as_upstream_shows_it() -> None:
    sparse: dict[str, Any] = {"kind": "Event", "apiVersion": "v1", "metadata": META}
    shown = to_core({**sparse, "involvedObject": POD})
    assert shown == CORE_SPARSE
    shown["source"]["component"] = "mine"
    assert to_core(sparse)["source"] == {}


def test_answers_show_each_group_its_own_form() -> None:
    event = stored(EVENTS_FULL)
    seen = event.decode(resource("events.k8s.io"))
    assert seen.pop("metadata") == {**META, "resourceVersion": "2"}
    assert seen == {key: value for key, value in EVENTS_FULL.items() if key != "metadata"}
    assert b'"regarding"' in single_document(resource("events.k8s.io"), event.body)
    assert b'"involvedObject"' in single_document(resource(""), event.body)
    assert b'"note":"m"' in b"".join(list_document(resource("events.k8s.io"), [event.body], 2))


@pytest.mark.parametrize(
    ("group", "selector"),
    [
        ("", "involvedObject.name=p,reportingComponent=rc,source=x"),
        ("events.k8s.io", "regarding.name=p,reportingController=rc"),
    ],
)
def test_field_selectors_of_both_groups_are_answered(group: str, selector: str) -> None:
    for text, is_selected in ((selector, True), (selector.replace("=p", "=q"), False)):
        selects = selection(resource(group), Options(field_selector=text))
        assert selects is not None
        assert selects(stored(EVENTS_FULL)) is is_selected


def test_source_of_an_event_is_who_reports_it_where_none_is_named() -> None:
    event = stored({**EVENTS_FULL, "deprecatedSource": {}})
    assert event.selectable[TABLE.column(EVENTS, "source")] == "rc"


def test_values_that_both_groups_select_by_are_kept_once() -> None:
    assert len(stored(EVENTS_FULL).selectable) == len(resource("").fields)
