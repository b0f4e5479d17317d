"""The input log: what is written is read back as equal, and repeats the run."""

import random

import msgspec
import pytest

from dialogue import KINDS, NAME, Dialogue
from make import node, pod
from pilotfish.api.codec import MalformedObjectError
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import (
    LabelSelectorSpec,
    MapSelectorSpec,
    Namespace,
    Service,
    StatefulSet,
)
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.inputs import (
    Absent,
    Applied,
    BindAnswered,
    Deleted,
    Input,
    PluginAnswered,
    PodRead,
    PollCycle,
    Replaced,
    StatusAnswered,
    Unreadable,
    WriteAnswered,
)
from pilotfish.core.log import (
    Call,
    DecideCall,
    HandleCall,
    decode_call,
    encode_call,
    encode_effects,
    replay,
)
from pilotfish.core.scheduler import Scheduler
from pilotfish.framework import Rejection
from pilotfish.plugins.default import default_profile
from pilotfish.testing.makers import node_metrics

RICH = pod(
    "a",
    cpu="100m",
    memory="1.5Gi",
    tolerations=["x:NoSchedule"],
    labels={"app": "web"},
    priority=5,
    scheduling_gates=[{"name": "wait"}],
)

INPUTS: list[Input] = [
    Replaced("nodes", (node("n1", taints=["x:NoSchedule"], images={"app:v1": 5}),), ("uid-n2",)),
    Replaced("pods", ()),
    Replaced("namespaces", (Namespace(metadata=RICH.metadata),)),
    Replaced("services", (Service(metadata=RICH.metadata, spec=MapSelectorSpec({"a": "b"})),)),
    Applied(
        "statefulsets",
        StatefulSet(metadata=RICH.metadata, spec=LabelSelectorSpec(LabelSelector({"a": "b"}))),
    ),
    Applied("pods", RICH),
    Deleted("nodes", node("n1")),
    Unreadable("pods", "default", "a", "uid-a"),
    Absent("namespaces"),
    PollCycle(),
    BindAnswered("uid-a", "n1", "unknown", 504, "time-out"),
    PodRead("uid-a", RICH),
    PodRead("uid-a", error="connection refused"),
    StatusAnswered("uid-a", is_written=False, message="forbidden"),
    WriteAnswered("uid-a", 7, "the object has been modified"),
    PluginAnswered("uid-a", "default", "a", 8, "P", "pre_bind", Rejection("no", resolvable=False)),
    PluginAnswered("uid-a", "default", "a", 9, "P", "post_bind", error="OSError: no disk"),
]


@pytest.mark.parametrize("news", INPUTS, ids=lambda news: type(news).__name__)
def test_input_is_read_back_as_it_was(news: Input) -> None:
    call = HandleCall(1.25, news)
    line = encode_call(call)
    assert b"\n" not in line
    assert decode_call(line) == call


def test_usage_of_nodes_is_repeated_from_the_log() -> None:
    dialogue = Dialogue(node("n1"))
    metrics = (node_metrics("n1", {"cpu": "1500m"}),)
    line = encode_call(HandleCall(0.0, Replaced("nodes.metrics.k8s.io", metrics)))
    replay(decode_call(line), dialogue.scheduler)
    nodes = dialogue.scheduler.cache.nodes
    assert nodes.node(0).usage == {"cpu": 1500}
    dialogue.tell(Replaced("nodes.metrics.k8s.io", ()))
    assert nodes.node(0).usage is None


def test_decide_is_read_back_as_it_was() -> None:
    call = DecideCall(0.1 + 0.2, 64)
    assert decode_call(encode_call(call)) == call


def test_line_that_is_no_call_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_call(b'{"call": "guess", "now": 1.0}')


def test_object_at_fault_in_a_log_is_named() -> None:
    line = encode_call(HandleCall(0.0, Applied("pods", RICH))).replace(b'"100m"', b'"100 m"')
    with pytest.raises(MalformedObjectError, match="pod default/a"):
        decode_call(line)


def run(seed: int, calls: list[Call]) -> list[bytes]:
    rng = random.Random(seed)  # ties are no secret
    scheduler = Scheduler({NAME: default_profile(NAME)}, SchedulerSettings(), rng, KINDS)
    return [encode_effects(replay(call, scheduler)) for call in calls]


def test_recorded_calls_give_the_same_effects_byte_for_byte_ties_included() -> None:
    nodes = tuple(node(f"n{i}") for i in range(20))
    calls: list[Call] = [
        HandleCall(0.0, Replaced("nodes", nodes)),
        HandleCall(0.0, Replaced("pods", tuple(pod(f"p{i}", cpu="1") for i in range(90)))),
        DecideCall(0.5, 100),
        HandleCall(0.6, Deleted("nodes", nodes[3])),
        DecideCall(400.0, 100),
    ]
    first = run(7, calls)
    again = run(7, [decode_call(encode_call(call)) for call in calls])
    assert again == first
    assert run(8, calls) != first
