"""The embedded cluster's authorization beside a real API server's: same policies, same answers."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from controlplane import ApiError, ControlPlane, wait_until
from controlplane.api import Api
from derive_rbac import TARGET, derive, render
from pilotfish.cluster.errors import StatusError, invalid
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import (
    Attributes,
    Authorizer,
    Decision,
    PathAttributes,
    ResourceAttributes,
    binding_errors,
    binding_update_errors,
    role_errors,
)
from pilotfish.cluster.rbac.aggregation import AggregatedRole, aggregated_rules
from pilotfish.cluster.rbac.attributes import forbidden
from pilotfish.cluster.requests import User
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.store import Store
from policies import (
    ask,
    ask_path,
    binding,
    cluster_role,
    path_rule,
    put,
    role,
    rule,
    user,
)
from random_policies import random_binding, random_request, random_role, random_user

pytestmark = pytest.mark.controlplane

GROUP_VERSION = "rbac.authorization.k8s.io/v1"
KINDS = {
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "roles": "Role",
    "rolebindings": "RoleBinding",
}
PREFIX = "rbac-random-"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def policies_of(api: Api) -> Store:
    """Read all policies of the real server into a store."""
    store = Store()
    for plural, kind in KINDS.items():
        for item in api.items(f"/apis/{GROUP_VERSION}/{plural}"):
            put(store, {"apiVersion": GROUP_VERSION, "kind": kind, **item})
    return store


def review(api: Api, who: User, attributes: Attributes) -> Decision:
    """Let the real server decide."""
    wanted: JsonObject = {"verb": attributes.verb}
    match attributes:
        case PathAttributes():
            kind, wanted["path"] = "nonResourceAttributes", attributes.path
        case ResourceAttributes():
            kind = "resourceAttributes"
            for part in ("group", "resource", "subresource", "namespace", "name"):
                wanted[part] = getattr(attributes, part)
    spec = {"user": who.name, "groups": list(who.groups), kind: wanted}
    status = api.request("POST", REVIEWS, {"spec": spec})["status"]
    return Decision(status["allowed"], status.get("reason", ""))


def missing_roles(decision: Decision) -> set[str]:
    """Read from a denial which roles were not found."""
    return set(decision.reason.removeprefix("RBAC: ").strip("[]").split(", "))


@pytest.fixture
def random_policies(control_plane: ControlPlane) -> Iterator[random.Random]:
    """Random policies on the real server, which has taken them in."""
    rng = random.Random(7)
    for name in ("one", "two"):
        control_plane.create_namespace(PREFIX + name)
    made: dict[str, JsonObject] = {}
    for _ in range(60):
        obj = rng.choice((random_role, random_binding))(rng, PREFIX)
        made[f"{control_plane.api.collection(obj)}/{obj['metadata']['name']}"] = obj
    probe = f"{PREFIX}probe"
    last = [
        cluster_role(probe, rule("get", "x")),
        binding(probe, f"ClusterRole/{probe}", f"User/{probe}"),
        role(f"{PREFIX}one", probe, rule("get", "y")),
        binding(probe, f"Role/{probe}", f"User/{probe}", namespace=f"{PREFIX}one"),
    ]
    for obj in last:
        made[f"{control_plane.api.collection(obj)}/{probe}"] = obj
    control_plane.create(made.values(), concurrency=1)
    wanted = ask("get", "x"), ask("get", "y", namespace=f"{PREFIX}one")

    def taken_in() -> bool:
        return all(review(control_plane.api, user(probe), each).allowed for each in wanted)

    wait_until(taken_in, "the newest policies")
    yield rng
    for path in made:
        control_plane.api.delete(path)
    for name in ("one", "two"):
        control_plane.api.delete(f"/api/v1/namespaces/{PREFIX}{name}")


def test_decisions_on_random_policies_equal_the_real_servers(
    control_plane: ControlPlane, random_policies: random.Random
) -> None:
    authorizer = Authorizer(policies_of(control_plane.api))
    seen = set()
    for _ in range(400):
        who = random_user(random_policies, PREFIX)
        attributes = random_request(random_policies, PREFIX)
        ours = authorizer.allowed(who, attributes)
        real = review(control_plane.api, who, attributes)
        assert ours.allowed is real.allowed, (who, attributes, real)
        if not ours.allowed:  # where several bindings allow, upstream names any of them
            assert missing_roles(ours) == missing_roles(real)
        seen.add((ours.allowed, bool(ours.reason)))
    assert seen == {(True, True), (False, True), (False, False)}


def test_bootstrap_objects_are_those_of_the_real_server(control_plane: ControlPlane) -> None:
    assert render(derive(control_plane)) == TARGET.read_text()


def test_aggregated_rules_are_those_of_the_real_server(control_plane: ControlPlane) -> None:
    path = f"/apis/{GROUP_VERSION}/clusterroles"

    def is_alike() -> bool:
        roles = [msgspec.convert(item, AggregatedRole) for item in control_plane.api.items(path)]
        return all(
            aggregated_rules(real.aggregation_rule, [one for one in roles if one is not real])
            == real.rules
            for real in roles
            if real.aggregation_rule is not None
        )

    wait_until(is_alike, "the rules of all aggregated roles")


@pytest.mark.parametrize(
    ("path", "attributes"),
    [
        ("/api/v1/namespaces/default/pods", ask("list", "pods", namespace="default")),
        ("/api/v1/pods?watch=1", ask("watch", "pods")),
        ("/api/v1/namespaces/default/pods/p", ask("get", "pods", namespace="default", name="p")),
        (
            "/api/v1/namespaces/default/pods/p/log",
            ask("get", "pods/log", namespace="default", name="p"),
        ),
        ("/apis/apps/v1/deployments", ask("list", "deployments", group="apps")),
        ("/api/v1/namespaces/a", ask("get", "namespaces", namespace="a", name="a")),
        (
            "/api/v1/nodes?fieldSelector=metadata.name%3Dn",
            ask("list", "nodes", name="n"),
        ),
        ("/metrics", ask_path("get", "/metrics")),
        ("/a%3Cb%3E&c", ask_path("get", "/a<b>&c")),
    ],
)
def test_refusals_read_as_the_real_servers(
    control_plane: ControlPlane, path: str, attributes: Attributes
) -> None:
    control_plane.service_account_kubeconfig("default", "stranger")
    account = "/api/v1/namespaces/default/serviceaccounts/stranger/token"
    token = control_plane.api.request("POST", account, {})["status"]["token"]
    stranger = Api(control_plane.url, control_plane.ca_file, token)
    with pytest.raises(ApiError) as refused:
        stranger.get(path)
    stranger.close()
    ours = forbidden(user("system:serviceaccount:default:stranger"), attributes, "")
    assert str(refused.value) == f"403 Forbidden: {ours.message}"


def _invalid(obj: JsonObject, old: JsonObject | None = None) -> StatusError:
    resource = TABLE.of_kind(GROUP_VERSION, obj["kind"])
    assert resource is not None
    if obj["kind"].endswith("Role"):
        errors = list(role_errors(obj, namespaced=resource.namespaced))
    else:
        errors = list(binding_errors(obj, namespaced=resource.namespaced))
        errors += binding_update_errors(obj, old) if old else ()
    return invalid(resource, obj["metadata"]["name"], errors)


NEITHER = {"kind": "Foo", "name": "", "apiGroup": "b"}
SUBJECTS: list[JsonObject] = [
    {"kind": "User"},
    {"kind": "Foo", "name": "x"},
    {"kind": "ServiceAccount", "name": "X_", "apiGroup": "z"},
    {"kind": "Group", "name": "x", "apiGroup": "z"},
]
SELECTOR = {"matchLabels": {"a": "b c"}, "matchExpressions": [{"key": "a", "operator": "Foo"}]}


@pytest.mark.parametrize(
    "obj",
    [
        cluster_role("wrong", {}),
        cluster_role("wrong", rule("get", "pods") | path_rule("get", "/x")),
        cluster_role("wrong") | {"aggregationRule": {}},
        cluster_role("wrong") | {"aggregationRule": {"clusterRoleSelectors": [SELECTOR]}},
        role("default", "wrong", path_rule("get", "/x"), {"verbs": ["get"]}),
        binding("wrong", "/", namespace="default") | {"roleRef": {}},
        binding("wrong", "/", namespace="default") | {"roleRef": NEITHER, "subjects": SUBJECTS},
        binding("wrong", "Role/a%b", "ServiceAccount/x"),
    ],
)
def test_invalid_policies_are_refused_in_the_real_servers_words(
    control_plane: ControlPlane, obj: JsonObject
) -> None:
    with pytest.raises(ApiError) as refused:
        control_plane.create([obj])
    assert str(refused.value) == f"422 Invalid: {_invalid(obj).message}"


def test_change_of_a_bindings_role_is_refused_in_the_real_servers_words(
    control_plane: ControlPlane,
) -> None:
    old = binding("rbac-fixed", "ClusterRole/view", "User/x")
    new = binding("rbac-fixed", "ClusterRole/edit", "User/x")
    path = f"/apis/{GROUP_VERSION}/clusterrolebindings/rbac-fixed"
    control_plane.create([old])
    with pytest.raises(ApiError) as refused:
        control_plane.api.patch(path, {"roleRef": new["roleRef"]}, kind="merge")
    control_plane.api.delete(path)
    assert str(refused.value) == f"422 Invalid: {_invalid(new, old).message}"
