import pytest

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import (
    binding_errors,
    binding_update_errors,
    role_errors,
)
from policies import binding, cluster_role, path_rule, role, rule

GROUP = "rbac.authorization.k8s.io"
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def role_texts(obj: JsonObject, *, namespaced: bool = False) -> list[str]:
    return [error.text for error in role_errors(obj, namespaced=namespaced)]


def binding_texts(obj: JsonObject, *, namespaced: bool = False) -> list[str]:
    return [error.text for error in binding_errors(obj, namespaced=namespaced)]


def test_rule_must_name_verbs_groups_and_resources() -> None:
    assert role_texts(cluster_role("r", {})) == [
        "rules[0].verbs: Required value: verbs must contain at least one value",
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource",
    ]


def test_rule_covers_resources_or_paths_but_not_both() -> None:
    both = rule("get", "pods") | path_rule("get", "/x")
    assert role_texts(cluster_role("r", path_rule("get", "/x"), both)) == [
        (
            'rules[1].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular '
            "resources and non-resource URLs"
        )
    ]


def test_role_in_a_namespace_cannot_cover_paths() -> None:
    assert role_texts(role("a", "r", path_rule("get", "/x")), namespaced=True) == [
        (
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to '
            "non-resource URLs"
        )
    ]


def test_aggregation_needs_selectors_that_are_well_formed() -> None:
    empty = cluster_role("r") | {"aggregationRule": {}}
    assert role_texts(empty) == [
        (
            "aggregationRule.clusterRoleSelectors: Required value: at least one "
            "clusterRoleSelector required if aggregationRule is non-nil"
        )
    ]
    wrong = {"matchExpressions": [{"key": "a", "operator": "Foo"}]}
    role_ = cluster_role("r") | {"aggregationRule": {"clusterRoleSelectors": [wrong]}}
    assert role_texts(role_) == [
        (
            "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: "
            '"Foo": not a valid selector operator'
        ),
        "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.",
    ]
    assert role_texts(cluster_role("r", aggregates=[{"a": "b"}])) == []


def test_binding_must_grant_a_role_of_a_known_kind_by_name() -> None:
    nothing = binding("b", "/", namespace="a") | {"roleRef": {}}
    assert binding_texts(nothing, namespaced=True) == [
        'roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"',
        "roleRef.name: Required value",
    ]
    foreign = {"kind": "Role", "apiGroup": "b", "name": "a%b"}
    assert binding_texts(binding("b", "/") | {"roleRef": foreign}) == [
        f'roleRef.apiGroup: Unsupported value: "b": supported values: "{GROUP}"',
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        "roleRef.name: Invalid value: \"a%b\": may not contain '%'",
    ]


@pytest.mark.parametrize(
    ("subject", "errors"),
    [
        ({"kind": "User", "name": "x", "apiGroup": GROUP}, []),
        ({"kind": "User"}, [".name: Required value"]),
        (
            {"kind": "A", "name": "x"},
            ['.kind: Unsupported value: "A": supported values: "ServiceAccount", "User", "Group"'],
        ),
        (
            {"kind": "Group", "name": "x", "apiGroup": "z"},
            [f'.apiGroup: Unsupported value: "z": supported values: "{GROUP}"'],
        ),
        (
            {"kind": "ServiceAccount", "name": "x", "namespace": "a", "apiGroup": "z"},
            ['.apiGroup: Unsupported value: "z": supported values: ""'],
        ),
        (
            {"kind": "ServiceAccount", "name": "X_", "namespace": "a"},
            [f'.name: Invalid value: "X_": {SUBDOMAIN}'.replace(r"\\", "\\")],
        ),
        ({"kind": "ServiceAccount", "name": "x"}, [".namespace: Required value"]),
    ],
)
def test_subject_is_checked_by_its_kind(subject: JsonObject, errors: list[str]) -> None:
    bound = binding("b", "ClusterRole/r") | {"subjects": [subject]}
    assert binding_texts(bound) == [f"subjects[0]{error}" for error in errors]


def test_service_account_in_a_role_binding_needs_no_namespace() -> None:
    bound = binding("b", "Role/r", "ServiceAccount/x", namespace="a")
    assert binding_texts(bound, namespaced=True) == []


def test_role_of_a_binding_cannot_change() -> None:
    old, new = binding("b", "ClusterRole/r", "User/x"), binding("b", "ClusterRole/other")
    errors = binding_update_errors(new, old)
    assert [error.text for error in errors] == [
        (
            f'roleRef: Invalid value: {{"APIGroup":"{GROUP}","Kind":"ClusterRole","Name":"other"}}'
            ": cannot change roleRef"
        )
    ]
    assert list(binding_update_errors(old | {"subjects": []}, old)) == []
