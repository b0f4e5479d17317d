"""NodeAffinity rule by rule, as kubernetes v1.36.3 has it.

The plugin and its tests are pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go and
node_affinity_test.go; terms are matched in
staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go.
Nodes: a (disk=ssd, cores=8), b (disk=hdd, cores=16) and c, which has no labels of its own.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

import make
from pilotfish.api.affinity import NodeAffinity as Affinity
from pilotfish.plugins.node_affinity import NodeAffinity
from unit.plugins.deciding import cluster, rejected, scores

POD: Final = [("node(s) didn't match Pod's node affinity/selector", False)]
ENFORCED: Final = [("node(s) didn't match scheduler-enforced node affinity", False)]
OUTSIDE: Final = [("node(s) didn't satisfy plugin(s) [NodeAffinity]", False)]
NODES: Final = [
    make.node("a", labels={"disk": "ssd", "cores": "8"}),
    make.node("b", labels={"disk": "hdd", "cores": "16"}),
    make.node("c"),
]
FILTER, TERMS = "TestNodeAffinity", "nodeaffinity.go nodeSelectorTerm.match"


def label(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def named(*names: str) -> dict[str, Any]:
    """Make a term whose fields want each of these names."""
    return {"matchFields": [label("metadata.name", "In", name) for name in names]}


def term(*labels: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"matchExpressions": list(labels), **rest}


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}


def preferred(*weighted: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    terms = [{"weight": weight, "preference": one} for weight, one in weighted]
    return {"preferredDuringSchedulingIgnoredDuringExecution": terms}


def plugin(**added: Any) -> NodeAffinity:
    return NodeAffinity(msgspec.convert(added, Affinity) if added else None)


SSD, HDD = label("disk", "In", "ssd"), label("disk", "In", "hdd")


@pytest.mark.parametrize(
    ("source", "terms", "left"),
    [
        pytest.param(FILTER, [term(label("disk", "In", "ssd", "nvme"))], "a", id="In"),
        pytest.param(FILTER, [term(label("disk", "NotIn", "ssd"))], "b c", id="NotIn, or no label"),
        pytest.param(FILTER, [term(label("disk", "Exists"))], "a b", id="Exists"),
        pytest.param(TERMS, [term(label("disk", "DoesNotExist"))], "c", id="DoesNotExist"),
        pytest.param(FILTER, [term(label("cores", "Gt", "8"))], "b", id="Gt compares as numbers"),
        pytest.param(TERMS, [term(label("cores", "Lt", "9"))], "a", id="Lt likewise"),
        pytest.param(TERMS, [term(label("disk", "Gt", "1"))], "", id="a text is no number"),
        pytest.param(FILTER, [term(SSD, label("cores", "Exists"))], "a", id="all of a term"),
        pytest.param(FILTER, [term(SSD, label("cores", "Gt", "8"))], "", id="not all of a term"),
        pytest.param(FILTER, [term(SSD), term(HDD)], "a b", id="one of the terms"),
        pytest.param(FILTER, [term()], "", id="a term without conditions matches nothing"),
        pytest.param(TERMS, [term(), term(SSD)], "a", id="and does not spoil the others"),
        pytest.param(
            FILTER, [term(HDD), {"matchFields": [label("metadata.name", "NotIn", "a")]}], "b c",
            id="a term by what the name is not",
        ),
        pytest.param(FILTER, [named("a"), term(HDD)], "a b", id="one by name, one by label"),
    ],
)  # fmt: skip
def test_required_terms_keep_the_nodes_that_meet_one(
    source: str, terms: list[dict[str, Any]], left: str
) -> None:
    found = rejected(plugin(), make.pod("p", affinity={"nodeAffinity": required(*terms)}), WORLD)
    assert found == {name: POD for name in "abc" if name not in left.split()}, source


WORLD: Final = cluster(NODES)


@pytest.mark.parametrize(
    ("selector", "terms", "left"),
    [
        pytest.param({"disk": "ssd"}, [], "a", id="a node selector alone"),
        pytest.param({"disk": "ssd", "cores": "8"}, [], "a", id="all of its labels"),
        pytest.param({"disk": "ssd", "cores": "9"}, [], "", id="not all of its labels"),
        pytest.param({"disk": "ssd"}, [term(label("cores", "Exists"))], "a", id="both"),
        pytest.param({"disk": "ssd"}, [term(HDD)], "", id="one without the other"),
    ],
)
def test_node_selector_and_affinity_must_both_match(
    selector: dict[str, str], terms: list[dict[str, Any]], left: str
) -> None:
    """TestNodeAffinity, and GetRequiredNodeAffinity of nodeaffinity.go."""
    affinity = {"nodeAffinity": required(*terms)} if terms else None
    asked = make.pod("p", node_selector=selector, affinity=affinity)
    found = rejected(plugin(), asked, WORLD)
    assert found == {name: POD for name in "abc" if name not in left.split()}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param([named("a")], {"b": OUTSIDE, "c": OUTSIDE}, id="only that node is looked at"),
        pytest.param([named("a"), named("c")], {"b": OUTSIDE}, id="several terms, several nodes"),
        pytest.param(
            [named("a") | term(HDD)],
            {"a": POD, "b": OUTSIDE, "c": OUTSIDE},
            id="the rest of the term still holds there",
        ),
        pytest.param(
            [named("a", "b")],
            {"*": [("pod affinity terms conflict", False)]},
            id="a term cannot name two nodes",
        ),
        pytest.param(
            [named("a", "b"), named("c")],
            {"a": OUTSIDE, "b": OUTSIDE},
            id="another term may still name one",
        ),
        pytest.param(
            [named("zz")],
            {"a": OUTSIDE, "b": OUTSIDE, "c": OUTSIDE},
            id="a node that does not exist",
        ),
    ],
)
def test_terms_that_name_nodes_narrow_the_search(
    terms: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    """TestNodeAffinity, by what PreFilter returns."""
    asked = make.pod("p", affinity={"nodeAffinity": required(*terms)})
    assert rejected(plugin(), asked, WORLD) == expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param(
            [term(label("cores", "Exists"))],
            {"b": ENFORCED, "c": ENFORCED},
            id="both match on one node",
        ),
        pytest.param(
            [term(HDD)], {"a": POD, "b": ENFORCED, "c": ENFORCED}, id="the enforced one is told"
        ),
        pytest.param([], {"b": ENFORCED, "c": ENFORCED}, id="a pod without wishes has it as well"),
    ],
)
def test_added_affinity_comes_before_the_pods_own(
    terms: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    """TestNodeAffinity, with addedAffinity."""
    affinity = {"nodeAffinity": required(*terms)} if terms else None
    found = rejected(plugin(**required(term(SSD))), make.pod("p", affinity=affinity), WORLD)
    assert found == expected


@pytest.mark.parametrize(
    ("own", "added", "expected"),
    [
        pytest.param([], [], None, id="without preferences the plugin is skipped"),
        pytest.param([(5, term(SSD))], [], (100, 0, 0), id="the best node has 100"),
        pytest.param(
            [(2, term(SSD)), (6, term(label("cores", "Exists")))],
            [],
            (100, 75, 0),
            id="weights add up, and are scaled by the highest sum",
        ),
        pytest.param(
            [(3, term(label("disk", "In", "tape")))], [], (0, 0, 0), id="met by no node: all zero"
        ),
        pytest.param([], [(4, term(HDD))], (0, 100, 0), id="the added ones alone"),
        pytest.param(
            [(1, term(SSD))], [(2, term(HDD))], (50, 100, 0), id="the added ones with its own"
        ),
        pytest.param(
            [(7, term()), (1, term(SSD))], [], (100, 0, 0), id="an empty preference is met by none"
        ),
        pytest.param([(1, named("c"))], [], (0, 0, 100), id="a preference by name"),
    ],
)
def test_preferences_are_scored(
    own: list[tuple[int, Any]], added: list[tuple[int, Any]], expected: tuple[int, ...] | None
) -> None:
    """TestNodeAffinityPriority."""
    asked = make.pod("p", affinity={"nodeAffinity": preferred(*own)})
    found = scores(plugin(**preferred(*added)), asked, WORLD)
    assert found == (None if expected is None else dict(zip("abc", expected, strict=True)))


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(label("cores", "Gt", "many"), id="no number"),
        pytest.param(label("disk", "In", "no label"), id="a value that no label can have"),
    ],
)
def test_a_preference_that_upstream_cannot_parse_leaves_the_pod_schedulable(
    wish: dict[str, Any],
) -> None:
    """differs: upstream's PreScore fails each time (NewPreferredSchedulingTerms)."""
    asked = make.pod("p", affinity={"nodeAffinity": preferred((9, term(wish)), (1, term(HDD)))})
    assert scores(plugin(), asked, WORLD) == {"a": 0, "b": 100, "c": 0}
