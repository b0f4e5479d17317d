"""Many pods at once: kubelets give way to others in between."""

from collections import Counter

from kubelet_story import EXACT, START, Story
from pilotfish.cluster.kinds import LEASES, NODES
from pilotfish.cluster.kinds import PODS as POD
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.kubelet import kubelets_of
from pilotfish.cluster.kubelet.kubelets import CHANGES_PER_SYNC, STEPS_PER_SYNC
from pilotfish.cluster.settings import NodeGroup

PODS = 2 * STEPS_PER_SYNC


def crowded_story() -> Story:
    """Make a node with many pods that are due at the same time."""
    room = {"pods": "1000", "cpu": "1000", "memory": "1000Gi"}
    story = Story(NodeGroup(count=1, capacity=room), settings=EXACT)
    for i in range(PODS):
        story.create(f"pod-{i}")
    return story


def phases(story: Story) -> Counter[str]:
    """Count pods by phase."""
    return Counter(story.phase(f"pod-{i}") for i in range(PODS))


def test_pods_that_are_due_together_take_their_steps_in_parts() -> None:
    story = crowded_story()
    story.run(3.5)
    now = START + 4.0
    assert story.kubelets.sync(now) == now, "there is more to do"
    assert phases(story) == {"Pending": STEPS_PER_SYNC, "Running": STEPS_PER_SYNC}
    story.kubelets.sync(now)
    assert phases(story) == {"Running": PODS}


def test_kubelets_that_start_on_a_full_cluster_look_at_it_in_parts() -> None:
    story = crowded_story()
    story.run(10)
    story.kubelets = kubelets_of(story.client)
    assert story.kubelets.sync(story.now) == story.now, "there is more to look at"
    story.run(10)
    assert phases(story) == {"Running": PODS}


def test_heartbeats_do_not_wait_behind_a_backlog_of_pods() -> None:
    story = crowded_story()
    late = START + 100.0
    story.kubelets.sync(late)
    assert phases(story)["Pending"], "pods are still behind"
    lease = story.client.get(LEASES, "kube-node-lease", "node-1")
    assert lease is not None
    assert lease["spec"]["renewTime"].startswith("2027-01-15T08:01:40")


def test_pods_that_others_change_together_are_looked_at_in_parts() -> None:
    story = crowded_story()
    story.run(10)
    for turn in range(CHANGES_PER_SYNC // PODS + 1):
        for i in range(PODS):
            patch = {"metadata": {"labels": {"turn": str(turn)}}}
            story.client.patch(POD, "default", f"pod-{i}", patch, story.now)
    assert story.kubelets.sync(story.now) == story.now, "there is more to look at"
    assert story.kubelets.sync(story.now) != story.now


def test_pods_of_a_healed_node_are_taken_up_in_parts() -> None:
    story = crowded_story()
    story.run(2)
    story.annotate_node("node-1", keys.FAULT, "NotReady")
    story.run(60)
    story.client.patch(
        NODES, "", "node-1", {"metadata": {"annotations": {keys.FAULT: None}}}, story.now
    )
    story.kubelets.sync(story.now)
    assert 0 < phases(story)["Pending"] < PODS
    story.run(60)
    assert phases(story) == {"Running": PODS}
