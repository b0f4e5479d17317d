"""The default profile."""

import make
from pilotfish.core.message import unschedulable_message
from pilotfish.framework.plugin import implements
from pilotfish.plugins.default import default_profile, default_registry
from unit.plugins.deciding import cluster


def test_order_and_weights_are_those_of_upstream() -> None:
    profile = default_profile("mine")
    assert profile.scheduler_name == "mine"
    weights = {one.plugin.name: one.weight for one in profile.enabled}
    assert list(weights) == [
        "SchedulingGates",
        "PrioritySort",
        "NodeUnschedulable",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
        "VolumeRestrictions",
        "NodeVolumeLimits",
        "VolumeBinding",
        "VolumeZone",
        "PodTopologySpread",
        "InterPodAffinity",
        "DynamicResources",
        "DefaultPreemption",
        "NodeResourcesBalancedAllocation",
        "ImageLocality",
        "DefaultBinder",
        "NodeDeclaredFeatures",
    ]
    assert {name: w for name, w in weights.items() if w != 1} == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "DynamicResources": 2,
    }


def test_every_plugin_of_the_profile_is_registered_under_its_name() -> None:
    registry = default_registry()
    for one in default_profile("mine").enabled:
        assert type(registry.make(one.plugin.name)) is type(one.plugin)


def test_scores_and_orders_that_are_not_checked_at_each_use_are_those_of_this_package() -> None:
    """They are proven by the property tests, so the plugins say that they are verified."""
    for one in default_profile("mine").enabled:
        answers = implements(one.plugin, "score") or implements(one.plugin, "sort_key")
        assert one.plugin.is_verified == answers, one.plugin.name


def test_reasons_of_one_pod_read_as_upstream_words_them() -> None:
    nodes = [
        make.node("full", cpu="1", pods=0),
        make.node("tainted", taints=["gpu:NoSchedule"]),
        make.node("cordoned", unschedulable=True, taints=["gpu:NoSchedule"]),
        *[make.node(f"small{i}", cpu="1", memory="1Gi") for i in range(10)],
    ]
    cache = cluster(nodes)
    filtered = default_profile("mine").filter(make.pod("p", cpu="2", memory="2Gi"), cache)
    assert unschedulable_message(len(nodes), filtered.rejections) == (
        "0/13 nodes are available: 1 Too many pods, 1 node(s) had untolerated taint(s), "
        "1 node(s) were unschedulable, 10 Insufficient memory, 11 Insufficient cpu."
    )
