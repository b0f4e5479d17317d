"""InterPodAffinity rule by rule, as kubernetes v1.36.3 has it.

The folder is pkg/scheduler/framework/plugins/interpodaffinity; each row names the file and the
function. Nodes: a1 and a2 in zone a, b1 in zone b, x in none. Namespaces: default without labels,
and red of team=x.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest

import make
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import Namespace
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.plugins.inter_pod_affinity import InterPodAffinity
from unit.plugins.deciding import cluster, rejected, scores

NEAR: Final = [("node(s) didn't match pod affinity rules", False)]
FAR: Final = [("node(s) didn't match pod anti-affinity rules", True)]
EXISTING: Final = [("node(s) didn't satisfy existing pods anti-affinity rules", True)]
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
HOST: Final = {"topologyKey": make.HOSTNAME_LABEL}
NOT_X: Final = {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["x"]}]}
OF_X: Final = {"matchLabels": {"team": "x"}}
LEAVING: Final = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
WEB: Final = {"app": "web"}
NEAR_OWN, FIRST = "filtering.go satisfyPodAffinity", "filtering.go satisfyPodAffinity"
FAR_OWN, OF_OTHERS = "filtering.go satisfyPodAntiAffinity", "filtering.go Filter"
NAMES, SCORE = "plugin.go mergeAffinityTermNamespacesIfNotEmpty", "scoring.go processExistingPod"


def term(**fields: Any) -> dict[str, Any]:
    """Make a term about web pods in the same zone; None leaves a field out."""
    content = {"topologyKey": make.ZONE_LABEL, "labelSelector": {"matchLabels": WEB}, **fields}
    return {key: value for key, value in content.items() if value is not None}


def wish(weight: int, **fields: Any) -> dict[str, Any]:
    return {"weight": weight, "podAffinityTerm": term(**fields)}


def near(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAffinity": {REQUIRED: list(terms)}}


def far(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {REQUIRED: list(terms)}}


def liking(*wishes: dict[str, Any]) -> dict[str, Any]:
    return {"podAffinity": {PREFERRED: list(wishes)}}


def disliking(*wishes: dict[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {PREFERRED: list(wishes)}}


def pending(affinity: dict[str, Any] | None = None, **rest: Any) -> Pod:
    return make.pod("pending", affinity=affinity or {}, **rest)


def on(*nodes: str, **rest: Any) -> list[Pod]:
    """Place a web pod on each of these nodes."""
    given: dict[str, Any] = {"labels": WEB, **rest}
    suffix = given.get("namespace", "")
    return [make.pod(f"on-{n}-{i}-{suffix}", node_name=n, **given) for i, n in enumerate(nodes)]


def nodes_with(pods: list[Pod]) -> ClusterCache:
    nodes = [
        make.node("a1", zone="a"),
        make.node("a2", zone="a"),
        make.node("b1", zone="b"),
        make.node("x"),
    ]
    cache = cluster(nodes, pods)
    for name, labels in (("default", {}), ("red", {"team": "x"})):
        cache.set_namespace(Namespace(metadata=ObjectMeta(name=name, uid=name, labels=labels)))
    return cache


class Row(NamedTuple):
    """A rule: who rejects which of the nodes."""

    rule: str
    source: str
    pod: Pod
    placed: list[Pod]
    near: str = ""
    far: str = ""
    existing: str = ""


FILTERS = [
    Row("affinity needs a pod in the domain", NEAR_OWN, pending(near(term())), on("a1"), "b1 x"),
    Row(
        "one pod must match all terms",
        "filtering.go podMatchesAllAffinityTerms",
        pending(near(term(), term(labelSelector={"matchLabels": {"tier": "db"}}))),
        [*on("a1"), *on("a2", labels={"tier": "db"})],
        "a1 a2 b1 x",
    ),
    Row(
        "each term has its own topology",
        NEAR_OWN,
        pending(near(term(), term(**HOST))),
        on("a1"),
        "a2 b1 x",
    ),
    Row(
        "pods being deleted count",
        NEAR_OWN,
        pending(near(term())),
        on("a1", metadata=LEAVING),
        "b1 x",
    ),
    Row("the first of its kind may go anywhere", FIRST, pending(near(term()), labels=WEB), [], "x"),
    Row("but only if it matches itself", FIRST, pending(near(term())), [], "a1 a2 b1 x"),
    Row(
        "and must follow the others", FIRST, pending(near(term()), labels=WEB), on("b1"), "a1 a2 x"
    ),
    Row(
        "others outside of any domain are none",
        FIRST,
        pending(near(term()), labels=WEB),
        on("x"),
        "x",
    ),
    Row(
        "others in a domain of one term are some",
        FIRST,
        pending(near(term(), term(**HOST)), labels=WEB),
        on("x"),
        "a1 a2 b1 x",
    ),
    Row("anti-affinity keeps off the domain", FAR_OWN, pending(far(term())), on("a1"), far="a1 a2"),
    Row("any term does", FAR_OWN, pending(far(term(**HOST), term())), on("b1"), far="b1"),
    Row("without the label there is no domain", FAR_OWN, pending(far(term())), on("x")),
    Row("only its own namespace is meant", NAMES, pending(far(term())), on("a1", namespace="red")),
    Row(
        "or those that are named",
        NAMES,
        pending(far(term(namespaces=["red"]))),
        [*on("a1", namespace="red"), *on("b1")],
        far="a1 a2",
    ),
    Row(
        "or those with these labels",
        NAMES,
        pending(far(term(namespaceSelector=OF_X))),
        [*on("a1", namespace="red"), *on("b1")],
        far="a1 a2",
    ),
    Row(
        "named or with these labels",
        NAMES,
        pending(far(term(namespaces=["default"], namespaceSelector=OF_X))),
        [*on("a1", namespace="red"), *on("b1")],
        far="a1 a2 b1",
    ),
    Row(
        "the empty namespace selector means all",
        NAMES,
        pending(far(term(namespaceSelector={}))),
        [*on("a1", namespace="red"), *on("b1")],
        far="a1 a2 b1",
    ),
    Row(
        "one that no label is needed for means all, for the pod's own terms",
        NAMES,
        pending(far(term(namespaceSelector=NOT_X))),
        [*on("a1", namespace="red"), *on("b1")],
        far="a1 a2 b1",
    ),
    Row("the absent selector means none", NAMES, pending(far(term(labelSelector=None))), on("a1")),
    Row("the empty one all", NAMES, pending(far(term(labelSelector={}))), on("a1"), far="a1 a2"),
    Row(
        "pods in place keep it off",
        "filtering.go satisfyExistingPodsAntiAffinity",
        pending(labels=WEB),
        on("a1", labels={}, affinity=far(term())),
        existing="a1 a2",
    ),
    Row(
        "only pods that they mean",
        "filtering.go getExistingAntiAffinityCounts",
        pending(labels={"app": "api"}),
        on("a1", affinity=far(term())),
    ),
    Row(
        "of their own namespace",
        "filtering.go getExistingAntiAffinityCounts",
        pending(labels=WEB),
        on("a1", namespace="red", affinity=far(term())),
    ),
    Row(
        "or of those that they select, by the labels that these have",
        "filtering.go getExistingAntiAffinityCounts",
        pending(labels=WEB, namespace="red"),
        [
            *on("a1", affinity=far(term(namespaceSelector=OF_X))),
            *on("b1", affinity=far(term(namespaceSelector=NOT_X))),
        ],
        existing="a1 a2",
    ),
    Row(
        "affinity speaks first, then anti-affinity, then the others'",
        OF_OTHERS,
        pending(near(term()) | far(term(**HOST)), labels=WEB),
        on("a1", affinity=far(term())),
        near="b1 x",
        far="a1",
        existing="a2",
    ),
]


@pytest.mark.parametrize("row", FILTERS, ids=lambda row: row.rule)
def test_filter(row: Row) -> None:
    expected = dict.fromkeys(row.near.split(), NEAR)
    expected |= dict.fromkeys(row.far.split(), FAR)
    expected |= dict.fromkeys(row.existing.split(), EXISTING)
    assert rejected(InterPodAffinity(), row.pod, nodes_with(row.placed)) == expected


class Scored(NamedTuple):
    """A rule: the scores of a1, a2, b1 and x; None where the plugin has nothing to say."""

    rule: str
    source: str
    pod: Pod
    placed: list[Pod]
    scores: tuple[int, int, int, int] | None
    plugin: InterPodAffinity = InterPodAffinity()


SCORES = [
    Scored("a wish draws", SCORE, pending(liking(wish(5))), on("a1"), (100, 100, 0, 0)),
    Scored(
        "by every pod", SCORE, pending(liking(wish(5))), on("a1", "a2", "b1"), (100, 100, 50, 0)
    ),
    Scored("an aversion repels", SCORE, pending(disliking(wish(5))), on("a1"), (0, 0, 100, 100)),
    Scored(
        "weights add up",
        SCORE,
        pending(liking(wish(3), wish(1, **HOST))),
        on("a1"),
        (100, 75, 0, 0),
    ),
    Scored(
        "pods in place wish",
        SCORE,
        pending(labels=WEB),
        on("b1", affinity=liking(wish(9))),
        (0, 0, 100, 0),
    ),
    Scored(
        "or not",
        SCORE,
        pending(labels=WEB),
        on("b1", affinity=disliking(wish(9))),
        (100, 100, 0, 100),
    ),
    Scored(
        "required affinity of pods in place weighs 1",
        SCORE,
        pending(labels=WEB),
        [*on("b1", affinity=near(term())), *on("a1", affinity=liking(wish(2)))],
        (100, 100, 50, 0),
    ),
    Scored(
        "or hardPodAffinityWeight",
        SCORE,
        pending(labels=WEB),
        [*on("b1", affinity=near(term())), *on("a1", affinity=liking(wish(2)))],
        (50, 50, 100, 0),
        InterPodAffinity(hard_pod_affinity_weight=4),
    ),
    Scored(
        "which may be nothing",
        SCORE,
        pending(labels=WEB),
        on("b1", affinity=near(term())),
        None,
        InterPodAffinity(hard_pod_affinity_weight=0),
    ),
    Scored(
        "anti-affinity of pods in place does not score",
        SCORE,
        pending(),
        on("b1", affinity=far(term())),
        None,
    ),
    Scored("nobody to wish for", "scoring.go PreScore", pending(liking(wish(5))), [], None),
    Scored(
        "nobody in a domain either",
        "scoring.go processTerm",
        pending(liking(wish(5))),
        on("x"),
        None,
    ),
    Scored(
        "what cancels out is still felt",
        "scoring.go NormalizeScore",
        pending(liking(wish(5)) | disliking(wish(5))),
        on("a1"),
        (0, 0, 0, 0),
    ),
    Scored(
        "wishes of pods in place can be ignored",
        "scoring.go PreScore",
        pending(labels=WEB),
        on("b1", affinity=liking(wish(9))),
        None,
        InterPodAffinity(ignore_preferred_terms_of_existing_pods=True),
    ),
    Scored(
        "but not for a pod with wishes of its own",
        "scoring.go PreScore",
        pending(liking(wish(1)), labels=WEB),
        on("b1", affinity=liking(wish(9))),
        (0, 0, 100, 0),
        InterPodAffinity(ignore_preferred_terms_of_existing_pods=True),
    ),
    Scored(
        "29 of 100 is 28, as floats have it",
        "scoring.go NormalizeScore",
        pending(liking(wish(71, **HOST), wish(29))),
        on("a1"),
        (100, 28, 0, 0),
    ),
]


@pytest.mark.parametrize("row", SCORES, ids=lambda row: row.rule)
def test_score(row: Scored) -> None:
    found = scores(row.plugin, row.pod, nodes_with(row.placed))
    if row.scores is None:
        assert found is None
    else:
        kept = found or {}
        assert [kept.get(name) for name in ("a1", "a2", "b1", "x")] == list(row.scores)
