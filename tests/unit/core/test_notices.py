"""When a pod's condition is patched, and when that would tell nobody anything."""

from dialogue import of
from make import pod
from pilotfish.api.pod import Pod
from pilotfish.core.effects import Effect, PatchCondition, RecordEvent
from pilotfish.core.inputs import StatusAnswered
from pilotfish.core.notices import Notices

MESSAGE = "0/1 nodes are available: 1 Too many pods."


def make_notices() -> tuple[Notices, list[Effect]]:
    outbox: list[Effect] = []
    return Notices(outbox), outbox


def patches(outbox: list[Effect]) -> list[str]:
    return [patch.message for patch in of(PatchCondition, outbox)]


def showing(message: str, reason: str = "Unschedulable", status: str = "False") -> Pod:
    condition = {"type": "PodScheduled", "status": status, "reason": reason, "message": message}
    return pod("a", status={"conditions": [condition]})


def test_first_failure_is_patched_with_the_whole_message_and_the_generation() -> None:
    notices, outbox = make_notices()
    notices.failed(pod("a", metadata={"generation": 3}), "Unschedulable", "x" * 2000)
    assert outbox == [
        RecordEvent(
            "uid-a",
            "default",
            "a",
            "Warning",
            "FailedScheduling",
            "Scheduling",
            "x" * 1020 + " ...",
            "my-scheduler",
        ),
        PatchCondition("uid-a", "default", "a", "Unschedulable", "x" * 2000, 3),
    ]


def test_same_failure_again_is_an_event_but_no_patch() -> None:
    notices, outbox = make_notices()
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    assert patches(outbox) == [MESSAGE]
    assert len(of(RecordEvent, outbox)) == 2


def test_failure_with_another_message_or_reason_is_patched() -> None:
    notices, outbox = make_notices()
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    notices.failed(pod("a"), "Unschedulable", "another")
    notices.failed(pod("a"), "SchedulerError", "another")
    assert patches(outbox) == [MESSAGE, "another", "another"]


def test_only_the_first_patch_is_a_transition() -> None:
    notices, outbox = make_notices()
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    notices.failed(pod("a"), "Unschedulable", "another")
    assert [patch.is_transition for patch in of(PatchCondition, outbox)] == [True, False]


def test_condition_that_the_server_shows_already_is_not_patched() -> None:
    notices, outbox = make_notices()
    notices.failed(showing(MESSAGE), "Unschedulable", MESSAGE)
    assert patches(outbox) == []


def test_condition_of_another_status_is_patched() -> None:
    notices, outbox = make_notices()
    notices.failed(showing(MESSAGE, status="True"), "Unschedulable", MESSAGE)
    assert patches(outbox) == [MESSAGE]


def test_patch_that_failed_is_sent_again_at_the_next_failure() -> None:
    notices, outbox = make_notices()
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    notices.answered(StatusAnswered("uid-a", is_written=False))
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    assert patches(outbox) == [MESSAGE, MESSAGE]


def test_condition_that_somebody_took_away_is_patched_again() -> None:
    notices, outbox = make_notices()
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    notices.answered(StatusAnswered("uid-a", is_written=True))
    notices.seen(showing(MESSAGE))
    notices.seen(pod("a"))
    notices.failed(pod("a"), "Unschedulable", MESSAGE)
    assert patches(outbox) == [MESSAGE, MESSAGE]
