from pilotfish.cluster.rbac.strategies import RoleBindingStrategy, RoleStrategy
from pilotfish.cluster.resources import TABLE, Resource
from policies import GROUP, binding, path_rule, role


def resource(kind: str) -> Resource:
    found = TABLE.of_kind(f"{GROUP}/v1", kind)
    assert found is not None
    return found


def test_same_rule_is_good_in_a_cluster_role_and_wrong_in_a_role() -> None:
    with_path = role("a", "r", path_rule("get", "/x"))
    assert list(RoleStrategy(resource("ClusterRole")).validate(with_path)) == []
    assert list(RoleStrategy(resource("Role")).validate(with_path)) != []


def test_update_of_a_binding_is_checked_for_itself_and_against_what_was() -> None:
    strategy = RoleBindingStrategy(resource("ClusterRoleBinding"))
    old = binding("b", "ClusterRole/r", "User/x")
    new = binding("b", "ClusterRole/other", "ServiceAccount/y")
    assert list(strategy.validate(old)) == []
    fields = [error.field for error in strategy.validate_update(new, old)]
    assert fields == ["subjects[0].namespace", "roleRef"]
