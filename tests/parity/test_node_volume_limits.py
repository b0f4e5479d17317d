"""NodeVolumeLimits rule by rule, as kubernetes v1.36.3 has it.

The plugin is pkg/scheduler/framework/plugins/nodevolumelimits/csi.go; disks are translated in
staging/src/k8s.io/csi-translation-lib/plugins. There is one node; in each row it has room for one
volume of the drivers named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pytest

import make
import make_volumes as mv
from parity.volume_nodes import user
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.errors import PluginError
from pilotfish.plugins.node_volume_limits import NodeVolumeLimits
from unit.plugins.deciding import alone, cluster, rejected

FULL: Final = {"n": [("node(s) exceed max volume count", True)]}
DRIVER, AWS = "ebs.example.com", "ebs.csi.aws.com"
ONE: Final = mv.csi_node("n", {DRIVER: 1, AWS: 1})
FILTER, INFO = "Filter", "getCSIDriverInfo"
OF_CLASS, ATTACHED = "getCSIDriverInfoFromSC", "getNodeVolumeAttachmentInfo"
INLINE: Final = "checkAttachableInlineVolume"


def there(*claims: str, **disks: Any) -> Pod:
    return make.pod("there", node_name="n", volumes=mv.using(*claims, **disks))


def node_with(*objects: KubernetesObject, pods: Sequence[Pod] = ()) -> ClusterCache:
    cache = cluster([make.node("n")], pods)
    for thing in objects:
        cache.volumes.put(thing)
    return cache


def bound(name: str, **volume: Any) -> list[KubernetesObject]:
    """Make a claim and its volume."""
    return [mv.claim(name, bound_to=f"of-{name}"), mv.volume(f"of-{name}", claim=name, **volume)]


class Row(NamedTuple):
    """A rule: whether the pod fits beside those in place."""

    rule: str
    source: str
    pod: Pod
    pods: Sequence[Pod]
    objects: Sequence[KubernetesObject]
    fits: bool


C, D = bound("c", handle="h1"), bound("d", handle="h2")
SAME: Final = bound("d", handle="h1")
GCE: Final = "pd.csi.storage.gke.io"
EBS: Final = {"awsElasticBlockStore": {"volumeID": "aws://zone/vol-1"}}
ROWS = [
    Row("there is room", FILTER, user("c"), [], [ONE, *C], fits=True),
    Row("there is none", FILTER, user("c"), [there("d")], [ONE, *C, *D], fits=False),
    Row("two volumes are too many", FILTER, user("c", "d"), [], [ONE, *C, *D], fits=False),
    Row(
        "a volume counts once a node", FILTER, user("c"), [there("d")], [ONE, *C, *SAME], fits=True
    ),
    Row("and once a pod", FILTER, user("c", "d"), [], [ONE, *C, *SAME], fits=True),
    Row("a limit of none", FILTER, user("c"), [], [mv.csi_node("n", {DRIVER: 0}), *C], fits=False),
    Row(
        "no limit",
        "getVolumeLimits",
        user("c"),
        [there("d")],
        [mv.csi_node("n", {DRIVER: None}), *C, *D],
        fits=True,
    ),
    Row(
        "the limit of another driver",
        FILTER,
        user("c"),
        [there("d")],
        [mv.csi_node("n", {AWS: 0}), *C, *D],
        fits=True,
    ),
    Row("nothing is known of the node", FILTER, user("c"), [there("d")], [*C, *D], fits=True),
    Row(
        "the node is over the limit, and the volume is there already",
        FILTER,
        user("c"),
        [there("c", "d")],
        [ONE, *C, *D],
        fits=True,
    ),
    Row(
        "pods in place whose claims are gone do not count",
        "filterAttachableVolumes",
        user("c"),
        [there("x")],
        [ONE, *C],
        fits=True,
    ),
    Row(
        "generic ephemeral volumes count",
        "filterAttachableVolumes",
        user(ephemeral=["e"]),
        [there("d")],
        [
            ONE,
            *D,
            *bound("e", handle="h3"),
            mv.claim("pending-e", bound_to="of-e", owner="uid-pending"),
        ],
        fits=False,
    ),
    Row(
        "a volume to be made counts for the class's provisioner",
        OF_CLASS,
        user("c"),
        [there("d")],
        [ONE, mv.claim("c"), mv.storage_class("slow"), *D],
        fits=False,
    ),
    Row(
        "that of one claim once",
        OF_CLASS,
        user("c"),
        [there("c")],
        [ONE, mv.claim("c"), mv.storage_class("slow")],
        fits=True,
    ),
    Row(
        "a volume that is not known counts as one to be made",
        INFO,
        user("c"),
        [there("d")],
        [ONE, mv.claim("c", bound_to="x"), mv.storage_class("slow"), *D],
        fits=False,
    ),
    Row(
        "without a class it does not", OF_CLASS, user("c"), [there("d")], [ONE, C[0], *D], fits=True
    ),
    Row(
        "an old provisioner is the driver that took over",
        OF_CLASS,
        user("c"),
        [there(**EBS)],
        [ONE, mv.claim("c"), mv.storage_class("slow", provisioner="kubernetes.io/aws-ebs")],
        fits=False,
    ),
    Row(
        "but for those that the scheduler does not take for migrated",
        "utils.go isCSIMigrationOn",
        user("c"),
        [],
        [
            mv.csi_node("n", {"kubernetes.io/vsphere-volume": 0, "csi.vsphere.vmware.com": 0}),
            mv.claim("c"),
            mv.storage_class("slow", provisioner="kubernetes.io/vsphere-volume"),
        ],
        fits=True,
    ),
    Row(
        "volumes of no driver do not count",
        INFO,
        user("c"),
        [],
        [
            mv.csi_node("n", {DRIVER: 0}),
            *bound("c", nfs={"path": "/"}),
        ],
        fits=True,
    ),
    Row(
        "an old disk counts",
        INFO,
        user("c"),
        [there(**EBS)],
        [
            ONE,
            *bound("c", awsElasticBlockStore={"volumeID": "vol-2"}),
        ],
        fits=False,
    ),
    Row(
        "an old disk is one with the driver's volume",
        INFO,
        user("c"),
        [there(**EBS)],
        [
            ONE,
            *bound("c", handle="vol-1", driver=AWS),
        ],
        fits=True,
    ),
    Row(
        "an old disk that its driver cannot serve does not count",
        INFO,
        user("c"),
        [],
        [
            mv.csi_node("n", {AWS: 0}),
            *bound("c", awsElasticBlockStore={"volumeID": "aws://zone/nonsense"}),
        ],
        fits=True,
    ),
    Row(
        "a pod's own disk counts", INLINE, user(**EBS), [], [mv.csi_node("n", {AWS: 0})], fits=False
    ),
    Row("not on a node without drivers", INLINE, user(**EBS), [there(**EBS)], [], fits=True),
    Row(
        "disks of kinds that were never migrated do not",
        INLINE,
        user(iscsi={"iqn": "q"}),
        [],
        [
            mv.csi_node("n", {DRIVER: 0}),
        ],
        fits=True,
    ),
    Row(
        "what is attached counts",
        ATTACHED,
        user("c"),
        [],
        [
            ONE,
            *C,
            *D,
            mv.attachment("x", "n", "of-d"),
        ],
        fits=False,
    ),
    Row(
        "once, with a pod that uses it",
        ATTACHED,
        user("c"),
        [there("d")],
        [
            mv.csi_node("n", {DRIVER: 2}),
            *C,
            *D,
            mv.attachment("x", "n", "of-d"),
        ],
        fits=True,
    ),
    Row(
        "the pod's own volume twice, if no pod uses it there",
        ATTACHED,
        user("c"),
        [],
        [
            ONE,
            *C,
            mv.attachment("x", "n", "of-c"),
        ],
        fits=False,
    ),
    Row(
        "elsewhere it does not count",
        ATTACHED,
        user("c"),
        [],
        [
            ONE,
            *C,
            *D,
            mv.attachment("x", "m", "of-d"),
        ],
        fits=True,
    ),
    Row(
        "nor of an unknown volume",
        ATTACHED,
        user("c"),
        [],
        [
            ONE,
            *C,
            mv.attachment("x", "n", "of-d"),
        ],
        fits=True,
    ),
    Row(
        "nor without a volume's name",
        ATTACHED,
        user("c"),
        [],
        [
            ONE,
            *C,
            mv.attachment("x", "n", None),
        ],
        fits=True,
    ),
    Row(
        "it counts for the attacher",
        ATTACHED,
        user("c"),
        [],
        [
            ONE,
            *C,
            *D,
            mv.attachment("x", "n", "of-d", "another"),
        ],
        fits=True,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_node_holds_so_many_volumes(row: Row) -> None:
    found = rejected(NodeVolumeLimits(), row.pod, node_with(*row.objects, pods=row.pods))
    assert found == ({} if row.fits else FULL)


def test_missing_claim_is_named() -> None:
    """As filterAttachableVolumes; by default an earlier plugin says so first."""
    reason = 'looking up PVC default/c: persistentvolumeclaim "c" not found'
    found = rejected(NodeVolumeLimits(), user("c"), node_with())
    assert found == {"n": [(reason, False)]}


def test_claim_of_another_pod_is_an_error() -> None:
    """As filterAttachableVolumes, also of pods in place."""
    strange = mv.claim("pending-e", bound_to="v", owner="uid-another")
    with pytest.raises(PluginError, match="default/pending-e was not made for its pod"):
        rejected(NodeVolumeLimits(), user(ephemeral=["e"]), node_with(strange))


def test_own_disk_that_its_driver_cannot_serve_is_an_error() -> None:
    """As checkAttachableInlineVolume."""
    azure = user(azureDisk={"diskURI": "u", "diskName": "d", "kind": "Dedicated"})
    with pytest.raises(PluginError, match="kind Dedicated is not migrated"):
        rejected(NodeVolumeLimits(), azure, node_with(ONE))


@pytest.mark.parametrize(
    ("rule", "labels", "handle"),
    [
        ("without a zone", {}, "zones/UNSPECIFIED"),
        ("with one", {"topology.kubernetes.io/zone": "us-a"}, "zones/us-a"),
        ("with several", {"topology.kubernetes.io/zone": "eu-w-a__eu-w-b"}, "regions/eu-w"),
        ("with the old label", {"failure-domain.beta.kubernetes.io/zone": "us-b"}, "zones/us-b"),
    ],
)
def test_google_disks_are_called_by_their_place(
    rule: str, labels: dict[str, str], handle: str
) -> None:
    """As gce_pd.go TranslateInTreePVToCSI: the same handle is the same volume."""
    disk = {"gcePersistentDisk": {"pdName": "d"}, "labels": labels}
    name = f"projects/UNSPECIFIED/{handle}/disks/d"
    objects = [*bound("c", **disk), *bound("d", handle=name, driver=GCE)]
    one = mv.csi_node("n", {GCE: 1})
    assert rejected(NodeVolumeLimits(), user("c", "d"), node_with(one, *objects)) == {}, rule


def test_pod_without_volumes_that_can_count_is_skipped() -> None:
    """As PreFilter."""
    plain = make.pod("p", volumes=[{"name": "tmp", "emptyDir": {}}])
    assert not alone(NodeVolumeLimits()).filter(plain, node_with(ONE)).states
