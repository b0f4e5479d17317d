"""VolumeZone rule by rule, as kubernetes v1.36.3 has it.

The plugin is pkg/scheduler/framework/plugins/volumezone/volume_zone.go. Nodes: new and other have
the labels of today, old those of yesterday, plain has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import pytest

import make
import make_volumes as mv
from parity.volume_nodes import user
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.plugins.volume_zone import VolumeZone
from unit.plugins.deciding import alone, cluster, rejected

CONFLICT: Final = [("node(s) had no available volume zone", False)]
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
OLD_ZONE: Final = "failure-domain.beta.kubernetes.io/zone"
OLD_REGION: Final = "failure-domain.beta.kubernetes.io/region"
CLAIM: Final = mv.claim("c", bound_to="v")
NAMES, TOPOLOGY = "getPVbyPod", "getPVTopologies"


def nodes_with(objects: Sequence[KubernetesObject]) -> ClusterCache:
    labels = {
        "new": {ZONE: "a", REGION: "r"},
        "other": {ZONE: "b", REGION: "r"},
        "old": {OLD_ZONE: "a", OLD_REGION: "r"},
        "plain": {},
    }
    cache = cluster(make.node(name, labels=of) for name, of in labels.items())
    for thing in objects:
        cache.volumes.put(thing)
    return cache


class Row(NamedTuple):
    """A rule: the labels of a bound volume, and the nodes that it keeps its pod from."""

    rule: str
    source: str
    labels: dict[str, str]
    conflict: str


ROWS = [
    Row("a volume without zone is anywhere", TOPOLOGY, {}, ""),
    Row("its zone is the node's", "Filter", {ZONE: "a"}, "other old"),
    Row("it may be in several zones", "zones.go LabelZonesToSet", {ZONE: "a__b"}, "old"),
    Row("blanks around zones do not count", "zones.go LabelZonesToSet", {ZONE: " a __b"}, "old"),
    Row("an empty zone makes the label void", "zones.go LabelZonesToSet", {ZONE: "a__"}, ""),
    Row("so does an empty label", "zones.go LabelZonesToSet", {ZONE: ""}, ""),
    Row("the region counts as well", "Filter", {REGION: "q"}, "new other old"),
    Row("both count", "Filter", {ZONE: "b", REGION: "r"}, "new old"),
    Row("the old label means the new one, too", "translateToGALabel", {OLD_ZONE: "a"}, "other"),
    Row("that of the region likewise", "translateToGALabel", {OLD_REGION: "r"}, ""),
    Row("nodes without any label are in no zone", "Filter", {ZONE: "x"}, "new other old"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_pod_stays_in_the_zones_of_its_volumes(row: Row) -> None:
    cache = nodes_with([CLAIM, mv.volume("v", claim="c", labels=row.labels)])
    wanted = dict.fromkeys(row.conflict.split(), CONFLICT)
    assert rejected(VolumeZone(), user("c"), cache) == wanted


class Whole(NamedTuple):
    """A rule by which a pod is rejected as a whole."""

    rule: str
    pod: Pod
    objects: Sequence[KubernetesObject]
    reason: str


WHOLES = [
    Whole("a claim must have a name", user(""), (), "PersistentVolumeClaim had no name"),
    Whole("it must be there", user("c"), (), 'persistentvolumeclaim "c" not found'),
    Whole("its volume must be there", user("c"), [CLAIM], 'persistentvolume "v" not found'),
    Whole(
        "without a volume it needs a class",
        user("c"),
        [mv.claim("c", class_name=None)],
        "PersistentVolumeClaim had no pv name and storageClass name",
    ),
    Whole(
        "that must be there",
        user("c"),
        [mv.claim("c")],
        'storageclass.storage.k8s.io "slow" not found',
    ),
    Whole(
        "and say when it binds",
        user("c"),
        [mv.claim("c"), mv.storage_class("slow", mode=None)],
        'VolumeBindingMode not set for StorageClass "slow"',
    ),
    Whole(
        "a claim that is bound at once must be bound",
        user("c"),
        [mv.claim("c"), mv.storage_class("slow", mode="Immediate")],
        "PersistentVolume had no name",
    ),
]


@pytest.mark.parametrize("row", WHOLES, ids=lambda row: row.rule)
def test_pod_is_rejected_as_a_whole(row: Whole) -> None:
    """As getPVbyPod."""
    found = rejected(VolumeZone(), row.pod, nodes_with(row.objects))
    assert found == {"*": [(row.reason, False)]}


@pytest.mark.parametrize(
    ("rule", "pod", "objects"),
    [
        ("no claims", user(iscsi={"iqn": "q"}), []),
        ("claims that wait for the pod", user("c"), [mv.claim("c"), mv.storage_class("slow")]),
        ("generic ephemeral volumes, which are not looked at", user(ephemeral=["e"]), []),
        ("volumes without labels", user("c"), [CLAIM, mv.volume("v", claim="c")]),
    ],
)
def test_pod_is_skipped(rule: str, pod: Pod, objects: list[KubernetesObject]) -> None:
    """As PreFilter."""
    assert not alone(VolumeZone()).filter(pod, nodes_with(objects)).states, rule
