"""Pods whose volumes are bound before they are, as dialogues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

import make
import make_volumes as mv
from dialogue import Dialogue, of
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.cache.volume_index import KINDS
from pilotfish.core.decision import Decision
from pilotfish.core.effects import Bind, Effect, PatchCondition, PatchObject
from pilotfish.core.inputs import Absent, Applied, Deleted, WriteAnswered

PLURAL_OF: Final = {kind: plural for plural, kind in KINDS.items()}
STATIC: Final = mv.storage_class("slow", provisioner="kubernetes.io/no-provisioner")
MADE: Final = mv.storage_class("slow")
VOLUME, CLAIM = mv.volume("v", version="5"), mv.claim("c", version="6")
BOUND_VOLUME: Final = mv.volume("v", claim="c", version="7")
BOUND_CLAIM: Final = mv.claim("c", bound_to="v", version="8")


def user(name: str, *claims: str) -> Pod:
    return make.pod(name, volumes=mv.using(*claims))


def talk(*objects: KubernetesObject) -> Dialogue:
    dialogue = Dialogue(make.node("n1"), make.node("n2"))
    tell(dialogue, *objects)
    return dialogue


def tell(dialogue: Dialogue, *objects: KubernetesObject) -> list[Effect]:
    return dialogue.tell(*(Applied(PLURAL_OF[type(thing)], thing) for thing in objects))


def begin(dialogue: Dialogue, *pods: Pod) -> list[Effect]:
    dialogue.apply(*pods)
    return dialogue.decide()


def written(effects: Iterable[Effect], error: str = "") -> WriteAnswered:
    """Answer the only write among these effects."""
    (patch,) = of(PatchObject, effects)
    return WriteAnswered(patch.uid, patch.number, error)


def messages(effects: Iterable[Effect]) -> dict[str, str]:
    return {one.name: one.message for one in of(PatchCondition, effects)}


def test_pod_is_bound_when_its_volume_is() -> None:
    dialogue = talk(STATIC, VOLUME, CLAIM)
    effects = begin(dialogue, user("a", "c"))
    assert not of(Bind, effects)
    answered = dialogue.tell(written(effects))
    assert not of(Bind, [*answered, *tell(dialogue, BOUND_VOLUME)])
    (bind,) = of(Bind, tell(dialogue, BOUND_CLAIM))
    assert bind.name == "a"


def test_volume_that_is_bound_before_the_answer_to_our_write_will_do() -> None:
    dialogue = talk(STATIC, VOLUME, CLAIM)
    effects = begin(dialogue, user("a", "c"))
    tell(dialogue, BOUND_VOLUME, BOUND_CLAIM)
    (bind,) = of(Bind, dialogue.tell(written(effects)))
    assert bind.name == "a"


def test_others_are_decided_meanwhile_and_see_what_is_taken() -> None:
    dialogue = talk(STATIC, VOLUME, CLAIM, mv.claim("d"))
    effects = begin(dialogue, user("a", "c"), user("b", "d"), make.pod("plain"))
    assert [one.name for one in of(Bind, effects)] == ["plain"]
    assert "2 node(s) didn't find available persistent volumes to bind" in messages(effects)["b"]


def test_pod_that_shares_a_claim_follows_to_the_node_and_writes_nothing() -> None:
    dialogue = talk(MADE, CLAIM)
    effects = begin(dialogue, user("a", "c"), user("b", "c"))
    nodes = {one.name: one.node_name for one in of(Decision, effects)}
    assert nodes["a"] == nodes["b"]
    dialogue.tell(written(effects))
    chosen = mv.claim("c", node=nodes["a"], version="7")
    bound = mv.claim("c", node=nodes["a"], bound_to="v", version="8")
    assert not of(Bind, tell(dialogue, chosen))
    binds = of(Bind, tell(dialogue, mv.volume("v", claim="c"), bound))
    assert sorted(one.name for one in binds) == ["a", "b"]


def test_time_that_is_over_is_told_and_what_was_assumed_is_free_again() -> None:
    dialogue = talk(STATIC, VOLUME, CLAIM, mv.claim("d"))
    effects = begin(dialogue, user("a", "c"))
    dialogue.tell(written(effects))
    dialogue.now = 599.0
    assert not messages(dialogue.decide())
    dialogue.now = 600.0
    told = messages(dialogue.decide())
    late = 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'
    assert told == {"a": late}
    (patch,) = of(PatchObject, begin(dialogue, user("b", "d")))
    assert patch.patch.body["spec"]["claimRef"]["name"] == "d"


def test_write_that_is_refused_ends_the_attempt_and_the_next_one_begins_anew() -> None:
    dialogue = talk(STATIC, VOLUME, CLAIM)
    effects = begin(dialogue, user("a", "c"))
    failed = dialogue.tell(written(effects, "409 the object has been modified"))
    assert messages(failed)["a"].endswith("409 the object has been modified")
    tell(dialogue, mv.volume("v", version="6"))
    dialogue.now = 5.0
    (patch,) = of(PatchObject, dialogue.decide())
    assert patch.patch.resource_version == "6"


def test_provisioner_that_gives_up_sends_the_pod_back() -> None:
    dialogue = talk(MADE, CLAIM)
    dialogue.tell(written(begin(dialogue, user("a", "c"))))
    told = messages(tell(dialogue, mv.claim("c", version="9")))
    problem = 'binding volumes: provisioning failed for PVC "c"'
    assert told == {"a": f'running PreBind plugin "VolumeBinding": {problem}'}


def test_claim_that_goes_meanwhile_sends_the_pod_back() -> None:
    dialogue = talk(MADE, CLAIM)
    dialogue.tell(written(begin(dialogue, user("a", "c"))))
    told = messages(dialogue.tell(Deleted("persistentvolumeclaims", CLAIM)))
    gone = 'failed to check provisioning pvc: persistentvolumeclaims "default/c" not found'
    assert told["a"].endswith(f"binding volumes: {gone}")


def test_volume_of_a_pod_that_goes_is_for_others() -> None:
    dialogue = talk(STATIC, VOLUME, CLAIM, mv.claim("d"))
    gone = user("a", "c")
    begin(dialogue, gone)
    dialogue.tell(Deleted("pods", gone))
    assert of(PatchObject, begin(dialogue, user("b", "d")))


def test_news_of_a_claim_wakes_a_pod_that_misses_it() -> None:
    dialogue = talk(STATIC, VOLUME)
    effects = begin(dialogue, user("a", "c"))
    missing = '0/2 nodes are available: persistentvolumeclaim "c" not found. not found'
    assert messages(effects) == {"a": missing}
    dialogue.now = 30.0
    assert not of(Decision, dialogue.decide())
    tell(dialogue, CLAIM)
    assert of(PatchObject, dialogue.decide())


def test_where_claims_are_hidden_pods_with_them_wait_and_others_do_not() -> None:
    dialogue = talk()
    dialogue.tell(*(Absent(kind) for kind in KINDS))
    effects = begin(dialogue, user("a", "c"), make.pod("plain"))
    assert [one.name for one in of(Bind, effects)] == ["plain"]
    assert "not found" in messages(effects)["a"]


def test_preemption_frees_a_claim_for_one_pod() -> None:
    """The claim is in use everywhere, but its user can be evicted."""
    once: Any = {"modes": ["ReadWriteOncePod"]}
    volume = mv.volume("v", claim="c", **once)
    dialogue = talk(STATIC, volume, mv.claim("c", bound_to="v", **once))
    dialogue.apply(make.pod("low", node_name="n1", volumes=mv.using("c")))
    effects = begin(dialogue, make.pod("high", priority=10, volumes=mv.using("c")))
    (decision,) = of(Decision, effects)
    assert (decision.nominated_node_name, decision.victims) == ("n1", ("default/low",))


def test_deleted_volume_and_its_namesake_are_told_apart() -> None:
    dialogue = talk(STATIC, VOLUME)
    namesake = replace(VOLUME, metadata=replace(VOLUME.metadata, uid="another"))
    tell(dialogue, namesake)
    dialogue.tell(Deleted("persistentvolumes", VOLUME))
    assert dialogue.scheduler.cache.volumes.volume("v") == namesake
