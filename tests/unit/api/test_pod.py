import pytest

from make import node, pod, taint, toleration
from pilotfish.api.pod import Toleration


@pytest.mark.parametrize(
    ("tolerates", "tainted", "expected"),
    [
        ("gpu=yes:NoSchedule", "gpu=yes:NoSchedule", True),
        ("gpu=yes:NoSchedule", "gpu=no:NoSchedule", False),
        ("gpu=yes:NoSchedule", "gpu=yes:NoExecute", False),
        ("gpu=yes:NoSchedule", "cpu=yes:NoSchedule", False),
        ("gpu=yes", "gpu=yes:NoExecute", True),
        ("gpu=:NoSchedule", "gpu:NoSchedule", True),
        ("gpu=:NoSchedule", "gpu=yes:NoSchedule", False),
        ("gpu:NoSchedule", "gpu=yes:NoSchedule", True),
        ("gpu:PreferNoSchedule", "gpu=yes:NoSchedule", False),
        (":NoExecute", "gpu=yes:NoExecute", True),
        (":NoExecute", "gpu=yes:NoSchedule", False),
        (":", "gpu=yes:PreferNoSchedule", True),
    ],
)
def test_toleration_table(tolerates: str, tainted: str, *, expected: bool) -> None:
    assert toleration(tolerates).tolerates(taint(tainted)) is expected
    assert pod("a", tolerations=["other:NoSchedule", tolerates]).tolerates(taint(tainted)) is (
        expected
    )


def test_toleration_without_operator_compares_the_value() -> None:
    assert Toleration(key="gpu", value="yes").tolerates(taint("gpu=yes:NoSchedule"))
    assert not Toleration(key="gpu", value="no").tolerates(taint("gpu=yes:NoSchedule"))


def test_comparing_tolerations_tolerate_nothing() -> None:
    assert not Toleration("level", "Gt", "1").tolerates(taint("level=5:NoSchedule"))
    assert not Toleration("level", "Lt", "9").tolerates(taint("level=5:NoSchedule"))


def test_pod_without_tolerations_tolerates_nothing() -> None:
    assert not pod("a").tolerates(taint("gpu:NoSchedule"))


@pytest.mark.parametrize(
    ("phase", "terminal"),
    [("", False), ("Pending", False), ("Running", False), ("Succeeded", True), ("Failed", True)],
)
def test_ended_pods_are_terminal(phase: str, *, terminal: bool) -> None:
    assert pod("a", status={"phase": phase}).is_terminal is terminal


def test_pod_with_a_deletion_timestamp_is_terminating() -> None:
    assert pod("a", metadata={"deletionTimestamp": "2026-11-22T08:00:00Z"}).is_terminating
    assert not pod("a").is_terminating


def test_objects_of_one_uid_are_one_dictionary_key_and_yet_differ() -> None:
    before, after = pod("a"), pod("a", node_name="n1")
    assert hash(before) == hash(after)
    assert before != after


def test_key_has_a_namespace_only_where_the_kind_has_one() -> None:
    assert pod("a", namespace="team").key == "team/a"
    assert node("n1").key == "n1"
