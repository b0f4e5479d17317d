import numpy as np
import pytest

from make import ZONE_LABEL, node, pod
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.cache.pod_shapes import PodShapes
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import BrokenInvariantError
from pilotfish.framework.node_table import CPU, MEMORY, Changes, NodeTable
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.ranked_pods import FIRST_REQUEST, PRIORITY

GPU = "gpu"


def table_of(*nodes: Node) -> NodeTable:
    """Make a table of these nodes, in rows of this order."""
    table = NodeTable()
    for one in nodes:
        table.set_node(one)
    return table


def info(one: Pod) -> PodInfo:
    """Make what counts of a pod."""
    return PodShapes().pod_info(one, one.node_name)


def test_amounts_are_milli_cpu_bytes_and_counts() -> None:
    table = table_of(node("a", cpu="2500m", memory="1Ki", pods=7, gpu="3"))
    assert table.allocatable[CPU].tolist() == [2500]
    assert table.allocatable[MEMORY].tolist() == [1024]
    assert table.allocatable[table.resources[GPU]].tolist() == [3]
    assert table.max_pods.tolist() == [7]


def test_a_resource_that_a_node_lost_is_zero() -> None:
    table = table_of(node("a", gpu="3"), node("b", gpu="1"))
    assert table.set_node(node("a")) == {ClusterEvent.NODE_ALLOCATABLE_CHANGED}
    assert table.allocatable[table.resources[GPU]].tolist() == [0, 1]


def test_a_new_node_is_one_event() -> None:
    assert NodeTable().set_node(node("a", unschedulable=True)) == {ClusterEvent.NODE_ADDED}


@pytest.mark.parametrize(
    ("changed", "events"),
    [
        (node("a"), set()),
        (node("a", cpu="8"), {ClusterEvent.NODE_ALLOCATABLE_CHANGED}),
        (node("a", pods=1), {ClusterEvent.NODE_ALLOCATABLE_CHANGED}),
        (node("a", labels={"disk": "ssd"}), {ClusterEvent.NODE_LABELS_CHANGED}),
        (node("a", taints=["gpu:NoSchedule"]), {ClusterEvent.NODE_TAINTS_CHANGED}),
        (node("a", images={"app:v1": 1}), {ClusterEvent.NODE_IMAGES_CHANGED}),
        (node("a", features=["Some"]), {ClusterEvent.NODE_FEATURES_CHANGED}),
        (node("a", unschedulable=True), set()),
        (
            node("a", cpu="8", zone="z"),
            {ClusterEvent.NODE_ALLOCATABLE_CHANGED, ClusterEvent.NODE_LABELS_CHANGED},
        ),
    ],
)
def test_an_update_is_the_events_of_what_differs(changed: Node, events: set[ClusterEvent]) -> None:
    assert table_of(node("a")).set_node(changed) == events


def test_a_lifted_cordon_is_a_change_of_taints() -> None:
    table = table_of(node("a", unschedulable=True))
    assert table.unschedulable.tolist() == [True]
    assert table.set_node(node("a")) == {ClusterEvent.NODE_TAINTS_CHANGED}
    assert table.unschedulable.tolist() == [False]


def test_a_node_that_differs_in_nothing_touches_no_column() -> None:
    same = node("a", zone="z", taints=["gpu:NoSchedule"], images={"app:v1": 1})
    table = table_of(same)
    columns = (table.taints, table.images, table.label(ZONE_LABEL))
    generations = [column.generation for column in columns]
    table.set_node(same)
    assert [column.generation for column in columns] == generations


def test_a_label_column_is_kept_up_to_date() -> None:
    table = table_of(node("a", zone="z1"), node("b"))
    zones = table.label(ZONE_LABEL)
    table.set_node(node("b", zone="z2"))
    table.set_node(node("a"))
    assert [zones.of(row) for row in range(2)] == [[], ["z2"]]


def test_the_last_node_takes_the_row_of_one_that_goes() -> None:
    table = table_of(*(node(name, cpu=cpu) for name, cpu in zip("abc", "123", strict=True)))
    table.add_pod(2, info(pod("p", cpu="100m")))
    assert table.remove_node("a") == []
    assert table.names == ["c", "b"]
    assert table.row_of == {"c": 0, "b": 1}
    assert table.allocatable[CPU].tolist() == [3000, 2000]
    assert table.requested[CPU].tolist() == [100, 0]
    assert list(table.pods[0]) == ["uid-p"]
    table.check_invariants()


def test_masks_follow_rows_that_move() -> None:
    table = table_of(node("a"), node("b"), node("c", images={"app:v1": 1}))
    assert table.images.mask_of("app:v1").tolist() == [False, False, True]
    table.remove_node("a")
    assert table.images.mask_of("app:v1").tolist() == [True, False]


def test_a_node_that_goes_gives_its_pods_back() -> None:
    table = table_of(node("a"))
    one = info(pod("p"))
    table.add_pod(0, one)
    assert table.remove_node("a") == [one]
    assert len(table) == 0


def test_a_pod_counts_with_all_that_it_requests() -> None:
    table = table_of(node("a"))
    table.add_pod(0, info(pod("p", cpu="100m", requests={GPU: "2"}, host_ports=[80])))
    assert table.requested[CPU].tolist() == [100]
    assert table.requested[table.resources[GPU]].tolist() == [2]
    assert table.non_zero_requested.tolist() == [[100], [200 * 1024 * 1024]]
    assert table.pod_count.tolist() == [1]
    assert [port.port for port in table.ports.of(0)] == [80]


def test_a_pod_that_goes_leaves_nothing() -> None:
    table = table_of(node("a"))
    table.add_pod(0, info(pod("p", cpu="100m", requests={GPU: "2"}, host_ports=[80])))
    table.remove_pod(0, "uid-p")
    assert not table.requested.any()
    assert not table.non_zero_requested.any()
    assert table.pod_count.tolist() == [0]
    assert table.ports.of(0) == []


def test_an_image_has_the_size_that_its_first_node_said() -> None:
    table = table_of(node("a", images={"app:v1": 5}), node("b", images={"app:v1": 6}))
    assert table.image_bytes == {"app:v1": 5}


def test_an_image_that_only_one_node_has_takes_its_new_size() -> None:
    table = table_of(node("a", images={"app:v1": 5}))
    table.set_node(node("a", images={"app:v1": 6, "db:v1": 1}))
    assert table.image_bytes == {"app:v1": 6, "db:v1": 1}


def test_the_size_of_an_image_goes_with_its_last_node() -> None:
    table = table_of(node("a", images={"app:v1": 5}), node("b", images={"app:v1": 6}))
    table.set_node(node("a"))
    assert table.image_bytes == {"app:v1": 5}
    table.remove_node("b")
    assert table.image_bytes == {}


def test_mask_of_names_passes_over_unknown_ones() -> None:
    table = table_of(node("a"), node("b"))
    assert table.mask_of(frozenset({"b", "nobody"})).tolist() == [False, True]


def test_ids_keep_their_meaning_in_an_overlay() -> None:
    table = table_of(node("a", zone="z1"), node("b", zone="z2"))
    zones = table.label(ZONE_LABEL)
    overlay = table.overlay({1: Changes()})
    assert overlay.label(ZONE_LABEL).flat_ids.tolist() == [zones.id_of("z2")]


def test_an_overlay_knows_resources_that_only_its_added_pods_ask_for() -> None:
    table = table_of(node("a"))
    overlay = table.overlay({0: Changes(added=[info(pod("p", requests={GPU: "2"}))])})
    assert overlay.requested[overlay.resources[GPU]].tolist() == [2]
    assert GPU not in table.resources


def test_an_overlay_of_no_rows_is_empty() -> None:
    table = table_of(node("a"))
    assert len(table.overlay({})) == 0


def test_freed_room_shows_in_the_sums_of_the_copy_only() -> None:
    table = table_of(node("a"), node("b"))
    table.add_pod(1, info(pod("p", cpu="3")))
    freed = table.freed(np.array([[0, 2000], [0, 0], [0, 0]]), np.array([0, 1]))
    assert freed.requested[CPU].tolist() == [0, 1000]
    assert freed.pod_count.tolist() == [0, 0]
    assert table.requested[CPU].tolist() == [0, 3000]
    assert freed.overlay({1: Changes()}).requested[CPU].tolist() == [1000]


def test_pods_are_ranked_by_priority_then_by_their_start() -> None:
    table = table_of(node("a"))
    for name, priority, minute in (("late", 1, 9), ("early", 1, 3), ("important", 5, 9)):
        status = {"startTime": f"2026-01-01T00:0{minute}:00Z"}
        table.add_pod(0, info(pod(name, cpu="1", priority=priority, status=status)))
    table.add_pod(0, info(pod("new", priority=1)))
    ranked = table.ranked(0)
    assert [one.name for one in ranked.pods] == ["important", "early", "late", "new"]
    assert ranked.amounts[PRIORITY].tolist() == [5, 1, 1, 1]
    assert ranked.amounts[FIRST_REQUEST + CPU].tolist() == [1000, 1000, 1000, 0]


def test_ranked_pods_follow_pods_resources_and_rows() -> None:
    table = table_of(node("a"), node("b"))
    table.add_pod(1, info(pod("p")))
    assert [one.name for one in table.ranked(1).pods] == ["p"]
    assert table.ranked(1) is table.ranked(1)
    table.add_pod(1, info(pod("q", priority=3, requests={GPU: "1"})))
    assert [one.name for one in table.ranked(1).pods] == ["q", "p"]
    assert table.ranked(1).amounts[-1].tolist() == [1, 0]
    assert table.ranked(0).pods == ()
    table.remove_node("a")
    assert [one.name for one in table.ranked(0).pods] == ["q", "p"]
    table.remove_pod(0, "uid-q")
    assert [one.name for one in table.ranked(0).pods] == ["p"]


def test_a_node_as_an_object_shows_its_row() -> None:
    table = table_of(node("other"), node("a", cpu="2", zone="z", taints=["gpu:NoSchedule"]))
    table.add_pod(1, info(pod("p", cpu="1", host_ports=[80])))
    shown = table.node(1)
    assert (shown.name, shown.labels[ZONE_LABEL], shown.unschedulable) == ("a", "z", False)
    assert (shown.allocatable["cpu"], shown.requested["cpu"]) == (2000, 1000)
    assert [taint.key for taint in shown.taints] == ["gpu"]
    assert [one.uid for one in shown.pods] == ["uid-p"]
    assert shown.non_zero_requested == (1000, 200 * 1024 * 1024)
    assert [port.port for port in shown.host_ports] == [80]
    assert (shown.max_pods, shown.images) == (110, [])


def test_a_plugin_that_writes_to_a_column_fails_instead_of_spoiling_it() -> None:
    free = table_of(node("a")).allocatable
    with pytest.raises(ValueError, match="read-only"):
        free -= 1


def test_a_wrong_sum_breaks_an_invariant() -> None:
    table = table_of(node("a"))
    table._requested.buffer[CPU, 0] = 1
    with pytest.raises(BrokenInvariantError, match="requested"):
        table.check_invariants()
