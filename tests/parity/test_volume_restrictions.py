"""VolumeRestrictions rule by rule, as kubernetes v1.36.3 has it.

The plugin is pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go. Nodes: a1,
on which the other pods are, a2 and b1.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest

import make
import make_volumes as mv
from parity.volume_nodes import nodes_with, user
from pilotfish.api.pod import Pod
from pilotfish.framework.node_table import Changes
from pilotfish.plugins.volume_restrictions import VolumeRestrictions
from unit.plugins.deciding import alone, rejected

DISK: Final = [("node(s) had no available disk", True)]
IN_USE: Final = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
    "already in-use by another pod"
)
CLAIM: Final = [(IN_USE, True)]
EVERYWHERE: Final = dict.fromkeys(["a1", "a2", "b1"], CLAIM)
ONCE: Final = ["ReadWriteOncePod"]
CONFLICT, STATE = "isVolumeConflict", "calPreFilterState"


class Row(NamedTuple):
    """A rule about two disks, and whether they go together."""

    rule: str
    wanted: dict[str, Any]
    there: dict[str, Any]
    fits: bool


def gce(name: str, **rest: Any) -> dict[str, Any]:
    return {"gcePersistentDisk": {"pdName": name, **rest}}


def aws(name: str, **rest: Any) -> dict[str, Any]:
    return {"awsElasticBlockStore": {"volumeID": name, **rest}}


def iscsi(name: str, **rest: Any) -> dict[str, Any]:
    return {"iscsi": {"iqn": name, "targetPortal": "t", "lun": 0, **rest}}


def rbd(*monitors: str, pool: str = "p", image: str = "i", **rest: Any) -> dict[str, Any]:
    return {"rbd": {"monitors": list(monitors), "pool": pool, "image": image, **rest}}


READ: Final[dict[str, Any]] = {"readOnly": True}
AZURE: Final = {"azureDisk": {"diskURI": "u"}}
CINDER: Final = {"cinder": {"volumeID": "v"}}
DISKS = [
    Row("gce: one pod has a disk", gce("d"), gce("d"), fits=False),
    Row("gce: another disk", gce("d"), gce("e"), fits=True),
    Row("gce: both only read", gce("d", **READ), gce("d", **READ), fits=True),
    Row("gce: one only reads", gce("d", **READ), gce("d"), fits=False),
    Row("aws: one pod has a volume", aws("v"), aws("v"), fits=False),
    Row("aws: reading is no excuse", aws("v", **READ), aws("v", **READ), fits=False),
    Row("aws: another volume", aws("v"), aws("w"), fits=True),
    Row("iscsi: one pod writes to a target", iscsi("q"), iscsi("q", lun=1), fits=False),
    Row("iscsi: both only read", iscsi("q", **READ), iscsi("q", **READ), fits=True),
    Row("iscsi: one only reads", iscsi("q"), iscsi("q", **READ), fits=False),
    Row("iscsi: another target", iscsi("q"), iscsi("r"), fits=True),
    Row("rbd: one common monitor is enough", rbd("m", "n"), rbd("n", "o"), fits=False),
    Row("rbd: no common monitor", rbd("m"), rbd("n"), fits=True),
    Row("rbd: another pool", rbd("m"), rbd("m", pool="q"), fits=True),
    Row("rbd: another image", rbd("m"), rbd("m", image="j"), fits=True),
    Row("rbd: both only read", rbd("m", **READ), rbd("m", **READ), fits=True),
    Row("rbd: one only reads", rbd("m", **READ), rbd("m"), fits=False),
    Row("disks of different kinds", gce("d"), aws("d"), fits=True),
    Row("azure disks are left alone", AZURE, AZURE, fits=True),
    Row("cinder volumes are left alone", CINDER, CINDER, fits=True),
]


@pytest.mark.parametrize("row", DISKS, ids=lambda row: row.rule)
def test_one_pod_of_a_node_has_a_disk(row: Row) -> None:
    """As isVolumeConflict."""
    there = make.pod("there", node_name="a1", volumes=mv.using(**row.there))
    found = rejected(VolumeRestrictions(), user(**row.wanted), nodes_with(pods=[there]))
    assert found == ({} if row.fits else {"a1": DISK})


def uses(*claims: str, name: str = "there", **rest: Any) -> Pod:
    volumes = mv.using(*claims, ephemeral=rest.pop("ephemeral", ()))
    return make.pod(name, volumes=volumes, **{"node_name": "a1", **rest})


class Claim(NamedTuple):
    """A rule about a claim of the pod, named c, and who else uses it."""

    rule: str
    source: str
    modes: list[str]
    there: list[Pod]
    wanted: dict[str, list[tuple[str, bool]]]


CLAIMS = [
    Claim("a claim for one pod is in use", STATE, ONCE, [uses("c")], EVERYWHERE),
    Claim("nobody uses it", STATE, ONCE, [uses("d")], {}),
    Claim("other access modes are for many", STATE, ["ReadWriteOnce"], [uses("c")], {}),
    Claim("one mode of several is enough", STATE, [*ONCE, "ReadOnlyMany"], [uses("c")], EVERYWHERE),
    Claim("other namespaces have claims of their own", STATE, ONCE, [uses("c", namespace="x")], {}),
    Claim(
        "pods on nodes that are not known do not count",
        "snapshot.go usedPVCSet",
        ONCE,
        [uses("c", node_name="gone")],
        {},
    ),
    Claim(
        "generic ephemeral volumes are not looked at",
        "types.go updatePVCRefCounts",
        ONCE,
        [uses(ephemeral=["c"], name="")],
        {},
    ),
]


@pytest.mark.parametrize("row", CLAIMS, ids=lambda row: row.rule)
def test_one_pod_has_a_claim(row: Claim) -> None:
    cache = nodes_with(mv.claim("c", modes=row.modes), mv.claim("d", modes=ONCE), pods=row.there)
    assert rejected(VolumeRestrictions(), user("c"), cache) == row.wanted


def test_missing_claim_rejects_the_pod() -> None:
    """As readWriteOncePodPVCsForPod."""
    reason = 'persistentvolumeclaim "c" not found'
    assert rejected(VolumeRestrictions(), user("c"), nodes_with()) == {"*": [(reason, False)]}


def test_disk_is_told_before_the_claim() -> None:
    """As Filter: one reason a node."""
    there = make.pod("there", node_name="a1", volumes=mv.using("c", **gce("d")))
    cache = nodes_with(mv.claim("c", modes=ONCE), pods=[there])
    found = rejected(VolumeRestrictions(), user("c", **gce("d")), cache)
    assert found == EVERYWHERE | {"a1": DISK}


def test_pod_is_skipped_where_nothing_can_clash() -> None:
    """As PreFilter: without disks, and with claims that nobody uses."""
    cache = nodes_with(mv.claim("c", modes=ONCE))
    assert not alone(VolumeRestrictions()).filter(user("c"), cache).states


@pytest.mark.parametrize(
    ("rule", "there", "leaving", "left"),
    [
        ("its only user leaves", [uses("c")], [0], 0),
        ("a pod that does not use it leaves", [uses("c"), uses("d", name="other")], [1], 1),
        ("of several users one leaves", [uses("c"), uses("c", name="other")], [0], 0),
        (
            "a namesake of the claim in another namespace is taken for it",
            [uses("c"), uses("c", name="other", namespace="x")],
            [1],
            0,
        ),
    ],
)
def test_uses_are_counted_as_pods_come_and_go(
    rule: str, there: list[Pod], leaving: list[int], left: int
) -> None:
    """As updateWithPod: the claim counts once, however many pods use it, and each that goes is one.

    The last two are what upstream does, not what is true.
    """
    cache = nodes_with(mv.claim("c", modes=ONCE), mv.claim("d"), pods=there)
    plugin = VolumeRestrictions()
    state: Any = alone(plugin).filter(user("c"), cache).states[plugin.name]
    removed = [cache.pod_info(there[place]) for place in leaving]
    changed = state.with_changes({1: Changes(), 0: Changes(removed=removed)})
    assert changed.conflicts.tolist() == [1, left], rule
    back = changed.with_changes({1: Changes(added=removed)})
    assert back.conflicts.tolist() == [1], rule
