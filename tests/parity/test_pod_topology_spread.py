"""PodTopologySpread rule by rule, as kubernetes v1.36.3 has it.

The folder is pkg/scheduler/framework/plugins/podtopologyspread; each row names the file and the
function. Nodes: a1 and a2 in zone a, b1 in zone b, x in none; b1 has a taint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pytest

import make
from pilotfish.api.affinity import TopologySpreadConstraint
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import MapSelectorSpec, Service
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.plugins.pod_topology_spread import PodTopologySpread
from unit.plugins.deciding import cluster, rejected, scores

REASON: Final = "node(s) didn't match pod topology spread constraints"
FULL: Final = [(REASON, True)]
LABEL: Final = [(f"{REASON} (missing required label)", False)]
WEB: Final = {"app": "web"}
SELECTS_WEB: Final = {"matchLabels": WEB}
LEAVING: Final = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
FILTER, STATE = "filtering.go Filter", "filtering.go calPreFilterState"
COMMON, SCORE = "common.go filterTopologySpreadConstraints", "scoring.go Score"
COUNT, NORMALIZE = "common.go countPodsMatchSelector", "scoring.go NormalizeScore"


def rule(kind: str, **fields: Any) -> dict[str, Any]:
    """Make a constraint over zones with a skew of 1; None leaves a field out."""
    content = {
        "maxSkew": 1,
        "topologyKey": make.ZONE_LABEL,
        "whenUnsatisfiable": kind,
        "labelSelector": SELECTS_WEB,
        **fields,
    }
    return {key: value for key, value in content.items() if value is not None}


def must(**fields: Any) -> dict[str, Any]:
    return rule("DoNotSchedule", **fields)


def should(**fields: Any) -> dict[str, Any]:
    return rule("ScheduleAnyway", **fields)


def web(*rules: dict[str, Any], **rest: Any) -> Pod:
    """Make the pod to place."""
    given: dict[str, Any] = {"labels": WEB, "topology_spread_constraints": list(rules), **rest}
    return make.pod("pending", **given)


def on(*nodes: str, **rest: Any) -> list[Pod]:
    """Place a pod on each of these nodes."""
    given: dict[str, Any] = {"labels": WEB, **rest}
    return [make.pod(f"placed-{i}-{n}", node_name=n, **given) for i, n in enumerate(nodes)]


def nodes_with(pods: Sequence[Pod]) -> ClusterCache:
    nodes = [
        make.node("a1", zone="a"),
        make.node("a2", zone="a", labels={"rack": "r"}),
        make.node("b1", zone="b", labels={"rack": "s"}, taints=["k:NoSchedule"]),
        make.node("x"),
    ]
    return cluster(nodes, pods)


class Row(NamedTuple):
    """A rule: which of the nodes a1, a2, b1 are too full for it; x always lacks the zone."""

    rule: str
    source: str
    pod: Pod
    placed: list[Pod]
    full: str = ""


FILTERS = [
    Row("a domain may not exceed the emptiest by more", FILTER, web(must()), on("a1"), "a1 a2"),
    Row("up to maxSkew it may", FILTER, web(must(maxSkew=2)), on("a1")),
    Row("the emptiest need not be empty", FILTER, web(must()), on("a1", "b1")),
    Row("a pod that does not match itself adds none", FILTER, web(must(), labels={}), on("a1")),
    Row(
        "with fewer domains than minDomains the emptiest has none",
        "filtering.go minMatchNum",
        web(must(minDomains=3)),
        on("a1", "b1"),
        "a1 a2 b1",
    ),
    Row("with as many it is the emptiest", FILTER, web(must(minDomains=2)), on("a1", "b1")),
    Row("other namespaces do not count", COUNT, web(must()), on("a1", namespace="other")),
    Row("pods that are being deleted do not", COUNT, web(must()), on("a1", metadata=LEAVING)),
    Row("the absent selector counts none", COUNT, web(must(labelSelector=None)), on("a1")),
    Row("the empty selector counts none", COUNT, web(must(labelSelector={})), on("a1", "a1")),
    Row(
        "the empty selector matches the pod itself",
        FILTER,
        web(must(labelSelector={}, minDomains=9), must(labelSelector={})),
        on("a1"),
    ),
    Row(
        "matchLabelKeys narrow the selector",
        COMMON,
        web(must(matchLabelKeys=["rev"]), labels=WEB | {"rev": "2"}),
        on("a1", labels=WEB | {"rev": "1"}),
    ),
    Row(
        "matchLabelKeys that the pod lacks do not",
        COMMON,
        web(must(matchLabelKeys=["rev"])),
        on("a1", labels=WEB | {"rev": "1"}),
        "a1 a2",
    ),
    Row(
        "matchLabelKeys leave the absent selector absent",
        "common.go mergeLabelSetWithSelector",
        web(must(labelSelector=None, matchLabelKeys=["app"])),
        on("a1"),
    ),
    Row(
        "a matchLabelKey may contradict the selector, which then selects nothing",
        COMMON,
        web(must(matchLabelKeys=["app"]), labels={"app": "api"}),
        on("a1", "a1"),
    ),
    Row(
        "nodes that the pod does not select do not count",
        "common.go matchNodeInclusionPolicies",
        web(must(), node_selector={make.ZONE_LABEL: "a"}),
        on("a1"),
    ),
    Row(
        "nodeAffinityPolicy Ignore counts them",
        "common.go matchNodeInclusionPolicies",
        web(must(nodeAffinityPolicy="Ignore"), node_selector={make.ZONE_LABEL: "a"}),
        on("a1"),
        "a1 a2",
    ),
    Row(
        "pods on nodes that do not count do not count for their domain",
        STATE,
        web(must(), node_selector={"rack": "r"}),
        on("a1", "a1"),
    ),
    Row(
        "nodeTaintsPolicy Honor leaves out tainted nodes",
        "common.go matchNodeInclusionPolicies",
        web(must(nodeTaintsPolicy="Honor")),
        on("a1"),
    ),
    Row(
        "but not those that the pod tolerates",
        "common.go matchNodeInclusionPolicies",
        web(must(nodeTaintsPolicy="Honor"), tolerations=["k:NoSchedule"]),
        on("a1"),
        "a1 a2",
    ),
    Row(
        "a node that lacks a label of any constraint counts for none",
        STATE,
        web(must(), must(topologyKey=make.HOSTNAME_LABEL, maxSkew=9), must(topologyKey="rack")),
        on("a1", "b1", "b1"),
        "b1",
    ),
    Row("soft constraints reject nothing", FILTER, web(must(maxSkew=9), should()), on("a1", "a1")),
]


@pytest.mark.parametrize("row", FILTERS, ids=lambda row: row.rule)
def test_filter(row: Row) -> None:
    found = rejected(PodTopologySpread(), row.pod, nodes_with(row.placed))
    assert found.pop("x") == LABEL
    if row.rule.startswith("a node that lacks a label"):
        assert found.pop("a1") == LABEL
    assert found == dict.fromkeys(row.full.split(), FULL)


def test_a_node_is_rejected_for_the_first_constraint_that_it_does_not_meet() -> None:
    """Source: filtering.go Filter."""
    first_full = web(must(topologyKey=make.HOSTNAME_LABEL), must())
    placed = on("x")
    found = rejected(PodTopologySpread(), first_full, nodes_with(placed))
    assert found == {"x": LABEL}  # x does not count, so its hostname is not full
    first_label = web(must(topologyKey="rack"), must())
    found = rejected(PodTopologySpread(), first_label, nodes_with(on("a2")))
    assert found == {"a1": LABEL, "a2": FULL, "x": LABEL}


class Scored(NamedTuple):
    """A rule: the scores of a1, a2, b1 and x; None where the plugin has nothing to say."""

    rule: str
    source: str
    pod: Pod
    placed: list[Pod]
    scores: tuple[int, int, int, int] | None


BY_HOST: Final = {"topologyKey": make.HOSTNAME_LABEL}
SCORES = [
    Scored("fewer is better", SCORE, web(should()), on("a1"), (0, 0, 100, 0)),
    Scored("without any, all are best", NORMALIZE, web(should()), [], (100, 100, 100, 0)),
    Scored(
        "a larger maxSkew waters differences down",
        "scoring.go scoreForCount",
        web(should(maxSkew=5)),
        on("a1"),
        (80, 80, 100, 0),
    ),
    Scored(
        "hostnames are counted node by node",
        SCORE,
        web(should(**BY_HOST)),
        on("a1", "a1", "x"),
        (0, 100, 100, 50),
    ),
    Scored(
        "a domain weighs by the number of domains: log(2 + 2) and log(3 + 2)",
        "scoring.go topologyNormalizingWeight",
        web(should(), should(**BY_HOST)),
        on("a1", "b1", "b1", "b1"),
        (77, 100, 11, 0),
    ),
    Scored(
        "nodes without a label are not scored",
        "scoring.go initPreScoreState",
        web(should(topologyKey="rack")),
        on("a2"),
        (0, 0, 100, 0),
    ),
    Scored("hard constraints score nothing", "scoring.go PreScore", web(must()), on("a1"), None),
    Scored("pods without constraints are skipped", "scoring.go PreScore", web(), on("a1"), None),
    Scored(
        "nodes that do not count still score",
        "scoring.go PreScore",
        web(should(), node_selector={make.ZONE_LABEL: "b"}),
        on("a1", "b1"),
        (100, 100, 0, 0),
    ),
]


@pytest.mark.parametrize("row", SCORES, ids=lambda row: row.rule)
def test_score(row: Scored) -> None:
    found = scores(PodTopologySpread(), row.pod, nodes_with(row.placed))
    if row.scores is None:
        assert found is None
    else:
        names = ("a1", "a2", "b1", "x")
        kept = found or {}
        assert [kept.get(name) for name in names] == list(row.scores)


def with_service(cache: ClusterCache) -> ClusterCache:
    """Add a service of the web pods."""
    meta = ObjectMeta(name="web", namespace="default", uid="uid-web")
    cache.set_workload(Service(metadata=meta, spec=MapSelectorSpec(WEB)))
    return cache


def test_pods_of_a_service_are_spread_by_default_over_nodes_and_zones() -> None:
    """Source: plugin.go systemDefaultConstraints; a node needs not all labels for that."""
    found = scores(PodTopologySpread(), web(), with_service(nodes_with(on("a1"))))
    assert found == {"a1": 22, "a2": 33, "b1": 55, "x": 100}
    assert rejected(PodTopologySpread(), web(), with_service(nodes_with(on("a1", "a1")))) == {}


def test_pods_of_no_service_are_not_spread_by_default() -> None:
    """Source: common.go buildDefaultConstraints."""
    assert scores(PodTopologySpread(), web(labels={}), with_service(nodes_with(on("a1")))) is None


def test_constraints_of_its_own_take_the_place_of_default_ones() -> None:
    """Source: filtering.go getConstraints, scoring.go initPreScoreState."""
    assert scores(PodTopologySpread(), web(must()), with_service(nodes_with(on("a1")))) is None


def test_listed_defaults_may_reject_and_need_every_label_to_score() -> None:
    """Source: common.go buildDefaultConstraints, scoring.go PreScore."""
    listed = [
        TopologySpreadConstraint(1, make.ZONE_LABEL, "DoNotSchedule"),
        TopologySpreadConstraint(1, "rack", "ScheduleAnyway"),
    ]
    plugin = PodTopologySpread(default_constraints=listed, defaulting_type="List")
    placed = with_service(nodes_with(on("a1")))
    assert rejected(plugin, web(), placed) == {"a1": FULL, "a2": FULL, "x": LABEL}
    more = with_service(nodes_with(on("a2", "b1")))
    assert scores(plugin, web(), more) == {"a1": 0, "a2": 100, "b1": 100}


def test_by_default_nodes_without_a_zone_and_with_the_empty_one_are_one_domain() -> None:
    """Source: scoring.go initPreScoreState, which reads a missing label as the empty value."""
    nodes = [make.node("e", labels={make.ZONE_LABEL: ""}), make.node("x"), make.node("a", zone="a")]
    placed = with_service(cluster(nodes, on("x", "x")))
    assert scores(PodTopologySpread(), web(), placed) == {"e": 55, "x": 100, "a": 88}
