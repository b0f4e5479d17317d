"""VolumeBinding rule by rule, as kubernetes v1.36.3 has it.

The folder is pkg/scheduler/framework/plugins/volumebinding; pv_helpers.go is that of
staging/src/k8s.io/component-helpers/storage/volume. Nodes: a1 and a2 in zone a, b1 in zone b.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pytest

import make
import make_volumes as mv
from parity.volume_nodes import ZONE, in_zone, nodes_with, user
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.framework.errors import PluginError
from pilotfish.plugins.volume_binding import VolumeBinding
from unit.plugins.deciding import alone, rejected

NODE: Final = ("node(s) didn't match PersistentVolume's node affinity", False)
BIND: Final = ("node(s) didn't find available persistent volumes to bind", False)
NO_VOLUME: Final = (
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
    False,
)
UNBOUND: Final = "pod has unbound immediate PersistentVolumeClaims"
LEAVING: Final = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
BETA_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
AWS: Final[dict[str, Any]] = {"awsElasticBlockStore": {"volumeID": "vol-1"}}
OLD_ZONE: Final = "failure-domain.beta.kubernetes.io/zone"
OLD_REGION: Final = "failure-domain.beta.kubernetes.io/region"
AWS_PLUGIN: Final = "kubernetes.io/aws-ebs"
HAS, CLAIMS = "volume_binding.go podHasPVCs", "binder.go GetPodVolumeClaims"
BOUND, FIND = "binder.go checkBoundClaims", "binder.go FindPodVolumes"
MATCH, PROVISION = "pv_helpers.go FindMatchingVolume", "binder.go checkVolumeProvisions"
TRANSLATE: Final = "binder.go tryTranslatePVToCSI"
STATIC: Final = mv.storage_class("slow", provisioner="kubernetes.io/no-provisioner")
MADE: Final = mv.storage_class("slow")
WITHOUT_MODE: Final = mv.storage_class("slow", mode=None)


class Whole(NamedTuple):
    """A rule by which a pod is rejected as a whole."""

    rule: str
    source: str
    pod: Pod
    objects: Sequence[KubernetesObject]
    reason: str


WHOLES = [
    Whole("a claim must be there", HAS, user("c"), (), 'persistentvolumeclaim "c" not found'),
    Whole(
        "the claim of an ephemeral volume is waited for",
        HAS,
        user(ephemeral=["e"]),
        (),
        'waiting for ephemeral volume controller to create the persistentvolumeclaim "pending-e"',
    ),
    Whole(
        "a claim may not be lost",
        HAS,
        user("c"),
        [mv.claim("c", bound_to="v", phase="Lost")],
        'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
    ),
    Whole(
        "a claim may not be on its way out",
        HAS,
        user("c"),
        [mv.claim("c", bound_to="v", metadata=LEAVING)],
        'persistentvolumeclaim "c" is being deleted',
    ),
    Whole(
        "the claim of an ephemeral volume is the pod's",
        HAS,
        user(ephemeral=["e"]),
        [mv.claim("pending-e", bound_to="v", owner="uid-another")],
        "PVC default/pending-e was not created for pod default/pending (pod is not owner)",
    ),
    Whole(
        "the first bad claim is told",
        HAS,
        user("x", "y"),
        (),
        'persistentvolumeclaim "x" not found',
    ),
    Whole(
        "without a class a claim is bound at once",
        CLAIMS,
        user("c"),
        [mv.claim("c", class_name=None)],
        UNBOUND,
    ),
    Whole("with an unknown class, too", CLAIMS, user("c"), [mv.claim("c")], UNBOUND),
    Whole(
        "a class may say so",
        CLAIMS,
        user("c"),
        [mv.claim("c"), mv.storage_class("slow", mode="Immediate")],
        UNBOUND,
    ),
    Whole(
        "a claim that names its volume is no longer for the scheduler",
        CLAIMS,
        user("c"),
        [mv.claim("c", volume_name="v"), STATIC],
        UNBOUND,
    ),
    Whole(
        "the old annotation names the class first",
        "class.go GetPersistentVolumeClaimClass",
        user("c"),
        [mv.claim("c", annotations={BETA_CLASS: "none"}), STATIC],
        UNBOUND,
    ),
]


@pytest.mark.parametrize("row", WHOLES, ids=lambda row: row.rule)
def test_pod_is_rejected_as_a_whole(row: Whole) -> None:
    found = rejected(VolumeBinding(), row.pod, nodes_with(*row.objects))
    assert found == {"*": [(row.reason, False)]}


class Row(NamedTuple):
    """A rule: what speaks against the nodes that do not fit."""

    rule: str
    source: str
    pod: Pod
    objects: Sequence[KubernetesObject]
    wanted: dict[str, list[tuple[str, bool]]]


def nowhere(*reasons: tuple[str, bool]) -> dict[str, list[tuple[str, bool]]]:
    return {name: list(reasons) for name in ("a1", "a2", "b1")}


def unfit(reason: tuple[str, bool], *names: str) -> dict[str, list[tuple[str, bool]]]:
    return {name: [reason] for name in names}


BOUND_CLAIM = mv.claim("c", bound_to="v")
ROWS = [
    Row(
        "a bound volume is reached from some nodes",
        BOUND,
        user("c"),
        [BOUND_CLAIM, mv.volume("v", on=in_zone("a"), claim="c")],
        unfit(NODE, "b1"),
    ),
    Row(
        "one without node affinity from all",
        BOUND,
        user("c"),
        [BOUND_CLAIM, mv.volume("v", claim="c")],
        {},
    ),
    Row("a bound volume must exist", BOUND, user("c"), [BOUND_CLAIM], nowhere(NO_VOLUME)),
    Row(
        "the first bad claim decides",
        BOUND,
        user("c", "d"),
        [BOUND_CLAIM, mv.volume("v", on=in_zone("a"), claim="c"), mv.claim("d", bound_to="w")],
        unfit(NO_VOLUME, "a1", "a2") | unfit(NODE, "b1"),
    ),
    Row(
        "a condition on the node's name is never met",
        "helpers.go CheckNodeAffinity",
        user("c"),
        [
            BOUND_CLAIM,
            mv.volume(
                "v",
                claim="c",
                nodeAffinity={
                    "required": {
                        "nodeSelectorTerms": [
                            {
                                "matchFields": [
                                    {"key": "metadata.name", "operator": "In", "values": ["a1"]}
                                ]
                            }
                        ]
                    }
                },
            ),
        ],
        nowhere(NODE),
    ),
    Row(
        "a bound and a waiting claim give two reasons",
        FIND,
        user("c", "d"),
        [BOUND_CLAIM, mv.volume("v", on=in_zone("a"), claim="c"), mv.claim("d"), STATIC],
        unfit(BIND, "a1", "a2") | {"b1": [NODE, BIND]},
    ),
    Row(
        "a migrated disk is reached by its driver's labels",
        TRANSLATE,
        user("c"),
        [
            BOUND_CLAIM,
            mv.volume("v", on=in_zone("a"), claim="c", **AWS),
            mv.csi_node("a1", migrated=f"other,{AWS_PLUGIN}"),
            mv.csi_node("a2", migrated=AWS_PLUGIN),
        ],
        unfit(NODE, "a2", "b1"),
    ),
    Row(
        "on nodes where its driver serves it only",
        TRANSLATE,
        user("c"),
        [BOUND_CLAIM, mv.volume("v", on=in_zone("a"), claim="c", **AWS), mv.csi_node("a2")],
        unfit(NODE, "b1"),
    ),
    Row(
        "zones in its labels become a condition",
        "in_tree_volume.go translateTopologyFromInTreeToCSI",
        user("c"),
        [
            BOUND_CLAIM,
            mv.volume("v", labels={ZONE: "a__z"}, claim="c", **AWS),
            mv.csi_node("a2", migrated=AWS_PLUGIN),
        ],
        unfit(NODE, "a2"),
    ),
    Row(
        "the old label of the region becomes the new one",
        "in_tree_volume.go translateTopologyFromInTreeToCSI",
        user("c"),
        [
            BOUND_CLAIM,
            mv.volume("v", on={OLD_ZONE: ["a"], OLD_REGION: ["r"]}, claim="c", **AWS),
            mv.csi_node("a1", migrated=AWS_PLUGIN),
            mv.csi_node("a2", migrated=AWS_PLUGIN),
        ],
        unfit(NODE, "a2", "b1"),
    ),
    Row(
        "a claim keeps to the node chosen for it",
        FIND,
        user("c"),
        [mv.claim("c", node="a2"), MADE],
        unfit(BIND, "a1", "b1"),
    ),
    Row(
        "which gets no volume that is there",
        FIND,
        user("c"),
        [mv.claim("c", node="a2"), STATIC, mv.volume("v")],
        nowhere(BIND),
    ),
    Row(
        "two claims need two volumes",
        "binder.go findMatchingVolumes",
        user("c", "d"),
        [
            mv.claim("c"),
            mv.claim("d"),
            STATIC,
            mv.volume("v", on=in_zone("a")),
            mv.volume("w", on={make.HOSTNAME_LABEL: ["a1"]}),
        ],
        unfit(BIND, "a2", "b1"),
    ),
    Row(
        "the smaller claim does not take the volume that the larger one needs",
        "binder.go byPVCSize",
        user("large", "small"),
        [
            mv.claim("large", size="2Gi"),
            mv.claim("small"),
            STATIC,
            mv.volume("v", size="2Gi"),
            mv.volume("w", size="1Gi"),
        ],
        {},
    ),
    Row(
        "what is not there is made",
        PROVISION,
        user("c", "d"),
        [mv.claim("c"), mv.claim("d"), MADE, mv.volume("v")],
        {},
    ),
    Row(
        "a class without provisioner makes nothing",
        PROVISION,
        user("c"),
        [mv.claim("c"), mv.storage_class("slow", provisioner="")],
        nowhere(BIND),
    ),
    Row(
        "volumes are made in the topologies of the class",
        "helpers.go MatchTopologySelectorTerms",
        user("c"),
        [mv.claim("c"), mv.storage_class("slow", topologies=[in_zone("x"), in_zone("a")])],
        unfit(BIND, "b1"),
    ),
    Row(
        "a term without conditions means no node",
        "helpers.go MatchTopologySelectorTerms",
        user("c"),
        [mv.claim("c"), mv.storage_class("slow", topologies=[{}])],
        nowhere(BIND),
    ),
]


def volume_row(rule: str, *, fits: bool, asks: dict[str, Any] | None = None, **of: Any) -> Row:
    """Make a row of a claim and the only volume there is."""
    objects = [mv.claim("c", **(asks or {})), mv.volume("v", **of), STATIC]
    return Row(rule, MATCH, user("c"), objects, {} if fits else nowhere(BIND))


BLOCK: Final[dict[str, Any]] = {"volumeMode": "Block"}
GOLD: Final[dict[str, Any]] = {"volumeAttributesClassName": "gold"}
TIER: Final[dict[str, Any]] = {"selector": {"matchLabels": {"tier": "fast"}}}
ROWS += [
    volume_row("a volume that is there will do", fits=True),
    volume_row("also a larger one", fits=True, size="2Gi"),
    volume_row("no smaller one", fits=False, size="1023Mi"),
    volume_row("a claim may ask for no size", fits=True, asks={"size": None}, size="0"),
    volume_row("no volume of another class", fits=False, class_name="fast"),
    volume_row(
        "the old annotation names the volume's class",
        fits=True,
        class_name="fast",
        annotations={BETA_CLASS: "slow"},
    ),
    volume_row("no volume of another mode", fits=False, **BLOCK),
    volume_row("a volume of the same mode", fits=True, asks=BLOCK, **BLOCK),
    volume_row("no volume with other attributes", fits=False, **GOLD),
    volume_row("a volume with the same attributes", fits=True, asks=GOLD, **GOLD),
    volume_row("no volume on its way out", fits=False, metadata=LEAVING),
    volume_row("no volume that is not available", fits=False, phase="Released"),
    volume_row("no volume without the access mode", fits=False, modes=["ReadWriteMany"]),
    volume_row("more access modes do no harm", fits=True, modes=["ReadWriteMany", "ReadWriteOnce"]),
    volume_row("no volume that the selector leaves out", fits=False, asks=TIER),
    volume_row("one that it selects", fits=True, asks=TIER, labels={"tier": "fast"}),
    volume_row("no volume of another claim", fits=False, claim="d", phase="Available"),
    volume_row("nor of a namesake", fits=False, claim="c", claim_uid="x", phase="Available"),
    volume_row("a volume that is set aside for the claim", fits=True, claim="c", claim_uid=""),
    volume_row(
        "that one may be taken whatever its phase, labels and access modes",
        fits=True,
        claim="c",
        phase="Pending",
        modes=["ReadOnlyMany"],
    ),
    volume_row("but not if it is too small", fits=False, claim="c", size="1Mi"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_nodes_are_rejected(row: Row) -> None:
    assert rejected(VolumeBinding(), row.pod, nodes_with(*row.objects)) == row.wanted


def test_pod_without_claims_is_skipped() -> None:
    """As volume_binding.go PreFilter."""
    filtered = alone(VolumeBinding()).filter(user(iscsi={"iqn": "i"}), nodes_with())
    assert VolumeBinding.name not in filtered.states


def test_class_that_does_not_say_when_to_bind_is_an_error() -> None:
    """As class.go IsDelayBindingMode."""
    with pytest.raises(PluginError, match='VolumeBindingMode not set for StorageClass "slow"'):
        rejected(VolumeBinding(), user("c"), nodes_with(mv.claim("c"), WITHOUT_MODE))
