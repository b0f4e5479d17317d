import msgspec
import pytest

from kubelet_story import EXACT, START, Story
from pilotfish.api.quantity import Quantity
from pilotfish.cluster.kinds import CSI_NODES, LEASES, NODES
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.kubelet.node_objects import allocatable, place, pod_address
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.settings import NodeGroup


def node(story: Story, name: str) -> JsonObject:
    found = story.client.get(NODES, "", name)
    assert found is not None
    return found


def renew_time(story: Story, name: str) -> str:
    lease = story.client.get(LEASES, "kube-node-lease", name)
    assert lease is not None
    return str(lease["spec"]["renewTime"])


def test_group_becomes_nodes_with_names_labels_taints_zones_and_addresses_of_their_own() -> None:
    story = Story(
        NodeGroup(
            name="gpu",
            count=3,
            labels={"env": "prod"},
            taints=("gpu=yes:NoSchedule",),
            zones=("a", "b"),
            capacity={"cpu": "8", "nvidia.com/gpu": "2"},
            images={"nginx": 1000},
        )
    )
    nodes = [node(story, f"gpu-{i}") for i in (1, 2, 3)]
    labels = [n["metadata"]["labels"] for n in nodes]
    assert [la["topology.kubernetes.io/zone"] for la in labels] == ["a", "b", "a"]
    assert {la["env"] for la in labels} == {"prod"}
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    assert all(taint in n["spec"]["taints"] for n in nodes)
    status = nodes[0]["status"]
    assert status["capacity"]["nvidia.com/gpu"] == "2"
    assert (status["allocatable"]["cpu"], status["allocatable"]["pods"]) == ("8", "110")
    assert "docker.io/library/nginx:latest" in status["images"][0]["names"]
    assert len({n["status"]["addresses"][0]["address"] for n in nodes}) == 3
    assert len({n["spec"]["podCIDR"] for n in nodes}) == 3
    assert len(status["nodeInfo"]) == 10


def test_node_is_ready_from_the_start_and_has_a_lease_and_a_csi_node() -> None:
    story = Story()
    assert story.node_condition("node-1", "Ready")["reason"] == "KubeletReady"
    lease = story.client.get(LEASES, "kube-node-lease", "node-1")
    assert lease is not None
    assert lease["spec"]["holderIdentity"] == "node-1"
    assert lease["metadata"]["ownerReferences"][0]["kind"] == "Node"
    assert story.client.get(CSI_NODES, "", "node-1") is not None


def test_lease_is_renewed_every_ten_seconds_and_the_status_every_five_minutes() -> None:
    story = Story()
    story.run(20)
    seen = renew_time(story, "node-1")
    story.run(9.5)
    first = story.node_condition("node-1", "Ready")["lastHeartbeatTime"]
    story.run(0.5)
    assert renew_time(story, "node-1") > seen
    story.run(300)
    condition = story.node_condition("node-1", "Ready")
    assert condition["lastHeartbeatTime"] > first
    assert condition["lastTransitionTime"] == "2027-01-15T08:00:00Z"


def test_heartbeats_of_many_nodes_are_spread_over_time() -> None:
    story = Story(NodeGroup(count=100))
    story.run(20)
    writes = []
    for _ in range(10):
        before = story.client.store.resource_version
        story.run(1)
        writes.append(story.client.store.resource_version - before)
    assert sum(writes) >= 100
    assert max(writes) <= 20


def test_many_nodes_renew_less_often_but_well_within_the_lease() -> None:
    slow = msgspec.structs.replace(EXACT, lease_renewals_per_second=2.0)
    story = Story(NodeGroup(count=40), settings=slow)
    story.run(60)
    seen = [renew_time(story, f"node-{i + 1}") for i in range(40)]
    story.run(21)
    renewed = [renew_time(story, f"node-{i + 1}") for i in range(40)]
    assert all(new > old for new, old in zip(renewed, seen, strict=True))
    story = Story(NodeGroup(count=40), settings=slow)
    story.run(61)
    before = story.client.store.resource_version
    story.run(10)
    assert story.client.store.resource_version - before < 30


def test_node_that_a_user_makes_is_completed_and_serves_pods() -> None:
    story = Story()
    story.client.create(NODES, {"metadata": {"name": "mine"}}, story.now)
    story.run(0)
    assert node(story, "mine")["status"]["allocatable"]["cpu"] == "4"
    assert story.node_condition("mine", "Ready")["status"] == "True"
    story.create("web", node="mine")
    story.run(5)
    assert story.phase("web") == "Running"


def test_node_keeps_what_it_was_given() -> None:
    story = Story()
    status = {"allocatable": {"cpu": "1", "pods": "3"}, "capacity": {"cpu": "2", "pods": "5"}}
    story.client.create(NODES, {"metadata": {"name": "mine"}, "status": status}, story.now)
    story.run(400)
    assert node(story, "mine")["status"]["allocatable"] == {"cpu": "1", "pods": "3"}


def test_pod_waits_for_a_node_that_is_not_there_yet() -> None:
    story = Story()
    story.create("early", node="later")
    story.run(60)
    assert story.phase("early") == "Pending"
    story.client.create(NODES, {"metadata": {"name": "later"}}, story.now)
    story.run(5)
    assert story.phase("early") == "Running"


def test_pods_that_go_while_they_wait_for_their_node_leave_nothing_behind() -> None:
    story = Story()
    story.create("early", node="nowhere")
    story.create("running")
    story.run(5)
    story.client.delete(NODES, "", "node-1", story.now)
    story.run(0)
    for name in ("early", "running"):
        story.delete(name, grace_period_seconds=0)
    story.kubelets.check_invariants()


def test_silent_node_stops_its_heartbeats_and_neither_starts_nor_stops_pods() -> None:
    story = Story()
    story.create("old")
    story.run(15)
    story.annotate_node("node-1", keys.FAULT, "Silent")
    seen = renew_time(story, "node-1")
    story.delete("old")
    story.create("new")
    story.run(100)
    assert renew_time(story, "node-1") == seen
    assert story.find("old") is not None
    assert story.phase("new") == "Pending"
    story.annotate_node("node-1", keys.FAULT, None)
    story.run(15)
    assert renew_time(story, "node-1") > seen
    assert story.find("old") is None
    assert story.phase("new") == "Running"


def test_healed_node_takes_back_what_was_said_of_it_while_it_was_silent() -> None:
    story = Story()
    story.annotate_node("node-1", keys.FAULT, "Silent")
    found = node(story, "node-1")
    for condition in found["status"]["conditions"]:
        condition |= {"status": "Unknown", "reason": "NodeStatusUnknown"}
    story.client.update_status(NODES, found, story.now)
    story.run(60)
    assert story.node_condition("node-1", "Ready")["status"] == "Unknown"
    story.annotate_node("node-1", keys.FAULT, None)
    assert story.node_condition("node-1", "Ready")["status"] == "True"
    assert story.node_condition("node-1", "Ready")["lastTransitionTime"] == "2027-01-15T08:01:00Z"


def test_not_ready_node_says_so_goes_on_beating_and_starts_nothing() -> None:
    story = Story()
    story.run(15)
    story.annotate_node("node-1", keys.FAULT, "NotReady")
    condition = story.node_condition("node-1", "Ready")
    assert (condition["status"], condition["reason"]) == ("False", "KubeletNotReady")
    assert story.events("node-1") == ["NodeNotReady: Node node-1 status is now: NodeNotReady"]
    seen = renew_time(story, "node-1")
    story.create("web")
    story.run(15)
    assert renew_time(story, "node-1") > seen
    assert story.phase("web") == "Pending"
    story.annotate_node("node-1", keys.FAULT, None)
    assert story.node_condition("node-1", "Ready")["status"] == "True"


def test_pulled_image_is_reported_with_the_next_heartbeat() -> None:
    story = Story()
    story.create("web", containers=[{"image": "redis:7"}])
    story.run(20)
    names = [name for image in node(story, "node-1")["status"]["images"] for name in image["names"]]
    assert "docker.io/library/redis:7" in names


def test_deleted_node_is_played_no_more() -> None:
    story = Story()
    story.client.delete(NODES, "", "node-1", story.now)
    story.run(400)
    assert story.client.get(NODES, "", "node-1") is None


def test_node_made_anew_takes_up_the_pods_that_are_left() -> None:
    story = Story()
    story.create("old", containers=[{"resources": {"requests": {"cpu": "3"}}}])
    story.run(5)
    story.client.delete(NODES, "", "node-1", story.now)
    story.run(5)
    assert story.phase("old") == "Running", "the pod garbage collector is not at work here"
    story.client.create(NODES, {"metadata": {"name": "node-1"}}, story.now)
    story.run(0)
    story.create("new", containers=[{"resources": {"requests": {"cpu": "2"}}}])
    assert story.status("new")["reason"] == "OutOfcpu"
    story.delete("old")
    story.run(1)
    assert story.find("old") is None


def test_node_of_a_real_cluster_keeps_its_images_and_what_it_is() -> None:
    story = Story(NodeGroup(count=0))
    info = {"kubeletVersion": "v1.30.0", "osImage": "Debian", "architecture": "arm64"}
    images = [{"names": ["docker.io/library/nginx@sha256:0", "docker.io/library/nginx:latest"]}]
    found = {"metadata": {"name": "real"}, "status": {"nodeInfo": info, "images": images}}
    story.client.create(NODES, found, story.now)
    story.run(400)
    assert node(story, "real")["status"]["nodeInfo"]["osImage"] == "Debian"
    story.create("web", node="real", containers=[{"imagePullPolicy": "Never"}])
    story.run(2)
    assert story.phase("web") == "Running"


def test_groups_of_one_name_go_on_counting() -> None:
    story = Story(NodeGroup(count=2), NodeGroup(count=1, capacity={"cpu": "64"}))
    assert node(story, "node-3")["status"]["capacity"]["cpu"] == "64"


@pytest.mark.parametrize(
    "wrong", [{"taints": ["gpu"]}, {"taints": ["gpu:Never"]}, {"capacity": {"cpu": "many"}}]
)
def test_group_that_cannot_be_read_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, NodeGroup)


def test_reserved_amounts_are_taken_off_the_capacity() -> None:
    left = allocatable({"cpu": "4", "memory": "8Gi"}, {"cpu": "100m", "memory": "1Gi"})
    assert left == {"cpu": "3900m", "memory": str(Quantity.parse("7Gi").value())}


@pytest.mark.parametrize("index", [0, 255, 5000])
def test_every_node_and_pod_has_an_address_of_its_own(index: int) -> None:
    here, there = place(index), place(index + 1)
    assert here != there
    assert pod_address(here.pod_cidr, 0) != pod_address(here.pod_cidr, 1)
    assert pod_address(here.pod_cidr, 5) != pod_address(there.pod_cidr, 5)


def test_story_begins_when_the_tests_say() -> None:
    assert Story().now == START
