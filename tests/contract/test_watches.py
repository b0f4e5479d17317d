"""Watches: what is seen, from which version on, and how a stream ends."""

from __future__ import annotations

import time

import pytest

from contract.objects import binding, config_map, event, pod
from contract.server import JSON, Server, seen, take

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture
def maps(core: str) -> str:
    """Path of a collection."""
    return f"{core}/configmaps"


def labelled(name: str, **labels: str) -> dict[str, object]:
    """Make an object with labels."""
    return config_map(name, metadata={"labels": labels})


def test_changes_since_a_list_are_seen_in_order(api: Server, maps: str) -> None:
    version = api.get(maps).ok()["metadata"]["resourceVersion"]
    api.post(maps, config_map("a")).ok()
    api.patch(f"{maps}/a", {"data": {"k": "v"}}).ok()
    with api.watch(maps, resourceVersion=version, fieldSelector="metadata.name=a") as events:
        api.delete(f"{maps}/a").ok()
        found = take(events, 3)
    assert seen(found) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert [event["object"].get("data") for event in found] == [None, {"k": "v"}, {"k": "v"}]
    assert all(event["object"]["kind"] == "ConfigMap" for event in found)
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in found]
    assert versions == sorted(set(versions))
    assert versions[0] > int(version)


@pytest.mark.parametrize("version", ["", "0"])
def test_watch_without_a_version_begins_with_what_is_there(
    api: Server, maps: str, version: str
) -> None:
    for name in ("a", "b"):
        api.post(maps, labelled(name, x="y")).ok()
    query = {"resourceVersion": version} if version else {}
    with api.watch(maps, labelSelector="x=y", **query) as events:
        assert sorted(seen(take(events, 2))) == [("ADDED", "a"), ("ADDED", "b")]
        api.post(maps, labelled("c", x="y")).ok()
        assert seen(take(events, 1)) == [("ADDED", "c")]


def test_object_that_enters_or_leaves_the_selection_is_added_or_deleted(
    api: Server, maps: str
) -> None:
    version = api.get(maps).ok()["metadata"]["resourceVersion"]
    with api.watch(maps, labelSelector="x=y", resourceVersion=version) as events:
        api.post(maps, labelled("a")).ok()
        for value in ("y", "z", "y", None):
            api.patch(f"{maps}/a", {"metadata": {"labels": {"x": value}}}).ok()
        api.delete(f"{maps}/a").ok()
        api.post(maps, labelled("b", x="y")).ok()
        found = take(events, 5)
    assert seen(found) == [
        ("ADDED", "a"),
        ("DELETED", "a"),
        ("ADDED", "a"),
        ("DELETED", "a"),
        ("ADDED", "b"),
    ]
    left = found[1]["object"]["metadata"]
    assert left["labels"] == {"x": "y"}, "the object as it was last selected"
    entered = found[0]["object"]["metadata"]
    assert int(left["resourceVersion"]) > int(entered["resourceVersion"])


def test_bound_pod_leaves_the_watch_of_free_pods(api: Server, core: str, absent_node: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    version = api.get(f"{core}/pods").ok()["metadata"]["resourceVersion"]
    free = {"fieldSelector": "spec.nodeName=", "resourceVersion": version}
    bound = {"fieldSelector": f"spec.nodeName={absent_node}", "resourceVersion": version}
    pods = f"{core}/pods"
    with api.watch(pods, **free) as free_pods, api.watch(pods, **bound) as bound_pods:
        api.post(f"{pods}/a/binding", binding("a", absent_node)).ok()
        assert seen(take(free_pods, 1)) == [("DELETED", "a")]
        assert seen(take(bound_pods, 1)) == [("ADDED", "a")]


def test_initial_events_end_with_a_bookmark(api: Server, maps: str) -> None:
    for name in ("a", "b"):
        api.post(maps, labelled(name, x="y")).ok()
    query = {
        "sendInitialEvents": "true",
        "allowWatchBookmarks": "true",
        "resourceVersionMatch": "NotOlderThan",
        "labelSelector": "x=y",
    }
    with api.watch(maps, **query) as events:
        found = take(events, 3)
        assert sorted(seen(found[:2])) == [("ADDED", "a"), ("ADDED", "b")]
        mark = found[2]
        assert mark["type"] == "BOOKMARK"
        assert mark["object"]["kind"] == "ConfigMap"
        assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        api.delete(f"{maps}/a").ok()
        later = take(events, 1)
    assert seen(later) == [("DELETED", "a")]
    version = int(later[0]["object"]["metadata"]["resourceVersion"])
    assert version > int(mark["object"]["metadata"]["resourceVersion"])


def test_watch_ends_after_its_timeout(api: Server, maps: str) -> None:
    began = time.monotonic()
    with api.watch(maps, timeoutSeconds=1, fieldSelector="metadata.name=none") as events:
        assert list(events) == []
    assert time.monotonic() - began > 0.9


def test_watch_of_one_object_by_its_own_path(api: Server, core: str) -> None:
    for name in ("a", "b"):
        api.post(f"{core}/configmaps", config_map(name)).ok()
    path = core.replace("/api/v1/", "/api/v1/watch/") + "/configmaps/b"
    with api.watch(path) as events:
        found = next(events)
    assert found.get("type") == "ADDED"
    assert found["object"]["metadata"]["name"] == "b"


def test_watch_may_be_asked_for_tables(api: Server, maps: str) -> None:
    api.post(maps, labelled("a", x="y")).ok()
    with api.watch(maps, labelSelector="x=y", accept=f"{TABLE},{JSON}") as events:
        assert next(events)["object"]["kind"] == "Table"


def test_events_of_both_groups_are_one_object(api: Server, space: str) -> None:
    new = f"/apis/events.k8s.io/v1/namespaces/{space}/events"
    old = f"/api/v1/namespaces/{space}/events"
    version = api.get(old).ok()["metadata"]["resourceVersion"]
    regarding = {"kind": "Pod", "namespace": space, "name": "a"}
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "a.1", "namespace": space},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "contract",
        "reportingInstance": "contract-1",
        "action": "Binding",
        "reason": "Scheduled",
        "type": "Normal",
        "note": "well",
        "regarding": regarding,
    }
    query = {"resourceVersion": version, "fieldSelector": "involvedObject.name=a"}
    with api.watch(old, **query) as events:
        made = api.post(new, event)
        assert made.code == 201
        shown = next(events)["object"]
    assert (shown["apiVersion"], shown["message"], shown["involvedObject"]) == (
        "v1",
        "well",
        regarding,
    )
    assert shown["reportingComponent"] == "contract"
    assert shown["metadata"]["uid"] == made.body["metadata"]["uid"]
    assert api.get(f"{new}/a.1").ok()["note"] == "well"


def test_event_is_watched_as_its_group_has_it(api: Server, space: str) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{space}/events"
    made = event("told", space)
    api.post(path, made).ok()
    with api.watch(path, fieldSelector="reason=Told") as events:
        [seen_event] = take(events, 1)
    assert seen_event["object"]["regarding"] == made["regarding"]
    assert seen_event["object"]["reportingController"] == "example.com/contract"
