"""The examples of docs/how-to/hook-into-binding.md, run by the scheduler."""

from __future__ import annotations

import msgspec
import pytest

from binding_plugins import profile_with
from dialogue import Dialogue, bound_answer, of, on_node
from docs_page import write_policies
from make import node, pod
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import Namespace
from pilotfish.core.effects import Bind, Effect, PatchCondition, PatchObject
from pilotfish.core.inputs import Applied, Deleted, WriteAnswered
from pilotfish.framework import Plugin
from pilotfish.runtime.policies import load_policy

PAGE = "docs/how-to/hook-into-binding.md"


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, type[Plugin]]:
    """The page's policies, by name."""
    files = write_policies(PAGE, tmp_path_factory.mktemp("policies"))
    return {name: load_policy(str(file)).type for name, file in files.items()}


def begin(policy: type[Plugin]) -> Dialogue:
    return Dialogue(node("n1", cpu="4"), profile=profile_with(policy()))


def messages(effects: list[Effect]) -> list[str]:
    return [patch.message for patch in of(PatchCondition, effects)]


def bound(effects: list[Effect]) -> list[str]:
    return [bind.name for bind in of(Bind, effects)]


def test_page_has_an_example_of_each_point(policies: dict[str, type[Plugin]]) -> None:
    assert set(policies) == {"Seats", "Together", "Prepared", "Inventory", "Notes"}


# -- Seats


def seated(dialogue: Dialogue, name: str) -> str:
    """Let a pod have its seat, be bound, and be seen with it; return the seat."""
    wanting = pod(name, labels={"example.com/seat": "wanted"})
    dialogue.apply(wanting)
    (write,) = of(PatchObject, dialogue.decide())
    assert (write.patch.kind, write.patch.name, write.patch.uid) == ("pods", name, f"uid-{name}")
    (bind,) = of(Bind, dialogue.tell(WriteAnswered(write.uid, write.number)))
    dialogue.tell(bound_answer(bind))
    seat: str = write.patch.body["metadata"]["labels"]["example.com/seat"]
    dialogue.apply(on_node(pod(name, labels={"example.com/seat": seat}), "n1"))
    return seat


def test_each_pod_has_a_seat_of_its_own_until_none_is_left(
    policies: dict[str, type[Plugin]],
) -> None:
    dialogue = begin(policies["Seats"])
    assert [seated(dialogue, "a"), seated(dialogue, "b")] == ["0", "1"]
    dialogue.apply(pod("c", labels={"example.com/seat": "wanted"}))
    assert messages(dialogue.decide()) == ["0/1 nodes are available: 1 no seat was free."]
    dialogue.tell(Deleted("pods", on_node(pod("a"), "n1")))
    dialogue.now = 30.0
    (write,) = of(PatchObject, dialogue.decide())
    assert write.patch.body == {"metadata": {"labels": {"example.com/seat": "0"}}}


def test_seat_is_free_again_when_the_write_fails(policies: dict[str, type[Plugin]]) -> None:
    dialogue = begin(policies["Seats"])
    dialogue.apply(pod("a", labels={"example.com/seat": "wanted"}))
    (write,) = of(PatchObject, dialogue.decide())
    dialogue.tell(WriteAnswered(write.uid, write.number, "forbidden"))
    assert seated(dialogue, "b") == "0"


def test_seats_of_pods_that_an_earlier_process_bound_are_taken(
    policies: dict[str, type[Plugin]],
) -> None:
    dialogue = begin(policies["Seats"])
    dialogue.apply(on_node(pod("old", labels={"example.com/seat": "0"}), "n1"))
    assert seated(dialogue, "new") == "1"


# -- Together


def member(name: str, *, cpu: str = "1", size: int = 3) -> Pod:
    labels = {"example.com/group": "g", "example.com/group-size": str(size)}
    return pod(name, cpu=cpu, labels=labels)


def test_group_is_bound_when_all_of_it_has_room(policies: dict[str, type[Plugin]]) -> None:
    dialogue = begin(policies["Together"])
    dialogue.apply(member("a"), member("b"), pod("other"))
    assert bound(dialogue.decide()) == ["other"]
    dialogue.apply(member("c"))
    assert bound(dialogue.decide()) == ["c", "a", "b"]


def test_group_that_stays_incomplete_gives_its_room_away_and_tries_again_with_a_new_pod(
    policies: dict[str, type[Plugin]],
) -> None:
    dialogue = begin(policies["Together"])
    for dialogue.now, name in ((0.0, "a"), (1.0, "b")):
        dialogue.apply(member(name, cpu="2"))
        assert bound(dialogue.decide()) == []
    dialogue.now = 20.0
    said = messages(dialogue.decide())
    late = "rejected due to timeout after waiting 20s at plugin Together"
    assert said == [
        f"0/1 nodes are available: 1 {late}.",
        "0/1 nodes are available: 1 a pod of its group failed.",
    ]
    assert dialogue.free_milli_cpu("n1") == 2000  # b came while a waited, so a tries once more
    dialogue.now = 35.0
    dialogue.apply(member("c", cpu="0"))
    assert sorted(bound(dialogue.decide())) == ["a", "b", "c"]


def test_group_of_which_an_earlier_process_bound_a_part_needs_only_the_rest(
    policies: dict[str, type[Plugin]],
) -> None:
    dialogue = begin(policies["Together"])
    dialogue.apply(on_node(member("a"), "n1"), on_node(member("b"), "n1"), member("c"))
    assert bound(dialogue.decide()) == ["c"]


# -- Prepared


def space(version: str, **labels: str) -> Namespace:
    named = {f"example.com/{name.replace('_', '-')}": value for name, value in labels.items()}
    content = {"name": "default", "uid": "ns", "resourceVersion": version, "labels": named}
    return msgspec.convert({"metadata": content}, Namespace)


def test_pod_is_bound_when_its_namespace_is_prepared(policies: dict[str, type[Plugin]]) -> None:
    dialogue = begin(policies["Prepared"])
    dialogue.tell(Applied("namespaces", space("1")))
    dialogue.apply(pod("a", labels={"example.com/prepare": "yes"}))
    (write,) = of(PatchObject, dialogue.decide())
    assert write.patch.body == {"metadata": {"labels": {"example.com/prepare-on": "n1"}}}
    assert bound(dialogue.tell(WriteAnswered("uid-a", write.number))) == []
    assert bound(dialogue.tell(Applied("namespaces", space("2", prepared_on="n2")))) == []
    assert bound(dialogue.tell(Applied("namespaces", space("3", prepared_on="n1")))) == ["a"]


def test_namespace_that_is_not_prepared_in_time_fails_the_attempt(
    policies: dict[str, type[Plugin]],
) -> None:
    dialogue = begin(policies["Prepared"])
    dialogue.tell(Applied("namespaces", space("1")))
    dialogue.apply(pod("a", labels={"example.com/prepare": "yes"}))
    (write,) = of(PatchObject, dialogue.decide())
    dialogue.tell(WriteAnswered("uid-a", write.number))
    dialogue.now = 60.0
    assert messages(dialogue.decide()) == ['running PreBind plugin "Prepared": not prepared']
