import pytest

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.rbac import Authorizer, impersonated
from pilotfish.cluster.requests import User
from policies import binding, cluster_role, rule, store_of, user

ADMIN = user("admin", "system:masters")
ADA = user("ada")
BOB = "Impersonate-User", "bob"
MAY_BE_BOB = (
    cluster_role("r", rule("impersonate", "users", "bob")),
    binding("b", "ClusterRole/r", "User/ada"),
)


def as_admin(*headers: tuple[str, str]) -> User:
    return impersonated(Authorizer(store_of()), ADMIN, headers)


def test_request_without_such_headers_is_the_users_own() -> None:
    assert as_admin(("Accept", "application/json")) is ADMIN


def test_who_may_impersonate_a_user_becomes_him() -> None:
    assert impersonated(Authorizer(store_of(*MAY_BE_BOB)), ADA, [BOB]).name == "bob"


def test_impersonated_user_is_authenticated() -> None:
    assert as_admin(BOB) == User("bob", ("system:authenticated",))


def test_impersonated_service_account_has_its_groups() -> None:
    found = as_admin(("impersonate-user", "system:serviceaccount:a:sa"))
    groups = ("system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated")
    assert found == User("system:serviceaccount:a:sa", groups)


def test_impersonated_nobody_is_not_authenticated() -> None:
    assert as_admin(("Impersonate-User", "system:anonymous")).groups == ("system:unauthenticated",)
    given = as_admin(BOB, ("Impersonate-Group", "system:unauthenticated"))
    assert given.groups == ("system:unauthenticated",)


def test_groups_uid_and_extra_come_from_the_headers() -> None:
    found = as_admin(
        BOB,
        ("Impersonate-Group", "g1"),
        ("Impersonate-Group", "g2"),
        ("Impersonate-Uid", "u"),
        ("Impersonate-Extra-Acme.com%2fteam", "red"),
    )
    groups = ("g1", "g2", "system:authenticated")
    assert found == User("bob", groups, "u", {"acme.com/team": ("red",)})


def test_group_without_a_user_is_a_bad_request() -> None:
    with pytest.raises(StatusError, match="need Impersonate-User") as refused:
        as_admin(("Impersonate-Group", "g"))
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            ("Impersonate-User", "system:serviceaccount:a:sa"),
            (
                'serviceaccounts "sa" is forbidden: User "ada" cannot impersonate resource '
                '"serviceaccounts" in API group "" in the namespace "a"'
            ),
        ),
        (
            ("Impersonate-Group", "g"),
            (
                'groups "g" is forbidden: User "ada" cannot impersonate resource "groups" in API '
                'group "" at the cluster scope'
            ),
        ),
        (
            ("Impersonate-Uid", "g"),
            (
                'uids.authentication.k8s.io "g" is forbidden: User "ada" cannot impersonate '
                'resource "uids" in API group "authentication.k8s.io" at the cluster scope'
            ),
        ),
        (
            ("Impersonate-Extra-Foo%2fbar", "g"),
            (
                'userextras.authentication.k8s.io "g" is forbidden: User "ada" cannot impersonate '
                'resource "userextras/foo/bar" in API group "authentication.k8s.io" at the cluster '
                "scope"
            ),
        ),
    ],
)
def test_each_part_of_the_impersonated_user_must_be_allowed(
    header: tuple[str, str], message: str
) -> None:
    store = store_of(*MAY_BE_BOB)
    headers = [header] if header[0] == BOB[0] else [BOB, header]
    with pytest.raises(StatusError) as refused:
        impersonated(Authorizer(store), ADA, headers)
    assert (refused.value.code, refused.value.message) == (403, message)
