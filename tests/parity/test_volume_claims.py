"""What VolumeBinding has done for a pod's claims, as kubernetes v1.36.3 does it.

The folder is pkg/scheduler/framework/plugins/volumebinding; pv_helpers.go is that of
staging/src/k8s.io/component-helpers/storage/volume.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pytest

import make_volumes as mv
from parity.volume_nodes import in_zone, nodes_with, user
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.binding import PreBind
from pilotfish.framework.errors import BindingError
from pilotfish.plugins.volume_binding import VolumeBinding
from unit.plugins.deciding import alone

STATIC: Final = mv.storage_class("slow", provisioner="kubernetes.io/no-provisioner")
MADE: Final = mv.storage_class("slow")
BOUND_CLAIM: Final = mv.claim("c", bound_to="v")


def planned(cache: ClusterCache, pod: Pod, node_name: str) -> tuple[dict[str, Any], PreBind | None]:
    """Say what is assumed for a pod on a node, by name, and what is then wanted."""
    plugin = VolumeBinding(bind_timeout_seconds=7)
    state: Any = alone(plugin).filter(pod, cache).states[plugin.name]
    assumed = plugin.reserve(pod, node_name, cache, state)
    objects = assumed.objects if assumed else ()
    for _, thing in objects:
        cache.volumes.put(thing)
    return {thing.name: thing for _, thing in objects}, plugin.pre_bind(pod)


def test_claims_get_the_smallest_volumes() -> None:
    """As pv_helpers.go FindMatchingVolume; of equal ones the first by name."""
    volumes = [
        mv.volume("v4", size="2Gi", on=in_zone("a")),
        mv.volume("v3", size="1Gi", on=in_zone("b")),
        mv.volume("v2", size="2Gi", on=in_zone("a")),
        mv.volume("v1", size="5Gi"),
    ]
    cache = nodes_with(*volumes, STATIC, mv.claim("c"), mv.claim("d", size="2Gi"))
    assumed, _ = planned(cache, user("c", "d"), "a1")
    of = {name: volume.spec.claim_ref.name for name, volume in assumed.items()}
    assert of == {"v2": "c", "v4": "d"}


def test_volume_is_given_to_the_claim_as_the_volume_controller_would() -> None:
    """As pv_helpers.go GetBindVolumeToClaim and binder.go bindAPIUpdate."""
    cache = nodes_with(mv.volume("v", version="5"), STATIC, mv.claim("c", version="6"))
    _, wanted = planned(cache, user("c"), "a1")
    assert wanted is not None
    (patch,) = wanted.writes
    assert (patch.kind, patch.name, patch.namespace) == ("persistentvolumes", "v", "")
    assert (patch.uid, patch.resource_version) == ("uid-v", "5")
    assert patch.body == {
        "metadata": {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}},
        "spec": {
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": "default",
                "name": "c",
                "uid": "uid-c",
                "resourceVersion": "6",
            }
        },
    }
    assert (wanted.timeout_seconds, wanted.timeout_message) == (
        7,
        "binding volumes: context deadline exceeded",
    )


def test_volume_that_a_person_set_aside_is_not_marked_as_the_controllers() -> None:
    """As pv_helpers.go GetBindVolumeToClaim."""
    volume = mv.volume("v", claim="c", claim_uid="", phase="Available")
    assumed, wanted = planned(nodes_with(volume, STATIC, mv.claim("c")), user("c"), "a1")
    assert assumed["v"].spec.claim_ref.uid == "uid-c"
    assert wanted is not None
    assert "metadata" not in wanted.writes[0].body


def test_claim_is_told_the_node_for_which_its_volume_is_made() -> None:
    """As binder.go AssumePodVolumes."""
    cache = nodes_with(MADE, mv.claim("c", version="6"))
    assumed, wanted = planned(cache, user("c"), "a2")
    assert assumed["c"].metadata.annotations.selected_node == "a2"
    assert wanted is not None
    (patch,) = wanted.writes
    assert (patch.kind, patch.namespace, patch.name) == ("persistentvolumeclaims", "default", "c")
    assert (patch.uid, patch.resource_version) == ("uid-c", "6")
    selected = {"volume.kubernetes.io/selected-node": "a2"}
    assert patch.body == {"metadata": {"annotations": selected}}


def test_what_is_as_it_should_be_is_not_written_again() -> None:
    cache = nodes_with(MADE, mv.claim("c", node="a2"), mv.claim("d"), mv.volume("v", claim="d"))
    assumed, wanted = planned(cache, user("c", "d"), "a2")
    assert not assumed
    assert wanted is not None
    assert not wanted.writes


def test_pod_whose_claims_are_bound_waits_for_nothing() -> None:
    cache = nodes_with(BOUND_CLAIM, mv.volume("v", claim="c"))
    assert planned(cache, user("c"), "a1") == ({}, None)


def test_volume_that_was_set_aside_before_is_not_waited_for_twice() -> None:
    """Nothing is written of it, so no newer version of it needs to come."""
    cache = nodes_with(mv.volume("v", claim="c"), STATIC, mv.claim("c"))
    _, wanted = planned(cache, user("c"), "a1")
    assert wanted is not None
    assert wanted.until is not None
    assert not wanted.until(cache)
    cache.volumes.put(BOUND_CLAIM)
    assert wanted.until(cache)


def test_plan_is_for_one_binding_cycle() -> None:
    plugin, pod = VolumeBinding(), user("c")
    cache = nodes_with(mv.volume("v"), STATIC, mv.claim("c"))
    state: Any = alone(plugin).filter(pod, cache).states[plugin.name]
    plugin.reserve(pod, "a1", cache, state)
    plugin.unreserve(pod)
    assert plugin.pre_bind(pod) is None
    plugin.reserve(pod, "a1", cache, state)
    assert plugin.pre_bind(pod) is not None
    assert plugin.pre_bind(pod) is None


WAITS, FAILS = False, "binding volumes: "
OURS: Final = mv.volume("v", claim="c", version="2", on=in_zone("a"))
BOUND_NOW: Final = mv.claim("c", bound_to="v", version="2")


class Until(NamedTuple):
    """A rule: what has happened meanwhile, and whether the pod may be bound now."""

    rule: str
    objects: Sequence[KubernetesObject]
    wanted: bool | str


STATICS = [
    Until("our write must come back", [BOUND_NOW], WAITS),
    Until("the claim must be bound", [OURS], WAITS),
    Until("both will do", [OURS, BOUND_NOW], True),
    Until(
        "the volume must be reached still",
        [mv.volume("v", claim="c", version="2", on=in_zone("b")), BOUND_NOW],
        'pv "v" node affinity doesn\'t match node "a1": no matching NodeSelectorTerms',
    ),
    Until(
        "the volume must be the claim's still",
        [mv.volume("v", version="3", on=in_zone("a"))],
        'ClaimRef got reset for pv "v"',
    ),
]


@pytest.mark.parametrize("row", STATICS, ids=lambda row: row.rule)
def test_pod_waits_until_its_volume_is_bound(row: Until) -> None:
    """As binder.go checkBindings."""
    check(nodes_with(mv.volume("v", on=in_zone("a")), STATIC, mv.claim("c")), row)


CHOSEN: Final = mv.claim("c", node="a1", version="2")
DYNAMICS = [
    Until("our write must come back", [], WAITS),
    Until("the claim must be bound", [CHOSEN], WAITS),
    Until(
        "the volume must be known",
        [mv.claim("c", node="a1", bound_to="v", version="3")],
        WAITS,
    ),
    Until(
        "then all is well",
        [mv.claim("c", node="a1", bound_to="v", version="3"), OURS],
        True,
    ),
    Until(
        "the provisioner gives up by taking the node away",
        [mv.claim("c", version="3")],
        'provisioning failed for PVC "c"',
    ),
    Until(
        "the volume must be reached from the node",
        [
            mv.claim("c", node="a1", bound_to="v", version="3"),
            mv.volume("v", claim="c", on=in_zone("b")),
        ],
        'pv "v" node affinity doesn\'t match node "a1": no matching NodeSelectorTerms',
    ),
]


@pytest.mark.parametrize("row", DYNAMICS, ids=lambda row: row.rule)
def test_pod_waits_until_its_volume_is_made(row: Until) -> None:
    """As binder.go checkBindings."""
    check(nodes_with(MADE, mv.claim("c")), row)


def check(cache: ClusterCache, row: Until) -> None:
    """Choose the node a1, let things happen, and ask."""
    _, wanted = planned(cache, user("c"), "a1")
    assert wanted is not None
    assert wanted.until is not None
    for thing in row.objects:
        cache.volumes.put(thing)
    if isinstance(row.wanted, bool):
        assert wanted.until(cache) is row.wanted
        return
    with pytest.raises(BindingError) as caught:
        wanted.until(cache)
    assert str(caught.value) == FAILS + row.wanted


@pytest.mark.parametrize(
    ("kind", "uid", "reason"),
    [
        ("persistentvolumes", "uid-v", 'failed to check binding: persistentvolumes "v" not found'),
        (
            "persistentvolumeclaims",
            "uid-c",
            'failed to check binding: persistentvolumeclaims "default/c" not found',
        ),
    ],
)
def test_what_goes_meanwhile_ends_the_wait(kind: str, uid: str, reason: str) -> None:
    """As binder.go checkBindings."""
    cache = nodes_with(mv.volume("v"), STATIC, mv.claim("c"))
    _, wanted = planned(cache, user("c"), "a1")
    assert wanted is not None
    assert wanted.until is not None
    cache.volumes.remove(kind, uid)
    with pytest.raises(BindingError, match=reason):
        wanted.until(cache)


def test_node_that_goes_meanwhile_ends_the_wait() -> None:
    cache = nodes_with(mv.volume("v"), STATIC, mv.claim("c"))
    _, wanted = planned(cache, user("c"), "a1")
    assert wanted is not None
    assert wanted.until is not None
    cache.remove_node("a1")
    with pytest.raises(BindingError, match='failed to get node "a1": node "a1" not found'):
        wanted.until(cache)
