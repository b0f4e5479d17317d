import pytest

from make import pod
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import Namespace
from pilotfish.framework.pod_terms import PodSelector, TermKind, pod_terms

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
WEB = LabelSelector({"app": "web"})
OF_TEAM = LabelSelector({"team": "x"})
NAMESPACES = {
    "red": Namespace(metadata=ObjectMeta(name="red", labels={"team": "x"})),
    "blue": Namespace(metadata=ObjectMeta(name="blue")),
}


def test_terms_are_told_apart_by_what_the_pod_wants() -> None:
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}
    both = {REQUIRED: [term], PREFERRED: [{"weight": 3, "podAffinityTerm": term}]}
    terms = pod_terms(pod("p", affinity={"podAffinity": both, "podAntiAffinity": both}))
    assert [(one.kind, one.weight) for one in terms] == [
        (TermKind.REQUIRED_AFFINITY, 0),
        (TermKind.PREFERRED_AFFINITY, 3),
        (TermKind.REQUIRED_ANTI_AFFINITY, 0),
        (TermKind.PREFERRED_ANTI_AFFINITY, 3),
    ]
    assert {one.topology_key for one in terms} == {"zone"}
    assert {one.selector for one in terms} == {PodSelector(frozenset({"default"}), WEB)}


@pytest.mark.parametrize("affinity", [None, {}, {"podAffinity": {}}])
def test_a_pod_without_pod_affinity_has_no_terms(affinity: object) -> None:
    assert pod_terms(pod("p", affinity=affinity)) == ()


@pytest.mark.parametrize(
    ("fields", "namespaces", "namespace_selector"),
    [
        ({}, {"default"}, None),
        ({"namespaces": ["red"]}, {"red"}, None),
        ({"namespaceSelector": {}}, set(), LabelSelector()),
        ({"namespaces": ["red"], "namespaceSelector": {}}, {"red"}, LabelSelector()),
    ],
)
def test_a_term_is_about_its_own_namespace_unless_it_names_others(
    fields: dict[str, object], namespaces: set[str], namespace_selector: LabelSelector | None
) -> None:
    term = {"topologyKey": "zone", **fields}
    (found,) = pod_terms(pod("p", affinity={"podAffinity": {REQUIRED: [term]}}))
    assert found.selector == PodSelector(frozenset(namespaces), None, namespace_selector)


@pytest.mark.parametrize(
    ("selector", "matching_namespaces"),
    [
        (PodSelector(frozenset({"red"}), WEB), {"red"}),
        (PodSelector(frozenset({"red"}), LabelSelector({"app": "db"})), set()),
        (PodSelector(frozenset({"red"}), None), set()),
        (PodSelector(frozenset(), WEB, OF_TEAM), {"red"}),
        (PodSelector(frozenset({"blue"}), WEB, OF_TEAM), {"red", "blue"}),
        (PodSelector(frozenset(), WEB, LabelSelector()), {"red", "blue", "unknown"}),
    ],
)
def test_selector_goes_by_namespace_and_labels(
    selector: PodSelector, matching_namespaces: set[str]
) -> None:
    web = {"app": "web"}
    matching = {ns for ns in ("red", "blue", "unknown") if selector.matches(ns, web, NAMESPACES)}
    assert matching == matching_namespaces
