import msgspec

from pilotfish.core.effects import RecordEvent
from pilotfish.runtime.event_series import Series
from pilotfish.runtime.events import create_request, event_name, patch_request

EVENT = RecordEvent(
    "uid-a",
    "team",
    "a",
    "Normal",
    "Scheduled",
    "Binding",
    "Successfully assigned team/a to n",
    "my-scheduler",
)
AT = 1_790_000_000.25


def test_event_is_created_as_upstream_words_it() -> None:
    request = create_request(Series(EVENT, AT, AT), "host")
    assert (request.method, request.path) == (
        "POST",
        "/apis/events.k8s.io/v1/namespaces/team/events",
    )
    assert msgspec.json.decode(request.body or b"") == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(Series(EVENT, AT, AT)), "namespace": "team"},
        "eventTime": "2026-09-21T14:13:20.250000Z",
        "reportingController": "my-scheduler",
        "reportingInstance": "my-scheduler-host",
        "action": "Binding",
        "reason": "Scheduled",
        "type": "Normal",
        "note": "Successfully assigned team/a to n",
        "regarding": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": "team",
            "name": "a",
            "uid": "uid-a",
        },
    }


def test_event_that_repeated_before_it_was_written_is_created_with_its_series() -> None:
    request = create_request(Series(EVENT, AT, AT + 1, count=3), "host")
    assert msgspec.json.decode(request.body or b"")["series"] == {
        "count": 3,
        "lastObservedTime": "2026-09-21T14:13:21.250000Z",
    }


def test_repeat_patches_the_series_alone() -> None:
    series = Series(EVENT, AT, AT + 1, count=2)
    request = patch_request(series)
    assert request.method == "PATCH"
    assert request.path.endswith(f"/namespaces/team/events/{event_name(series)}")
    assert msgspec.json.decode(request.body or b"") == {
        "series": {"count": 2, "lastObservedTime": "2026-09-21T14:13:21.250000Z"}
    }


def test_name_begins_with_the_pods_name() -> None:
    assert event_name(Series(EVENT, AT, AT)) == f"a.{int(AT * 1e9):x}"


def test_name_of_a_pod_with_the_longest_name_fits() -> None:
    pod_name = "a" * 240 + "." + "b" * 12
    long = msgspec.structs.replace(EVENT, name=pod_name)
    name = event_name(Series(long, AT, AT))
    assert len(name) <= 253
    assert name.startswith("a" * 230)
    assert ".." not in name
