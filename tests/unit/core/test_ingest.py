"""News of objects: which pods are ours to place, what counts, and what a complete list means."""

import pytest

from dialogue import Dialogue, of, on_node
from make import node, pod
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import (
    LabelSelectorSpec,
    MapSelectorSpec,
    Namespace,
    ReplicaSet,
    Service,
)
from pilotfish.core.decision import Decision
from pilotfish.core.effects import Bind, PodSeen
from pilotfish.core.inputs import Applied, Deleted, PollCycle, Replaced, Unreadable

GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def bound_names(dialogue: Dialogue) -> list[str]:
    return sorted(bind.name for bind in of(Bind, dialogue.decide()))


# -- which pods


@pytest.mark.parametrize(
    "other",
    [
        pod("a", scheduler_name="default-scheduler"),
        pod("a", node_name="n1"),
        pod("a", metadata=GOING),
        pod("a", status={"phase": "Failed"}),
        pod("a", status={"phase": "Succeeded"}),
    ],
    ids=["another scheduler's", "bound", "being deleted", "failed", "succeeded"],
)
def test_pod_that_is_not_ours_to_place_is_left_alone(other: KubernetesObject) -> None:
    dialogue = Dialogue(node("n1"))
    assert dialogue.tell(Applied("pods", other)) == []
    assert dialogue.decide() == []


def test_bound_pods_of_other_schedulers_take_room() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", cpu="3", node_name="n1", scheduler_name="default-scheduler"))
    dialogue.apply(pod("b", cpu="2"))
    assert bound_names(dialogue) == []


def test_ended_pod_gives_its_room_to_a_waiting_one() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", cpu="3", node_name="n1"), pod("b", cpu="2"))
    assert bound_names(dialogue) == []
    dialogue.apply(pod("a", cpu="3", node_name="n1", status={"phase": "Succeeded"}))
    assert bound_names(dialogue) == ["b"]


def test_queued_pod_that_another_scheduler_binds_is_dropped_and_counts() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", cpu="1"))
    dialogue.apply(pod("a", cpu="1", node_name="n1"))
    assert dialogue.decide() == []
    assert dialogue.free_milli_cpu("n1") == 3000


@pytest.mark.parametrize("change", [{"metadata": GOING}, {"status": {"phase": "Failed"}}])
def test_queued_pod_on_its_way_out_is_dropped(change: dict[str, dict[str, str]]) -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a"))
    dialogue.apply(pod("a", metadata=change.get("metadata"), status=change.get("status")))
    assert dialogue.decide() == []


def test_deleted_pod_is_not_decided() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a"))
    dialogue.tell(Deleted("pods", pod("a")))
    assert dialogue.decide() == []


def test_gated_pod_waits_and_is_told_of() -> None:
    dialogue = Dialogue(node("n1"))
    gates = [{"name": "wait"}]
    told = dialogue.apply(pod("a", scheduling_gates=gates))
    assert of(PodSeen, told) == [PodSeen("default", "a", "added")]
    assert bound_names(dialogue) == []
    assert of(PodSeen, dialogue.apply(pod("a"))) == [PodSeen("default", "a", "updated")]
    assert bound_names(dialogue) == ["a"]


# -- what is told


def test_news_of_pending_pods_of_ours_is_told_once_a_version() -> None:
    dialogue = Dialogue(node("n1"))
    one, two = (pod("a", metadata={"resourceVersion": version}) for version in "12")
    assert of(PodSeen, dialogue.apply(one)) == [PodSeen("default", "a", "added")]
    assert of(PodSeen, dialogue.apply(one)) == []
    assert of(PodSeen, dialogue.apply(two)) == [PodSeen("default", "a", "updated")]
    assert of(PodSeen, dialogue.apply(on_node(two, "n1"))) == []


# -- what makes a waiting pod worth another attempt


def test_untainting_a_node_gets_the_waiting_pod_scheduled() -> None:
    dialogue = Dialogue(node("n1", taints=["x:NoSchedule"]))
    dialogue.apply(pod("a"))
    assert bound_names(dialogue) == []
    dialogue.apply_nodes(node("n1"))
    assert bound_names(dialogue) == ["a"]


def test_uncordoning_a_node_gets_the_waiting_pod_scheduled() -> None:
    dialogue = Dialogue(node("n1", unschedulable=True))
    dialogue.apply(pod("a"))
    assert bound_names(dialogue) == []
    dialogue.apply_nodes(node("n1"))
    assert bound_names(dialogue) == ["a"]


def test_label_on_a_node_gets_the_waiting_pod_scheduled() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", node_selector={"disk": "ssd"}))
    assert bound_names(dialogue) == []
    dialogue.apply_nodes(node("n1", labels={"disk": "ssd"}))
    assert bound_names(dialogue) == ["a"]


def test_deleting_a_pod_gets_the_waiting_pod_scheduled() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", cpu="4", node_name="n1"), pod("b", cpu="4"))
    assert bound_names(dialogue) == []
    dialogue.tell(Deleted("pods", pod("a", cpu="4", node_name="n1")))
    assert bound_names(dialogue) == ["b"]


def test_heartbeat_of_a_node_wakes_nobody() -> None:
    dialogue = Dialogue(node("n1", cpu="1"))
    dialogue.apply(pod("a", cpu="2"))
    dialogue.decide()
    dialogue.apply_nodes(node("n1", cpu="1", metadata={"resourceVersion": "2"}))
    assert dialogue.decide() == []


# -- complete lists


def test_pod_that_a_list_lacks_is_gone() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a"), pod("b", cpu="1", node_name="n1"), pod("c", cpu="1"))
    dialogue.tell(Replaced("pods", (pod("c", cpu="1"),)))
    assert dialogue.free_milli_cpu("n1") == 4000
    assert bound_names(dialogue) == ["c"]


def test_pod_in_flight_that_a_list_shows_unbound_is_not_bound_again() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.bind(pod("a"))
    dialogue.tell(Replaced("pods", (pod("a"),)), PollCycle())
    assert dialogue.decide() == []
    assert len(dialogue.scheduler.binding) == 1


def test_list_from_a_server_that_lags_behind_does_not_unbind_a_pod() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", cpu="1", node_name="n1"))
    dialogue.tell(Replaced("pods", (pod("a", cpu="1"),)))
    assert dialogue.decide() == []
    assert dialogue.free_milli_cpu("n1") == 3000


def test_namesake_in_a_list_is_another_pod() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", uid="old"))
    dialogue.tell(Replaced("pods", (pod("a", uid="new"),)))
    assert [bind.uid for bind in of(Bind, dialogue.decide())] == ["new"]


def test_node_that_a_list_lacks_is_gone_and_its_pods_count_again_when_it_is_back() -> None:
    dialogue = Dialogue(node("n1"), node("n2"))
    dialogue.apply(pod("a", cpu="3", node_name="n1"))
    dialogue.tell(Replaced("nodes", (node("n2"),)))
    assert list(dialogue.scheduler.cache.nodes.names) == ["n2"]
    dialogue.tell(Replaced("nodes", (node("n1"), node("n2"))))
    assert dialogue.free_milli_cpu("n1") == 1000


def test_list_wakes_pods_by_what_changed() -> None:
    dialogue = Dialogue(node("n1", cpu="1"))
    dialogue.apply(pod("a", cpu="2"))
    dialogue.decide()
    dialogue.tell(Replaced("nodes", (node("n1", cpu="1"),)))
    assert dialogue.decide() == []
    dialogue.tell(Replaced("nodes", (node("n1", cpu="2"),)))
    assert bound_names(dialogue) == ["a"]


def test_polling_cycle_is_an_attempt_at_every_pod_that_is_not_in_back_off() -> None:
    dialogue = Dialogue(node("n1", cpu="1"))
    dialogue.apply(pod("a", cpu="2"))
    dialogue.decide()
    for now, attempts in ((1.0, 0), (2.5, 1), (3.0, 0)):
        dialogue.now = now
        dialogue.tell(PollCycle())
        assert len(of(Decision, dialogue.decide())) == attempts


def test_namespaces_are_kept_for_plugins() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.tell(Replaced("namespaces", (Namespace(metadata=pod("blue").metadata),)))
    assert list(dialogue.scheduler.cache.namespaces) == ["blue"]
    dialogue.tell(Replaced("namespaces", ()))
    assert list(dialogue.scheduler.cache.namespaces) == []


# -- objects that cannot be read


def test_pending_pod_that_cannot_be_read_waits_for_a_version_that_can() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a"))
    dialogue.tell(Unreadable("pods", "default", "a", "uid-a"))
    assert dialogue.decide() == []
    dialogue.apply(pod("a"))
    assert bound_names(dialogue) == ["a"]


def test_bound_pod_that_cannot_be_read_goes_on_counting() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", cpu="3", node_name="n1"))
    dialogue.tell(Unreadable("pods", "default", "a", "uid-a"))
    dialogue.tell(Replaced("pods", (), unreadable=("uid-a",)))
    assert dialogue.free_milli_cpu("n1") == 1000
    dialogue.tell(Replaced("pods", ()))
    assert dialogue.free_milli_cpu("n1") == 4000


@pytest.mark.parametrize(
    "news",
    [
        Unreadable("nodes", "", "n1", "uid-n1"),
        Replaced("nodes", (), unreadable=("uid-n1",)),
    ],
)
def test_node_that_cannot_be_read_takes_no_pods_until_it_can(
    news: Unreadable | Replaced,
) -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(pod("a", cpu="3", node_name="n1"), pod("b", cpu="1"))
    dialogue.tell(news)
    assert bound_names(dialogue) == []
    dialogue.apply_nodes(node("n1"))
    assert dialogue.free_milli_cpu("n1") == 1000
    assert bound_names(dialogue) == ["b"]


def test_kind_that_nobody_asked_for_is_passed_over() -> None:
    dialogue = Dialogue(node("n1"))
    thing = KubernetesObject(metadata=pod("x").metadata)
    assert dialogue.tell(Applied("widgets", thing), Deleted("widgets", thing)) == []


def test_services_and_controllers_are_kept_for_plugins() -> None:
    dialogue = Dialogue()
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}
    web = pod("a", labels={"app": "web"}, metadata={"ownerReferences": [owner]})
    meta = pod("web").metadata
    service = Service(metadata=meta, spec=MapSelectorSpec({"app": "web"}))
    replica_set = ReplicaSet(metadata=meta, spec=LabelSelectorSpec(LabelSelector({"rev": "2"})))

    def selected() -> list[bool]:
        selector = dialogue.scheduler.cache.default_selector(web)
        return [selector.matches(labels) for labels in ({}, {"app": "web"}, {"rev": "2"})]

    assert selected() == [True, True, True]
    dialogue.tell(Replaced("services", (service,)))
    assert selected() == [False, True, False]
    dialogue.tell(Deleted("services", service), Applied("replicasets", replica_set))
    assert selected() == [False, False, True]
    dialogue.tell(Replaced("replicasets", ()))
    assert selected() == [True, True, True]
