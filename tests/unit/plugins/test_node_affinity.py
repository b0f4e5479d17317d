"""Node selectors, required and preferred terms, names."""

from typing import Any

import pytest

import make
from pilotfish.api.affinity import NodeAffinity as Affinity
from pilotfish.api.affinity import PreferredSchedulingTerm
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm
from pilotfish.plugins.node_affinity import NodeAffinity
from unit.plugins.deciding import alone, cluster, rejected, scores

AFFINITY = NodeAffinity()
POD_REASON = ("node(s) didn't match Pod's node affinity/selector", False)
OUTSIDE = ("node(s) didn't satisfy plugin(s) [NodeAffinity]", False)
NODES = cluster(
    [
        make.node("a", labels={"disk": "ssd", "cores": "8"}),
        make.node("b", labels={"disk": "hdd", "cores": "32"}),
        make.node("c", labels={"cores": "many"}),
    ]
)


def term(*expressions: tuple[str, str, list[str]], names: Any = ()) -> dict[str, Any]:
    fields = [{"key": "metadata.name", "operator": op, "values": [name]} for op, name in names]
    return {
        "matchExpressions": [{"key": k, "operator": op, "values": v} for k, op, v in expressions],
        "matchFields": fields,
    }


def requiring(*terms: dict[str, Any]) -> Pod:
    required = {"nodeSelectorTerms": list(terms)}
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    return make.pod("p", affinity={"nodeAffinity": {key: required}})


def preferring(*terms: tuple[int, dict[str, Any]]) -> Pod:
    preferred = [{"weight": weight, "preference": one} for weight, one in terms]
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    return make.pod("p", affinity={"nodeAffinity": {key: preferred}})


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        (("disk", "In", ["ssd", "nvme"]), "a"),
        (("disk", "NotIn", ["ssd"]), "bc"),
        (("disk", "Exists", []), "ab"),
        (("disk", "DoesNotExist", []), "c"),
        (("cores", "Gt", ["8"]), "b"),
        (("cores", "Lt", ["9"]), "a"),
        (("nowhere", "In", ["x"]), ""),
        (("nowhere", "NotIn", ["x"]), "abc"),
        (("nowhere", "Exists", []), ""),
        (("nowhere", "DoesNotExist", []), "abc"),
        (("nowhere", "Gt", ["0"]), ""),
    ],
)
def test_operators_keep_the_nodes_that_meet_them(
    expression: tuple[str, str, list[str]], kept: str
) -> None:
    found = rejected(AFFINITY, requiring(term(expression)), NODES)
    assert found == {name: [POD_REASON] for name in "abc" if name not in kept}


def test_all_conditions_of_a_term_and_one_of_the_terms_must_hold() -> None:
    both = term(("disk", "Exists", []), ("cores", "Lt", ["9"]))
    pod = requiring(both, term(("cores", "In", ["many"])))
    assert list(rejected(AFFINITY, pod, NODES)) == ["b"]


def test_term_without_conditions_matches_no_node() -> None:
    assert list(rejected(AFFINITY, requiring(term()), NODES)) == ["a", "b", "c"]


def test_node_selector_and_required_terms_must_both_hold() -> None:
    selecting = make.pod("p", node_selector={"disk": "ssd"})
    assert list(rejected(AFFINITY, selecting, NODES)) == ["b", "c"]
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    required = {"nodeSelectorTerms": [term(("cores", "In", ["32"]))]}
    neither = make.pod(
        "p", node_selector={"disk": "ssd"}, affinity={"nodeAffinity": {key: required}}
    )
    assert list(rejected(AFFINITY, neither, NODES)) == ["a", "b", "c"]


def test_nodes_that_no_term_names_are_left_out_before_the_filter() -> None:
    pod = requiring(term(("disk", "In", ["hdd"]), names=[("In", "a")]), term(names=[("In", "b")]))
    assert rejected(AFFINITY, pod, NODES) == {"c": [OUTSIDE], "a": [POD_REASON]}


def test_term_without_a_name_leaves_all_nodes_in() -> None:
    pod = requiring(term(names=[("In", "a")]), term(("disk", "In", ["hdd"])))
    assert rejected(AFFINITY, pod, NODES) == {"c": [POD_REASON]}


def test_name_that_is_not_in_is_no_name() -> None:
    pod = requiring(term(names=[("NotIn", "a")]))
    assert rejected(AFFINITY, pod, NODES) == {"a": [POD_REASON]}


def test_terms_that_contradict_themselves_reject_the_pod() -> None:
    pod = requiring(term(names=[("In", "a"), ("In", "b")]))
    assert rejected(AFFINITY, pod, NODES) == {"*": [("pod affinity terms conflict", False)]}


def test_name_of_no_node_leaves_every_node_out() -> None:
    pod = requiring(term(names=[("In", "gone")]))
    assert rejected(AFFINITY, pod, NODES) == {name: [OUTSIDE] for name in "abc"}


def test_pod_without_wishes_is_skipped() -> None:
    assert alone(AFFINITY).filter(make.pod("p"), NODES).states == {}
    assert scores(AFFINITY, make.pod("p"), NODES) is None


def test_weights_of_the_preferred_terms_add_up() -> None:
    pod = preferring(
        (30, term(("disk", "Exists", []))),
        (10, term(("cores", "Gt", ["8"]))),
        (99, term()),
    )
    assert scores(AFFINITY, pod, NODES) == {"a": 75, "b": 100, "c": 0}


def test_added_affinity_holds_for_every_pod() -> None:
    is_ssd = NodeSelectorTerm((NodeSelectorRequirement("disk", "In", ("ssd",)),))
    has_disk = NodeSelectorTerm((NodeSelectorRequirement("disk", "Exists"),))
    added = NodeAffinity(Affinity(NodeSelector((has_disk,)), (PreferredSchedulingTerm(5, is_ssd),)))
    enforced = ("node(s) didn't match scheduler-enforced node affinity", False)
    pod = make.pod("p", node_selector={"cores": "8"})
    assert rejected(added, pod, NODES) == {"c": [enforced], "b": [POD_REASON]}
    assert scores(added, make.pod("p"), NODES) == {"a": 100, "b": 0}
