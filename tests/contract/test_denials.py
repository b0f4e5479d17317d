"""Who may do what: 401 and 403, as people read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.objects import binding, config_map, pod
from contract.server import Json, Server

RBAC = "/apis/rbac.authorization.k8s.io/v1"
RULES = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "create"]},
    {"apiGroups": [""], "resources": ["pods/binding"], "verbs": ["create"]},
    {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": ["mine"],
        "verbs": ["get", "update"],
    },
]


@pytest.fixture
def account(api: Server, core: str, space: str) -> Server:
    """The server as a ServiceAccount with a small role sees it."""
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}
    api.post(f"{core}/serviceaccounts", made).ok()
    wanted = {"spec": {"expirationSeconds": 600}}
    token = api.post(f"{core}/serviceaccounts/robot/token", wanted).ok()["status"]["token"]
    path = f"{RBAC}/namespaces/{space}"
    version = "rbac.authorization.k8s.io/v1"
    role = {"apiVersion": version, "kind": "Role", "metadata": {"name": "small"}, "rules": RULES}
    api.post(f"{path}/roles", role).ok()
    bound = {
        "apiVersion": version,
        "kind": "RoleBinding",
        "metadata": {"name": "small"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "small"},
        "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": space}],
    }
    api.post(f"{path}/rolebindings", bound).ok()
    robot = api.as_user(token)
    robot.wait_for(f"{core}/pods")  # the role is seen
    return robot


Ask = Callable[[Server, str], str]
HERE = 'in the namespace "{space}"'
EVERYWHERE = "at the cluster scope"
DENIED: dict[str, tuple[Ask, str, str, str]] = {
    'pods "a"': (
        lambda api, core: api.get(f"{core}/pods/a").told,
        'get resource "pods"',
        "",
        HERE,
    ),
    "pods, watched": (
        lambda api, core: api.get(f"{core}/pods", watch="true").told,
        'watch resource "pods"',
        "",
        HERE,
    ),
    "pods": (
        lambda api, _: api.get("/api/v1/pods").told,
        'list resource "pods"',
        "",
        EVERYWHERE,
    ),
    "nodes": (
        lambda api, _: api.get("/api/v1/nodes").told,
        'list resource "nodes"',
        "",
        EVERYWHERE,
    ),
    "deployments.apps": (
        lambda api, _: api.get("/apis/apps/v1/deployments").told,
        'list resource "deployments"',
        "apps",
        EVERYWHERE,
    ),
    "bindings": (
        lambda api, core: api.post(f"{core}/bindings", binding("a", "n")).told,
        'create resource "bindings"',
        "",
        HERE,
    ),
    'pods "a", evicted': (
        lambda api, core: api.post(f"{core}/pods/a/eviction", {}).told,
        'create resource "pods/eviction"',
        "",
        HERE,
    ),
    'configmaps "yours"': (
        lambda api, core: api.get(f"{core}/configmaps/yours").told,
        'get resource "configmaps"',
        "",
        HERE,
    ),
    "pods, all deleted": (
        lambda api, core: api.delete(f"{core}/pods").told,
        'deletecollection resource "pods"',
        "",
        HERE,
    ),
    'pods "a", its status': (
        lambda api, core: api.patch(f"{core}/pods/a/status", {}).told,
        'patch resource "pods/status"',
        "",
        HERE,
    ),
}


@pytest.mark.parametrize("what", DENIED)
def test_who_may_not_is_told_what(account: Server, core: str, space: str, what: str) -> None:
    ask, deed, group, where = DENIED[what]
    assert ask(account, core) == (
        f'403 Forbidden: {what.partition(",")[0]} is forbidden: User "system:serviceaccount:{space}'
        f':robot" cannot {deed} in API group "{group}" {where.format(space=space)}'
    )


def test_who_may_not_write_is_told_so_whatever_is_written(account: Server, core: str) -> None:
    answer = account.send("POST", f"{core}/configmaps?dryRun=malformed", b"{malformed")
    assert answer.told.startswith("403 Forbidden: configmaps is forbidden: User")


def test_who_may_not_list_is_told_so_whatever_is_selected(account: Server, core: str) -> None:
    answer = account.get(f"{core}/configmaps", labelSelector="=", limit="malformed")
    assert answer.told.startswith("403 Forbidden: configmaps is forbidden: User")


def test_who_may_not_see_a_path_is_told_so(account: Server, space: str) -> None:
    assert account.get("/metrics").told == (
        f'403 Forbidden: forbidden: User "system:serviceaccount:{space}:robot" cannot get path '
        '"/metrics"'
    )


def test_who_may_does(api: Server, account: Server, core: str) -> None:
    assert account.post(f"{core}/pods", pod("a")).code == 201
    assert account.post(f"{core}/pods/a/binding", binding("a", "n")).code == 201
    api.post(f"{core}/configmaps", config_map("mine")).ok()
    assert account.get(f"{core}/configmaps/mine").code == 200


def test_wrong_token_proves_nothing(api: Server) -> None:
    answer = api.as_user("wrong").get("/api/v1/pods")
    assert answer.told == "401 Unauthorized: Unauthorized"


def test_without_a_token_one_is_anonymous(api: Server) -> None:
    nobody = api.as_user("")
    assert nobody.get("/api/v1/pods").told == (
        '403 Forbidden: pods is forbidden: User "system:anonymous" cannot list resource "pods" in '
        'API group "" at the cluster scope'
    )
    assert nobody.get("/version").code == 200
    assert nobody.get("/readyz").code == 200


def review(api: Server, **attributes: str) -> bool:
    """Ask whether one may."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body: Json = {"spec": {"resourceAttributes": attributes}}
    return bool(api.post(path, body).ok()["status"]["allowed"])


def test_one_may_ask_what_one_may(api: Server, account: Server, space: str) -> None:
    assert review(account, verb="list", resource="pods", namespace=space)
    assert not review(account, verb="delete", resource="pods", namespace=space)
    assert review(api, verb="delete", resource="nodes")


def test_one_may_ask_who_one_is(account: Server, space: str) -> None:
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    info = account.post(path, {}).ok()["status"]["userInfo"]
    assert info["username"] == f"system:serviceaccount:{space}:robot"
    assert set(info["groups"]) == {
        "system:serviceaccounts",
        f"system:serviceaccounts:{space}",
        "system:authenticated",
    }


def test_events_into_a_namespace_that_ends_are_forbidden(
    api: Server, core: str, space: str
) -> None:
    held = pod("held", metadata={"finalizers": ["example.com/hold"]})
    api.post(f"{core}/pods", held).ok()
    api.delete(f"/api/v1/namespaces/{space}").ok()
    answer = api.post(f"{core}/configmaps", config_map("late"))
    api.patch(f"{core}/pods/held", {"metadata": {"finalizers": None}}).ok()
    assert answer.told == (
        f'403 Forbidden: configmaps "late" is forbidden: unable to create new content in '
        f"namespace {space} because it is being terminated"
    )
    assert answer.causes == [("NamespaceTerminating", "metadata.namespace")]
