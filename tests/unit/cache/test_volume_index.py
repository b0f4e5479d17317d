"""What news of volumes and claims mean for waiting pods."""

from __future__ import annotations

import pytest

import make_volumes as mv
from make import node
from pilotfish.api.meta import KubernetesObject
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.events import ClusterEvent as Event
from pilotfish.framework.volumes import Attachment, NodeDrivers


@pytest.mark.parametrize(
    ("first", "second", "added", "changed"),
    [
        (mv.volume("v"), mv.volume("v", size="2Gi"), Event.VOLUME_ADDED, Event.VOLUME_CHANGED),
        (mv.claim("c"), mv.claim("c", bound_to="v"), Event.CLAIM_ADDED, Event.CLAIM_CHANGED),
        (
            mv.storage_class("s"),
            mv.storage_class("s", topologies=[{"zone": ["a"]}]),
            Event.STORAGE_CLASS_ADDED,
            Event.STORAGE_CLASS_CHANGED,
        ),
        (mv.storage_class("s"), mv.storage_class("s"), Event.STORAGE_CLASS_ADDED, None),
        (
            mv.csi_node("n", {"d": 1}),
            mv.csi_node("n", {"d": 2}),
            Event.CSI_NODE_ADDED,
            Event.CSI_NODE_CHANGED,
        ),
        (mv.csi_node("n", {"d": 2}), mv.csi_node("n", {"d": 1}), Event.CSI_NODE_ADDED, None),
        (
            mv.csi_node("n"),
            mv.csi_node("n", migrated="kubernetes.io/aws-ebs"),
            Event.CSI_NODE_ADDED,
            Event.CSI_NODE_CHANGED,
        ),
        (
            mv.csi_driver("d", capacity=True),
            mv.csi_driver("d", capacity=False),
            None,
            Event.CSI_DRIVER_CHANGED,
        ),
        (mv.csi_driver("d", capacity=False), mv.csi_driver("d", capacity=True), None, None),
        (
            mv.capacity("k", "1Gi"),
            mv.capacity("k", "2Gi"),
            Event.STORAGE_CAPACITY_ADDED,
            Event.STORAGE_CAPACITY_CHANGED,
        ),
        (
            mv.capacity("k", "2Gi"),
            mv.capacity("k", "3Gi", largest="1Gi"),
            Event.STORAGE_CAPACITY_ADDED,
            None,
        ),
        (mv.attachment("a", "n", "v"), mv.attachment("a", "n", "v"), None, None),
    ],
)
def test_events_are_those_that_can_help_a_pod(
    first: KubernetesObject, second: KubernetesObject, added: Event | None, changed: Event | None
) -> None:
    """As the queueing hints of upstream's volume plugins, as far as no pod is asked about."""
    cache = ClusterCache()
    assert cache.volumes.put(first) == ({added} if added else set())
    assert cache.volumes.put(second) == ({changed} if changed else set())


def test_only_the_end_of_an_attachment_helps() -> None:
    cache = ClusterCache()
    for thing in (mv.volume("v"), mv.claim("c"), mv.attachment("a", "n", "v")):
        cache.volumes.put(thing)
    assert cache.volumes.remove("persistentvolumes", "uid-v") == set()
    assert cache.volumes.remove("persistentvolumeclaims", "uid-c") == set()
    assert cache.volumes.remove("volumeattachments", "uid-a") == {Event.ATTACHMENT_DELETED}
    assert cache.volumes.remove("volumeattachments", "uid-a") == set()


def test_what_is_known_of_a_node_is_there_when_the_node_comes() -> None:
    cache = ClusterCache()
    cache.volumes.put(mv.csi_node("n", {"d": 7, "e": None}, migrated="x,y"))
    cache.volumes.put(mv.attachment("a", "n", "v", "d"))
    cache.set_node(node("n"))
    assert cache.nodes.drivers.of(0) == [NodeDrivers((("d", 7),), frozenset({"x", "y"}))]
    assert cache.nodes.attachments.of(0) == [Attachment("d", "v")]
    cache.volumes.remove("csinodes", "uid-n")
    assert cache.nodes.drivers.of(0) == []
