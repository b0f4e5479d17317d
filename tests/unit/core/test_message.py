"""The words about failed attempts, as upstream's FitError gives them."""

import numpy as np
import pytest

from pilotfish.core.message import shortened_note, unschedulable_message
from pilotfish.framework.profile_results import RejectedBy


def rejected(reason: str, *rows: int, nodes: int = 12) -> RejectedBy:
    mask = np.zeros(nodes, dtype=np.bool_)
    mask[list(rows)] = True
    return RejectedBy("P", reason, resolvable=True, mask=mask)


def test_reasons_are_counted_and_sorted_as_text() -> None:
    rejections = [rejected("b", 0, 1), rejected("a", *range(2, 12))]
    assert unschedulable_message(12, rejections) == "0/12 nodes are available: 10 a, 2 b."


def test_one_reason_of_several_plugins_is_one_count() -> None:
    rejections = [rejected("a", 0), rejected("a", 1, 2)]
    assert unschedulable_message(12, rejections) == "0/12 nodes are available: 3 a."


def test_node_with_two_reasons_counts_in_both() -> None:
    rejections = [
        rejected("Insufficient cpu", 0, nodes=1),
        rejected("Insufficient memory", 0, nodes=1),
    ]
    assert unschedulable_message(1, rejections) == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."
    )


def test_pod_rejected_as_a_whole_has_that_reason_alone_without_a_count() -> None:
    whole = RejectedBy("P", "pod has unbound claims", resolvable=False, mask=None)
    assert unschedulable_message(3, [whole]) == "0/3 nodes are available: pod has unbound claims."


def test_without_nodes_there_is_nothing_to_count() -> None:
    assert unschedulable_message(0, []) == "no nodes available to schedule pods"


@pytest.mark.parametrize(
    ("message", "note"),
    [
        ("x" * 1024, "x" * 1024),
        ("x" * 1025, "x" * 1020 + " ..."),
        ("ü" * 513, "ü" * 510 + " ..."),
        ("x" + "ü" * 512, "x" + "ü" * 509 + " ..."),
    ],
)
def test_note_of_an_event_is_cut_at_1024_bytes_between_letters(message: str, note: str) -> None:
    assert shortened_note(message) == note
