import pytest

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import Attributes, Authorizer, ResourceAttributes
from policies import (
    ask,
    ask_path,
    binding,
    cluster_role,
    path_rule,
    put,
    remove,
    role,
    rule,
    store_of,
    user,
)

ADA = user("ada", "staff")


def allowed(attributes: Attributes, *rules: JsonObject) -> bool:
    """Decide for ada, to whom one cluster role with these rules is bound."""
    store = store_of(cluster_role("r", *rules), binding("b", "ClusterRole/r", "User/ada"))
    return Authorizer(store).allowed(ADA, attributes).allowed


def test_nobody_may_do_anything_without_a_binding() -> None:
    decision = Authorizer(store_of()).allowed(ADA, ask("list", "pods"))
    assert (decision.allowed, decision.reason) == (False, "")


def test_system_masters_may_do_all_without_any_role() -> None:
    admin = user("admin", "system:masters")
    authorizer = Authorizer(store_of())
    assert authorizer.allowed(admin, ask("delete", "nodes")).allowed
    assert authorizer.allowed(admin, ask_path("get", "/metrics")).allowed


@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        (ask("list", "pods"), True),
        (ask("watch", "pods"), False),
        (ask("list", "pods", group="metrics.k8s.io"), False),
        (ask("list", "pods/status"), False),
        (ask("list", "pods", namespace="a"), True),
        (ask("list", "pods", name="x"), True),
    ],
)
def test_rule_covers_its_verbs_groups_and_resources_only(
    request_: ResourceAttributes, *, verdict: bool
) -> None:
    assert allowed(request_, rule("get,list", "pods")) is verdict


def test_stars_cover_everything_of_their_kind() -> None:
    assert allowed(ask("patch", "x/status", group="g"), rule("*", "*", groups="*"))
    assert not allowed(ask("patch", "x", group="g"), rule("*", "*"))
    assert not allowed(ask("patch", "x"), rule("get", "*", groups="*"))


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [("pods/scale", True), ("deployments/scale", True), ("pods", False), ("pods/scales", False)],
)
def test_star_before_a_subresource_covers_it_everywhere(resource: str, *, verdict: bool) -> None:
    assert allowed(ask("get", resource), rule("get", "*/scale")) is verdict


def test_resource_names_cover_requests_that_name_one_of_them() -> None:
    named = rule("get,list", "configmaps", "a", "b")
    assert allowed(ask("get", "configmaps", name="b"), named)
    assert not allowed(ask("get", "configmaps", name="c"), named)
    assert not allowed(ask("list", "configmaps"), named)


def test_second_rule_counts_where_the_first_names_another_object() -> None:
    rules = rule("get", "pods", "a"), rule("get", "pods", "b")
    assert allowed(ask("get", "pods", name="b"), *rules)


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("/healthz", True),
        ("/healthz/etcd", False),
        ("/logs/", True),
        ("/logs/a/b", True),
        ("/logs", False),
    ],
)
def test_path_rule_covers_a_path_or_with_a_star_what_begins_so(path: str, *, verdict: bool) -> None:
    assert allowed(ask_path("get", path), path_rule("get", "/healthz", "/logs/*")) is verdict
    assert not allowed(ask_path("put", path), path_rule("get", "/healthz", "/logs/*"))


def test_rules_on_resources_and_on_paths_do_not_cover_one_another() -> None:
    assert not allowed(ask_path("get", "/pods"), rule("*", "*", groups="*"))
    assert not allowed(ask("get", "pods"), path_rule("*", "*"))


@pytest.mark.parametrize(
    ("subject", "verdict"),
    [
        ("User/ada", True),
        ("Group/staff", True),
        ("Group/ada", False),
        ("User/staff", False),
        ("User/ad", False),
        ("ServiceAccount/ns/ada", False),
    ],
)
def test_subject_is_the_user_by_name_or_group(subject: str, *, verdict: bool) -> None:
    store = store_of(cluster_role("r", rule("get", "pods")), binding("b", "ClusterRole/r", subject))
    assert Authorizer(store).allowed(ADA, ask("get", "pods")).allowed is verdict


def test_service_account_subject_lies_in_the_namespace_of_the_binding_unless_it_says_another() -> (
    None
):
    grants = [
        role("a", "r", rule("get", "pods")),
        binding("own", "Role/r", "ServiceAccount/sa", namespace="a"),
        binding("foreign", "Role/r", "ServiceAccount/b/other", namespace="a"),
    ]
    authorizer = Authorizer(store_of(*grants))
    get = ask("get", "pods", namespace="a")
    assert authorizer.allowed(user("system:serviceaccount:a:sa"), get).allowed
    assert authorizer.allowed(user("system:serviceaccount:b:other"), get).allowed
    assert not authorizer.allowed(user("system:serviceaccount:b:sa"), get).allowed


def test_role_binding_grants_a_cluster_role_in_its_namespace_only() -> None:
    store = store_of(
        cluster_role("r", rule("get", "pods"), path_rule("get", "/x")),
        binding("b", "ClusterRole/r", "User/ada", namespace="a"),
    )
    authorizer = Authorizer(store)
    assert authorizer.allowed(ADA, ask("get", "pods", namespace="a")).allowed
    assert not authorizer.allowed(ADA, ask("get", "pods", namespace="b")).allowed
    assert not authorizer.allowed(ADA, ask("get", "pods")).allowed
    assert not authorizer.allowed(ADA, ask_path("get", "/x")).allowed


def test_reason_names_the_binding_the_role_and_the_subject() -> None:
    store = store_of(
        role("a", "r", rule("get", "pods")),
        binding("b", "Role/r", "User/bob", "ServiceAccount/sa", namespace="a"),
    )
    account = user("system:serviceaccount:a:sa")
    decision = Authorizer(store).allowed(account, ask("get", "pods", namespace="a"))
    assert decision.reason == (
        'RBAC: allowed by RoleBinding "b/a" of Role "r" to ServiceAccount "sa/a"'
    )


def test_denial_names_the_roles_that_are_bound_but_do_not_exist() -> None:
    store = store_of(
        binding("b1", "ClusterRole/gone", "User/ada"),
        binding("b2", "ClusterRole/gone", "User/ada"),
        binding("b3", "Role/lost", "User/ada", namespace="a"),
    )
    authorizer = Authorizer(store)
    assert authorizer.allowed(ADA, ask("get", "pods")).reason == (
        'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    )
    assert authorizer.allowed(ADA, ask("get", "pods", namespace="a")).reason == (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, '
        'role.rbac.authorization.k8s.io "lost" not found]'
    )


def test_decision_follows_every_change_of_roles_and_bindings() -> None:
    granted, bound = (
        cluster_role("r", rule("get", "pods")),
        binding("b", "ClusterRole/r", "User/ada"),
    )
    store = store_of()
    authorizer = Authorizer(store)
    verdicts = []

    def decide() -> None:
        verdicts.append(authorizer.allowed(ADA, ask("get", "pods")).allowed)

    decide()
    put(store, granted, bound)
    decide()
    put(store, cluster_role("r", rule("get", "nodes")))
    decide()
    put(store, granted)
    decide()
    remove(store, bound)
    decide()
    assert verdicts == [False, True, False, True, False]


def test_decision_is_right_after_more_changes_than_the_store_remembers() -> None:
    store = store_of(binding("b", "ClusterRole/r", "User/ada"))
    authorizer = Authorizer(store)
    assert not authorizer.allowed(ADA, ask("get", "pods")).allowed
    put(store, cluster_role("r", rule("get", "pods")))
    for number in range(13_000):  # the window is 10,000, and a quarter more before it moves
        put(store, cluster_role("noise", rule("get", f"x{number}")))
    assert authorizer.allowed(ADA, ask("get", "pods")).allowed


def test_null_lists_in_stored_policies_read_as_empty() -> None:
    store = store_of(
        cluster_role("r") | {"rules": None}, binding("b", "ClusterRole/r") | {"subjects": None}
    )
    assert not Authorizer(store).allowed(ADA, ask("get", "pods")).allowed
