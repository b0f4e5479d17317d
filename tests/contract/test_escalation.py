"""Nobody grants by a role or a binding what they do not hold themselves."""

from __future__ import annotations

import pytest

from contract.server import Json, Server
from controlplane import wait_until

GROUP = "rbac.authorization.k8s.io"
HELD = [
    {"apiGroups": [""], "resources": ["pods", "*/status"], "verbs": ["get", "list"]},
    {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": ["mine"],
        "verbs": ["get"],
    },
]
WRITES = [
    {
        "apiGroups": [GROUP],
        "resources": ["roles", "rolebindings"],
        "verbs": ["get", "list", "create", "patch"],
    }
]
BINDS = [
    {
        "apiGroups": [GROUP],
        "resources": ["clusterroles"],
        "resourceNames": ["view"],
        "verbs": ["bind"],
    }
]


def role(name: str, *rules: Json) -> Json:
    """Make a Role."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": list(rules),
    }


def rule(verbs: str, resources: str, group: str = "", **more: list[str]) -> Json:
    """Make a rule; words are separated by spaces."""
    return {
        "apiGroups": [group],
        "resources": resources.split(),
        "verbs": verbs.split(),
        **more,
    }


def binding(name: str, kind: str, of: str, space: str) -> Json:
    """Make a RoleBinding for the author."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": of},
        "subjects": [{"kind": "ServiceAccount", "name": "author", "namespace": space}],
    }


@pytest.fixture
def path(space: str) -> str:
    return f"/apis/{GROUP}/v1/namespaces/{space}"


@pytest.fixture
def author(api: Server, core: str, path: str, space: str) -> Server:
    """The server as one sees it who may write roles, but may do little else."""
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "author"}}
    api.post(f"{core}/serviceaccounts", made).ok()
    wanted = {"spec": {"expirationSeconds": 600}}
    token = api.post(f"{core}/serviceaccounts/author/token", wanted).ok()["status"]["token"]
    api.post(f"{path}/roles", role("author", *HELD, *WRITES, *BINDS)).ok()
    api.post(f"{path}/rolebindings", binding("author", "Role", "author", space)).ok()
    author = api.as_user(token)
    author.wait_for(f"{path}/roles")  # the role is seen
    return author


def refusal(kind: str, name: str, space: str, *lacking: str) -> str:
    """Say what the author is told."""
    groups = f'"system:serviceaccounts" "system:serviceaccounts:{space}" "system:authenticated"'
    return (
        f'403 Forbidden: {kind}.{GROUP} "{name}" is forbidden: user '
        f'"system:serviceaccount:{space}:author" (groups=[{groups}]) is attempting to grant RBAC '
        "permissions not currently held:\n" + "\n".join(lacking)
    )


def test_what_one_holds_one_may_grant(author: Server, path: str) -> None:
    rules = [
        rule("get", "pods nodes/status"),
        rule("get", "configmaps", resourceNames=["mine"]),
    ]
    assert author.post(f"{path}/roles", role("held", *rules)).code == 201


@pytest.mark.parametrize(
    ("wanted", "lacking"),
    [
        (
            [rule("get delete create", "pods secrets")],
            [
                '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}',
                '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete" "create"]}',
            ],
        ),
        (
            [rule("get", "configmaps", resourceNames=["yours", "mine"])],
            ['{APIGroups:[""], Resources:["configmaps"], ResourceNames:["yours"], Verbs:["get"]}'],
        ),
        (
            [rule("get", "configmaps")],
            ['{APIGroups:[""], Resources:["configmaps"], Verbs:["get"]}'],
        ),
        (
            [rule("*", "*", "*")],
            ['{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'],
        ),
    ],
)
def test_what_one_does_not_hold_one_may_not_grant(
    author: Server, path: str, space: str, wanted: list[Json], lacking: list[str]
) -> None:
    told = author.post(f"{path}/roles", role("more", *wanted)).told
    assert told == refusal("roles", "more", space, *lacking)


def test_role_may_not_grow_by_an_update(author: Server, path: str, space: str) -> None:
    author.post(f"{path}/roles", role("mine", rule("get", "pods"))).ok()
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert author.patch(f"{path}/roles/mine", labels).code == 200
    told = author.patch(f"{path}/roles/mine", {"rules": [rule("delete", "pods")]}).told
    lacking = '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}'
    assert told == refusal("roles", "mine", space, lacking)


def test_role_with_more_may_be_bound_by_who_may_bind_it(
    author: Server, path: str, space: str
) -> None:
    where = f"{path}/rolebindings"
    assert author.post(where, binding("viewer", "ClusterRole", "view", space)).code == 201
    editor = binding("editor", "ClusterRole", "edit", space)
    refused = refusal("rolebindings", "editor", space, "{")

    def is_refused() -> bool:
        return author.post(where, editor, dryRun="All").told.startswith(refused)

    wait_until(is_refused, "the rules of the role, which a controller gathers")


def test_role_that_is_not_there_is_bound_by_who_may_all(
    api: Server, author: Server, path: str, space: str
) -> None:
    absent = binding("early", "Role", "later", space)
    told = author.post(f"{path}/rolebindings", absent).told
    assert told == f'404 NotFound: rolebindings.{GROUP} "later" not found'
    assert api.post(f"{path}/rolebindings", absent).code == 201
