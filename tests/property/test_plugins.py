"""Each vectorised plugin decides as its node-by-node twin, on random clusters and pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import make
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import EnabledPlugin, Plugin, Profile
from pilotfish.framework.resources import ANY_ADDRESS
from pilotfish.plugins.default import default_profile
from pilotfish.plugins.image_locality import ImageLocality
from pilotfish.plugins.node_affinity import NodeAffinity
from pilotfish.plugins.node_declared_features import (
    RESTART_ALL_CONTAINERS,
    USER_NAMESPACES_ON_HOST_NETWORK,
    NodeDeclaredFeatures,
)
from pilotfish.plugins.node_name import NodeName
from pilotfish.plugins.node_ports import NodePorts
from pilotfish.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from pilotfish.plugins.node_resources_fit import NodeResourcesFit
from pilotfish.plugins.node_unschedulable import NodeUnschedulable
from pilotfish.plugins.priority_sort import PrioritySort
from pilotfish.plugins.taint_toleration import TaintToleration
from property import twins

GPU = "example.com/gpu"
THREE = ("cpu", "memory", GPU)
MEBIBYTE = 1 << 20

PAIRS: list[tuple[Plugin, Plugin]] = [
    (NodeUnschedulable(), twins.NodeUnschedulable()),
    (NodeName(), twins.NodeName()),
    (TaintToleration(), twins.TaintToleration()),
    (NodePorts(), twins.NodePorts()),
    (NodeResourcesFit(), twins.NodeResourcesFit()),
    (NodeResourcesBalancedAllocation(), twins.NodeResourcesBalancedAllocation()),
    (NodeResourcesBalancedAllocation(THREE), twins.NodeResourcesBalancedAllocation(THREE)),
    (ImageLocality(), twins.ImageLocality()),
    (NodeDeclaredFeatures(), twins.NodeDeclaredFeatures()),
]

names = st.sampled_from([f"n{i}" for i in range(4)])
labels = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", "3", "7"]))
effects = st.sampled_from(["NoSchedule", "PreferNoSchedule", "NoExecute"])
cordon = st.just("node.kubernetes.io/unschedulable:NoSchedule")
taints = st.builds(
    "{}={}:{}".format, st.sampled_from(["k", "l"]), st.sampled_from(["u", "v"]), effects
)
images = st.sampled_from([f"app{i}:v1" for i in range(3)] + ["registry:5000/app:latest"])
cpus = st.sampled_from([None, "0", "100m", "250m", "1"])
memories = st.sampled_from([None, "0", "64Mi", "300Mi", "1Gi"])
features = st.sampled_from([RESTART_ALL_CONTAINERS, USER_NAMESPACES_ON_HOST_NETWORK, "Other"])
rules = st.sampled_from([{"action": "Restart"}, {"action": "RestartAllContainers"}])
gpus = st.sampled_from([None, None, "0", "1", "2"])


@st.composite
def ports(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "containerPort": 80,
        "hostPort": draw(st.sampled_from([0, 80, 443])),
        "hostIP": draw(st.sampled_from(["", ANY_ADDRESS, "10.0.0.1", "10.0.0.2"])),
        "protocol": draw(st.sampled_from(["TCP", "UDP"])),
    }


@st.composite
def requirements(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]))
    values: list[str] = []
    if operator in ("In", "NotIn"):
        values = draw(st.lists(st.sampled_from(["x", "y", "3", "z"]), min_size=1, max_size=3))
    elif operator in ("Gt", "Lt"):
        values = [draw(st.sampled_from(["3", "5"]))]
    return {"key": draw(st.sampled_from(["a", "b", "c"])), "operator": operator, "values": values}


@st.composite
def name_requirements(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(["In", "NotIn"]))
    return {"key": "metadata.name", "operator": operator, "values": [draw(names)]}


def terms(*, by_name: bool) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.lists(name_requirements(), max_size=2) if by_name else st.just([])
    return st.fixed_dictionaries(
        {"matchExpressions": st.lists(requirements(), max_size=2), "matchFields": fields}
    )


@st.composite
def node_affinities(draw: st.DrawFn, *, by_name: bool = False) -> dict[str, Any]:
    affinity: dict[str, Any] = {}
    if draw(st.booleans()):
        some = draw(st.lists(terms(by_name=by_name), min_size=1, max_size=2))
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": some}
    affinity["preferredDuringSchedulingIgnoredDuringExecution"] = [
        {"weight": draw(st.integers(1, 100)), "preference": draw(terms(by_name=True))}
        for _ in range(draw(st.integers(0, 2)))
    ]
    return {"nodeAffinity": affinity}


@st.composite
def containers(draw: st.DrawFn, name: str) -> dict[str, Any]:
    amounts = {"cpu": draw(cpus), "memory": draw(memories), GPU: draw(gpus)}
    return {
        "name": name,
        "image": draw(images | st.just("registry:5000/app")),
        "resources": {"requests": {k: v for k, v in amounts.items() if v is not None}},
        "ports": draw(st.lists(ports(), max_size=2)),
        "restartPolicyRules": draw(st.lists(rules, max_size=1)),
    }


@st.composite
def pods(draw: st.DrawFn, *, by_name: bool = False) -> Pod:
    """Make a pod; `by_name`: its required terms may name nodes."""
    inits = [draw(containers(f"i{i}")) for i in range(draw(st.integers(0, 2)))]
    for init in inits:
        init["restartPolicy"] = draw(st.sampled_from([None, "Always"]))
    return make.pod(
        "pending",
        containers=[draw(containers(f"c{i}")) for i in range(draw(st.integers(1, 2)))],
        init_containers=[{k: v for k, v in one.items() if v is not None} for one in inits],
        tolerations=draw(st.lists(taints | cordon | st.just(":"), max_size=2)),
        node_selector=draw(st.just({}) | labels),
        affinity=draw(node_affinities(by_name=by_name)),
        node_name=draw(st.sampled_from(["", "", "", "n1"])),
        host_network=draw(st.booleans()),
        host_users=draw(st.sampled_from([None, True, False])),
    )


@st.composite
def clusters(draw: st.DrawFn) -> ClusterCache:
    cache = ClusterCache()
    for name in draw(st.lists(names, unique=True, min_size=1)):
        gpu = draw(st.sampled_from([None, "0", "1", "4"]))
        extended: dict[str, Any] = {} if gpu is None else {GPU: gpu}
        node = make.node(
            name,
            cpu=draw(st.sampled_from(["0", "500m", "2"])),
            memory=draw(st.sampled_from(["0", "256Mi", "2Gi"])),
            pods=draw(st.integers(0, 3)),
            labels=draw(labels),
            taints=draw(st.lists(taints | cordon, max_size=3)),
            unschedulable=draw(st.booleans()),
            features=sorted(draw(st.sets(features))),
            images={image: (7 + 431 * len(image)) * MEBIBYTE for image in draw(st.sets(images))},
            **extended,
        )
        cache.set_node(node)
        for i in range(draw(st.integers(0, 2))):
            placed = [draw(containers("c"))]
            cache.set_pod(make.pod(f"{name}-{i}", containers=placed, node_name=name))
    return cache


def decide(plugins: Sequence[EnabledPlugin], cluster: ClusterCache, pod: Pod) -> dict[str, Any]:
    """Say all that plugins make of a pod, in a form that can be compared."""
    profile = Profile("p", [*plugins, EnabledPlugin(PrioritySort())])
    filtered = profile.filter(pod, cluster)
    feasible = np.flatnonzero(filtered.feasible)
    found: dict[str, Any] = {
        "feasible": feasible.tolist(),
        "rejections": Counter(
            (one.plugin, one.reason, one.resolvable, row)
            for one in filtered.rejections
            for row in np.flatnonzero(one.mask if one.mask is not None else []).tolist()
        ),
    }
    if feasible.size:
        scored = profile.score(pod, cluster, filtered)
        found["scores"] = {k: scores[feasible].tolist() for k, scores in scored.by_plugin.items()}
    return found


@settings(max_examples=100)
@given(cluster=clusters(), pod=pods())
def test_each_plugin_equals_its_twin(cluster: ClusterCache, pod: Pod) -> None:
    """Feasible nodes, who is rejected for what, and normalised scores."""
    for plugin, twin in PAIRS:
        wanted = decide([EnabledPlugin(twin)], cluster, pod)
        assert decide([EnabledPlugin(plugin)], cluster, pod) == wanted, plugin.name


@settings(max_examples=100)
@given(cluster=clusters(), pod=pods(by_name=True))
def test_node_affinity_equals_its_twin(cluster: ClusterCache, pod: Pod) -> None:
    """What pre_filter leaves out, for another reason, is what no term would have matched."""
    ours = decide([EnabledPlugin(NodeAffinity())], cluster, pod)
    wanted = decide([EnabledPlugin(twins.NodeAffinityTwin())], cluster, pod)
    assert ours["feasible"] == wanted["feasible"]
    assert ours.get("scores") == wanted.get("scores")


@settings(max_examples=100)
@given(cluster=clusters(), pod=pods())
def test_default_profile_equals_the_twins_together(cluster: ClusterCache, pod: Pod) -> None:
    """A node is rejected by the first plugin that rejects it, and by no other."""
    twin_of = {twin.name: twin for plugin, twin in PAIRS if plugin is not PAIRS[6][0]}
    twin_of["NodeAffinity"] = twins.NodeAffinityTwin()
    default = [one for one in default_profile("p").enabled if one.plugin.name in twin_of]
    others = [EnabledPlugin(twin_of[one.plugin.name], one.weight) for one in default]
    assert decide(default, cluster, pod) == decide(others, cluster, pod)
