import logging
from collections.abc import Iterator
from typing import Literal

import msgspec
import pytest

from pilotfish.core.decision import Decision, NodeScore
from pilotfish.core.effects import BindFailed, Bound, PluginFailed, PodSeen
from pilotfish.runtime.words import Mode, Words, detected, starting

LOG = logging.getLogger("words-under-test")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged, with the level where it is no information."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            level = "" if record.levelno == logging.INFO else f"{record.levelname}: "
            lines.append(level + record.getMessage())

    handler = Collect()
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    yield lines
    LOG.removeHandler(handler)


def words(mode: Mode = "watch") -> Words:
    return Words(LOG, mode)


def decision(
    message: str, outcome: Literal["scheduled", "unschedulable", "error"] = "unschedulable"
) -> Decision:
    return Decision(
        uid="uid-a",
        namespace="default",
        name="a",
        scheduler_name="my-scheduler",
        attempt=1,
        outcome=outcome,
        nodes=2,
        feasible=0,
        message=message,
    )


def test_first_line_has_the_labs_words() -> None:
    assert starting("polling", "my-scheduler") == "[polling] scheduler starting… name=my-scheduler"
    assert starting("watch", "x") == "[watch] scheduler starting… name=x"


def test_bind_is_told_as_the_lab_tells_it(lines: list[str]) -> None:
    words().observe(Bound("uid-a", "default", "a", "node-1"))
    assert lines == ["Bound default/a -> node-1"]


def test_watch_tells_what_it_sees_of_pods(lines: list[str]) -> None:
    observer = words()
    observer.observe(PodSeen("default", "a", "added"))
    observer.observe(PodSeen("default", "a", "updated"))
    assert lines == ["Pod added default/a", "Pod updated default/a"]


def test_polling_has_its_own_word_for_pods(lines: list[str]) -> None:
    words("polling").observe(PodSeen("default", "a", "added"))
    assert lines == []
    assert detected("default", "a") == "Detected Pending Pod default/a"


def test_reason_for_pending_is_told_only_when_it_changes(lines: list[str]) -> None:
    observer = words()
    for message in ("0/2 nodes", "0/2 nodes", "0/3 nodes", "0/2 nodes"):
        observer.observe(decision(message))
    assert lines == [
        "default/a is unschedulable: 0/2 nodes",
        "default/a is unschedulable: 0/3 nodes",
        "default/a is unschedulable: 0/2 nodes",
    ]


def test_failure_of_a_plugin_is_an_error(lines: list[str]) -> None:
    words().observe(decision("plugin 'X' failed", outcome="error"))
    assert lines == ["ERROR: default/a: plugin 'X' failed"]


def test_decision_to_bind_is_not_told_before_the_bind(lines: list[str]) -> None:
    words().observe(decision("", outcome="scheduled"))
    assert lines == []


def test_failed_bind_says_what_happens_next(lines: list[str]) -> None:
    failed = BindFailed("uid-a", "default", "a", "n", 409, "already assigned", "the truth is read")
    words().observe(failed)
    lost = BindFailed("uid-a", "default", "a", "n", 0, "connection refused", "it is tried again")
    words().observe(lost)
    assert lines == [
        "WARNING: bind default/a -> n failed: 409 already assigned; the truth is read",
        "WARNING: bind default/a -> n failed: connection refused; it is tried again",
    ]


def test_every_decision_is_told_at_debug_level(lines: list[str]) -> None:
    """With the whole record as a field of the JSON format."""
    LOG.setLevel(logging.DEBUG)
    words().observe(decision("", "scheduled"))
    assert lines == ["DEBUG: default/a: 0 of 2 nodes are feasible"]


def test_scores_of_the_chosen_node_are_told_by_plugin_at_debug_level(lines: list[str]) -> None:
    LOG.setLevel(logging.DEBUG)
    best = NodeScore("n1", 105, {"FewestPods": 100, "ImageLocality": 5})
    words().observe(msgspec.structs.replace(decision("", "scheduled"), best=(best,)))
    (line,) = lines
    assert line.endswith("are feasible; n1 scores 105: FewestPods 100, ImageLocality 5")


def test_who_has_to_go_for_whom_is_said(lines: list[str]) -> None:
    preempts = msgspec.structs.replace(
        decision("0/2"), nominated_node_name="n1", victims=("default/b", "default/c")
    )
    words().observe(preempts)
    assert lines[-1] == "default/a preempts default/b, default/c on n1"


def test_failure_of_a_plugin_on_which_nothing_depends_is_told(lines: list[str]) -> None:
    words().observe(PluginFailed("uid-a", "default", "a", "Notes", "post_bind", "OSError: full"))
    assert lines == ["ERROR: default/a: plugin 'Notes' failed in post_bind: OSError: full"]
