"""The volume plugins decide as their simple twins; the index of volumes equals a rebuilt one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import make
import make_volumes as mv
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.api.volumes import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.cache.volume_index import KINDS
from pilotfish.framework import EnabledPlugin, Plugin
from pilotfish.framework.node_table import Changes
from pilotfish.framework.profile_results import Filtered
from pilotfish.plugins.node_volume_limits import NodeVolumeLimits
from pilotfish.plugins.volume_binding import VolumeBinding
from pilotfish.plugins.volume_restrictions import VolumeRestrictions
from pilotfish.plugins.volume_zone import VolumeZone
from property import volume_twins as twins
from property.test_plugins import decide
from property.volume_twins import World
from unit.plugins.deciding import alone

HOSTNAME, ZONE = make.HOSTNAME_LABEL, make.ZONE_LABEL
REGION = "topology.kubernetes.io/region"
BETA_ZONE = "failure-domain.beta.kubernetes.io/zone"
AWS_ZONE = "topology.ebs.csi.aws.com/zone"
PAIRS = (
    (VolumeRestrictions, twins.VolumeRestrictions),
    (VolumeZone, twins.VolumeZone),
    (NodeVolumeLimits, twins.NodeVolumeLimits),
    (VolumeBinding, twins.VolumeBinding),
)
KEY_OF = {
    PersistentVolume: "volumes",
    PersistentVolumeClaim: "claims",
    StorageClass: "classes",
    CSINode: "csi_nodes",
    CSIDriver: "drivers",
    CSIStorageCapacity: "capacities",
    VolumeAttachment: "attachments",
}

node_names = st.sampled_from([f"n{i}" for i in range(4)])
volume_names = st.sampled_from([f"pv{i}" for i in range(6)])
claim_names = st.sampled_from([f"c{i}" for i in range(5)])
class_names = st.sampled_from(["slow", "slow", "fast", "local"])
sizes = st.sampled_from(["1Gi", "1Gi", "2Gi", "3Gi"])
zones = st.sampled_from(["z1", "z2"])
modes = st.sampled_from(
    [["ReadWriteOnce"], ["ReadWriteOncePod"], ["ReadWriteOnce", "ReadOnlyMany"]]
)
versions = st.sampled_from("123")
drivers = st.sampled_from(["ebs.example.com", "ebs.csi.aws.com"])
reads_only = st.booleans()
disks = st.one_of(
    st.builds(
        lambda name, ro: {"gcePersistentDisk": {"pdName": name, "readOnly": ro}},
        st.sampled_from("ab"),
        reads_only,
    ),
    st.builds(lambda name: {"awsElasticBlockStore": {"volumeID": name}}, st.sampled_from("ab")),
    st.builds(
        lambda iqn, ro: {"iscsi": {"iqn": iqn, "readOnly": ro}}, st.sampled_from("ab"), reads_only
    ),
    st.builds(
        lambda monitors, image, ro: {
            "rbd": {"monitors": monitors, "pool": "p", "image": image, "readOnly": ro}
        },
        st.lists(st.sampled_from("xyz"), min_size=1, max_size=2),
        st.sampled_from("ab"),
        reads_only,
    ),
)


def reach() -> st.SearchStrategy[dict[str, list[str]] | None]:
    return st.one_of(
        st.none(),
        st.builds(lambda name: {HOSTNAME: [name]}, node_names),
        st.builds(lambda *some: {ZONE: list(some)}, zones, zones),
        st.builds(lambda name, zone: {HOSTNAME: [name], ZONE: [zone]}, node_names, zones),
    )


@st.composite
def volumes(draw: st.DrawFn) -> PersistentVolume:
    source = draw(st.sampled_from(["csi", "csi", "aws", "gce", "none"]))
    rest: dict[str, Any] = {}
    if source == "csi":
        rest = {"handle": draw(st.sampled_from("abc")), "driver": draw(drivers)}
    elif source == "aws":
        rest = {"awsElasticBlockStore": {"volumeID": draw(st.sampled_from("abc"))}}
    elif source == "gce":
        rest = {"gcePersistentDisk": {"pdName": draw(st.sampled_from("abc"))}}
    labels = draw(
        st.fixed_dictionaries(
            {},
            optional={
                ZONE: st.sampled_from(["z1", "z2", "z1__z2", ""]),
                BETA_ZONE: zones,
                REGION: st.just("r"),
                "tier": st.sampled_from("ab"),
            },
        )
    )
    return mv.volume(
        draw(volume_names),
        size=draw(sizes),
        class_name=draw(class_names),
        modes=draw(modes),
        on=draw(reach()),
        claim=draw(st.sampled_from(["", "", ""]) | claim_names),
        claim_uid=draw(st.sampled_from([None, None, "", "another"])),
        phase=draw(st.sampled_from(["", "", "", "Released"])),
        version=draw(versions),
        labels=labels,
        volumeMode=draw(st.sampled_from(["Filesystem"] * 4 + ["Block"])),
        metadata=draw(st.sampled_from([{}] * 5 + [{"deletionTimestamp": "2026-01-01T00:00:00Z"}])),
        **rest,
    )


@st.composite
def claims(draw: st.DrawFn, *, may_be_broken: bool = True) -> PersistentVolumeClaim:
    state = draw(st.sampled_from(["bound", "waiting", "waiting", "chosen", "named"]))
    rest: dict[str, Any] = {}
    if state == "bound":
        rest = {"bound_to": draw(volume_names)}
    elif state == "chosen":
        rest = {"node": draw(node_names)}
    elif state == "named":
        rest = {"volume_name": draw(volume_names)}
    broken = [{"phase": "Lost"}, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}]
    if may_be_broken:
        rest |= draw(st.sampled_from([{}] * 8 + broken))
    if draw(st.integers(0, 3)) == 0:
        rest["selector"] = {"matchLabels": {"tier": "a"}}
    return mv.claim(
        draw(claim_names),
        size=draw(sizes | st.none()),
        class_name=draw(st.sampled_from(["slow", "fast", "local", "missing", None])),
        modes=draw(modes),
        version=draw(versions),
        **rest,
    )


some_classes = st.builds(
    mv.storage_class,
    class_names,
    mode=st.sampled_from([mv.WAIT, mv.WAIT, mv.WAIT, "Immediate"]),
    provisioner=st.sampled_from(
        ["ebs.example.com", "kubernetes.io/no-provisioner", "kubernetes.io/aws-ebs"]
    ),
    topologies=st.lists(st.builds(lambda zone: {ZONE: [zone]}, zones) | st.just({}), max_size=2),
)
some_csi_nodes = st.builds(
    mv.csi_node,
    node_names,
    st.dictionaries(drivers, st.sampled_from([0, 1, 2, 3, None])),
    st.sampled_from(["", "kubernetes.io/aws-ebs", "kubernetes.io/aws-ebs,kubernetes.io/gce-pd"]),
)
some_drivers = st.builds(mv.csi_driver, drivers, capacity=st.booleans())
some_capacities = st.builds(
    mv.capacity,
    st.sampled_from(["k1", "k2", "k3"]),
    st.sampled_from([None, "1Gi", "2Gi"]),
    class_name=class_names,
    largest=st.sampled_from([None, None, "1Gi"]),
    topology=st.sampled_from([{}, {ZONE: "z1"}]),
    has_topology=st.sampled_from([True, True, False]),
)
some_attachments = st.builds(
    mv.attachment, st.sampled_from("uvw"), node_names, volume_names | st.none(), drivers
)
objects: st.SearchStrategy[KubernetesObject] = st.one_of(
    volumes(),
    volumes(),
    claims(),
    claims(),
    some_classes,
    some_csi_nodes,
    some_drivers,
    some_capacities,
    some_attachments,
)


@st.composite
def users(draw: st.DrawFn, name: str, node_name: str = "") -> Pod:
    """Make a pod with some volumes."""
    some: list[dict[str, Any]] = mv.using(*draw(st.lists(claim_names, max_size=2)))
    some += draw(st.lists(disks, max_size=2))
    given_volumes = [{**one, "name": f"v{i}"} for i, one in enumerate(some)]
    return make.pod(name, node_name=node_name, volumes=given_volumes)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, ClusterCache]:
    world, cache = World(), ClusterCache()
    optional = {
        ZONE: zones,
        BETA_ZONE: zones,
        REGION: st.sampled_from(["r", "q"]),
        AWS_ZONE: zones,
    }
    for name in draw(st.lists(node_names, unique=True, min_size=1)):
        labels = draw(st.fixed_dictionaries({}, optional=optional))
        world.nodes[name] = make.node(name, labels=labels)
        world.pods[name] = [
            draw(users(f"{name}-{i}", name)) for i in range(draw(st.integers(0, 2)))
        ]
    for thing in draw(st.lists(objects, max_size=25)):
        getattr(world, KEY_OF[type(thing)])[thing.key] = thing
    for claim in draw(st.lists(claims(may_be_broken=False), max_size=4)):
        world.claims[claim.key] = claim
    for name in ("slow", "fast", "local"):
        world.classes.setdefault(name, mv.storage_class(name))
    for node in world.nodes.values():
        cache.set_node(node)
        for pod in world.pods[node.name]:
            cache.set_pod(pod)
    for kind in KEY_OF.values():
        for thing in getattr(world, kind).values():
            cache.volumes.put(thing)
    return world, cache


def decided(plugin: Plugin, cache: ClusterCache, pod: Pod) -> dict[str, Any]:
    """Say what a plugin makes of a pod; which of several things is wrong comes first is told."""
    found = decide([EnabledPlugin(plugin)], cache, pod)
    whole = [one.reason for one in alone(plugin).filter(pod, cache).rejections if one.mask is None]
    return {**found, "whole": whole}


@settings(max_examples=250)
@given(st.sampled_from(PAIRS), worlds(), users("pending"))
def test_each_plugin_equals_its_twin(
    pair: tuple[Any, Any], known: tuple[World, ClusterCache], pod: Pod
) -> None:
    """Feasible nodes, and who is rejected for what."""
    plugin, twin = pair
    world, cache = known
    if plugin is NodeVolumeLimits:  # what is missing it says of each node
        for _, name in twins.claim_names(pod):
            claim = mv.claim(name)
            if claim.key not in world.claims:
                world.claims[claim.key] = claim
                cache.volumes.put(claim)
    assert decided(plugin(), cache, pod) == decided(twin(world), cache, pod)


@settings(max_examples=150)
@given(st.sampled_from([VolumeRestrictions, NodeVolumeLimits]), worlds(), st.data())
def test_what_would_be_is_what_comes_to_be(
    make_plugin: Any, known: tuple[World, ClusterCache], data: st.DataObject
) -> None:
    """For each row by itself, some pods leave, first as a question."""
    world, cache = known
    for name in "01234":
        cache.volumes.put(mv.claim(f"c{name}", modes=["ReadWriteOncePod"]))
    pod, plugin = data.draw(users("pending")), make_plugin()
    profile = alone(plugin)
    before = profile.filter(pod, cache)
    if plugin.name not in before.states:
        return
    uses = Counter(claims_of([one for here in world.pods.values() for one in here]))
    assume(all(uses[name] <= 1 for name in claims_of([pod])))  # else see the parity table
    state: Any = before.states[plugin.name]
    for row, name in enumerate(cache.nodes.names):
        here = world.pods[name]
        gone = data.draw(st.lists(st.sampled_from(here), unique_by=id)) if here else []
        changes = {row: Changes(removed=[cache.pod_info(one) for one in gone])}
        changed = state.with_changes(changes) if hasattr(state, "with_changes") else state
        asked = Filtered(np.ones(1, dtype=np.bool_), (), {plugin.name: changed})
        would_fit = profile.refilter(pod, cache.nodes.overlay(changes), asked).feasible.tolist()
        for one in gone:
            cache.remove_pod(one.uid)
        fits = profile.filter(pod, cache).feasible[row]
        assert [fits] == would_fit
        for one in gone:
            cache.set_pod(one)


def claims_of(pods: list[Pod]) -> list[str]:
    return [name for pod in pods for _, name in twins.claim_names(pod)]


news = st.one_of(
    st.tuples(st.just("put"), objects),
    st.tuples(st.just("put"), objects),
    st.tuples(st.just("remove"), objects),
    st.tuples(st.just("set_node"), node_names),
    st.tuples(st.just("remove_node"), node_names),
    st.tuples(st.just("recreate"), objects),
)
PLURAL_OF = {kind: plural for plural, kind in KINDS.items()}


@settings(max_examples=80)
@given(st.lists(news, max_size=40))
def test_index_equals_one_rebuilt_after_any_history(history: list[tuple[str, Any]]) -> None:
    cache, things, nodes = ClusterCache(), dict[tuple[str, str], KubernetesObject](), set[str]()
    for turn, (what, thing) in enumerate(history):
        match what:
            case "put":
                cache.volumes.put(thing)
                things[PLURAL_OF[type(thing)], thing.key] = thing
            case "remove":
                kind = PLURAL_OF[type(thing)]
                cache.volumes.remove(kind, thing.uid)
                known = things.get((kind, thing.key))
                if known is not None and known.uid == thing.uid:
                    del things[kind, thing.key]
            case "recreate":  # the new one is known before the end of the old one
                kind, key = PLURAL_OF[type(thing)], thing.key
                renewed = with_uid(thing, f"{thing.uid}-{turn}")
                cache.volumes.put(renewed)
                old, things[kind, key] = things.get((kind, key)), renewed
                if old is not None:
                    cache.volumes.remove(kind, old.uid)
            case "set_node":
                cache.set_node(make.node(thing))
                nodes.add(thing)
            case _:
                cache.remove_node(thing)
                nodes.discard(thing)
        cache.check_invariants()
    rebuilt = ClusterCache()
    for name in nodes:
        rebuilt.set_node(make.node(name))
    for thing in things.values():
        rebuilt.volumes.put(thing)
    assert described(cache) == described(rebuilt)


def with_uid(thing: KubernetesObject, uid: str) -> KubernetesObject:
    return replace(thing, metadata=replace(thing.metadata, uid=uid))


def described(cache: ClusterCache) -> dict[str, Any]:
    """Say all that can be asked."""
    volumes, nodes = cache.volumes, cache.nodes
    return {
        "classes": dict(volumes.classes),
        "drivers": dict(volumes.drivers),
        "volumes": [volumes.volume(f"pv{i}") for i in range(6)],
        "claims": [volumes.claim(f"default/c{i}") for i in range(5)],
        "free": {
            name: sorted(volumes.free_volumes(name), key=lambda one: one.name)
            for name in ("slow", "fast", "local")
        },
        "set aside": [
            sorted(volumes.volumes_set_aside(mv.claim(f"c{i}")), key=lambda one: one.name)
            for i in range(5)
        ],
        "capacities": {
            name: sorted(volumes.capacities(name), key=lambda one: one.name)
            for name in ("slow", "fast", "local")
        },
        "nodes": {
            name: (nodes.drivers.of(row), nodes.attachments.of(row))
            for row, name in enumerate(nodes.names)
        },
    }
