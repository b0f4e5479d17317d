import random

import msgspec
import pytest

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.requests import ApiRequest, Options, User
from pilotfish.cluster.settings import ClusterSettings
from unit.cluster.registry.api import ADMIN, START, Api, Json, message, pod, resource_of

BOB = User("bob", ("system:authenticated",))


def test_cluster_begins_with_what_upstream_makes_at_the_start(api: Api) -> None:
    assert set(api.names("namespaces")) == {
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    }
    assert api.names("priorityclasses") == ["system-cluster-critical", "system-node-critical"]
    service = api.get("services", "kubernetes")
    assert service["spec"]["clusterIP"] == "10.96.0.1"
    assert service["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}
    assert "system:kube-scheduler" in api.names("clusterroles")
    assert "default" in api.names("serviceaccounts")


def test_same_seed_and_time_make_the_same_cluster() -> None:
    def state() -> list[bytes]:
        cluster = Cluster(rng=random.Random(5), settings=ClusterSettings(), now=START)
        for second in range(3):
            cluster.advance(START + second)
        kinds = ("nodes", "serviceaccounts")
        return [stored.body for kind in kinds for stored in cluster.store.list(kind).items]

    assert state() == state()


def test_user_without_a_role_is_refused_by_name_verb_and_resource(api: Api) -> None:
    refusal = api.ask("list", "pods", user=BOB)
    assert message(refusal, 403) == (
        'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the '
        'namespace "default"'
    )
    refusal = api.ask("create", "pods", "p", {}, part="binding", user=BOB)
    assert 'cannot create resource "pods/binding"' in message(refusal, 403)


def test_update_that_would_create_needs_both_permissions(api: Api) -> None:
    rule = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["update"]}
    api.create("roles", {"metadata": {"name": "r"}, "rules": [rule]})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    subjects = [{"kind": "User", "name": "bob"}]
    binding = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": subjects}
    api.create("rolebindings", binding)
    lease = {"metadata": {"name": "l"}, "spec": {}}
    refusal = api.update("leases", "l", lease, user=BOB)
    assert 'cannot create resource "leases"' in message(refusal, 403)
    known = api.create("leases", lease)
    assert "code" not in api.update("leases", "l", known, user=BOB)


def test_list_selects_by_labels_and_fields(api: Api) -> None:
    for name, app in (("a", "x"), ("b", "y")):
        made = pod(name, nodeName=f"node-{name}")
        made["metadata"]["labels"] = {"app": app}
        api.create("pods", made)
    assert api.names("pods", label_selector="app in (x,z)") == ["a"]
    assert api.names("pods", field_selector="spec.nodeName=node-b") == ["b"]
    assert api.names("pods", field_selector="metadata.name!=a,status.phase=Pending") == ["b"]
    assert api.names("pods", label_selector="app", field_selector="metadata.namespace=default") == [
        "a",
        "b",
    ]
    assert api.names("pods", namespace="") == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"field_selector": "spec.foo=x"}, 400, "field label not supported: spec.foo"),
        ({"field_selector": "foo"}, 400, "invalid selector: 'foo'; can't understand 'foo'"),
        ({"label_selector": "a==="}, 400, "unable to parse requirement: "),
        (
            {"resource_version": "x"},
            400,
            (
                'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: '
                'parsing "x": invalid syntax'
            ),
        ),
        ({"resource_version": "999999"}, 504, "Timeout: Too large resource version: 999999, "),
    ],
)
def test_list_that_makes_no_sense_is_refused(api: Api, options: Json, code: int, text: str) -> None:
    assert message(api.ask("list", "pods", **options), code).startswith(text)


def test_pages_show_the_store_as_it_was_at_the_first(api: Api) -> None:
    for name in "abc":
        api.create("configmaps", {"metadata": {"name": name, "labels": {"mine": "1"}}})
    first = api.ask("list", "configmaps", limit=2, label_selector="mine")
    api.delete("configmaps", "c")
    token = first["metadata"]["continue"]
    rest = api.ask("list", "configmaps", limit=2, continue_token=token, label_selector="mine")
    names = [item["metadata"]["name"] for item in first["items"] + rest["items"]]
    assert names == ["a", "b", "c"]
    assert first["metadata"]["resourceVersion"] == rest["metadata"]["resourceVersion"]


def test_list_at_exactly_one_resource_version_looks_back(api: Api) -> None:
    version = api.create("configmaps", {"metadata": {"name": "a"}})["metadata"]["resourceVersion"]
    api.delete("configmaps", "a")
    exact = {"resource_version": version, "resource_version_match": "Exact"}
    assert "a" in api.names("configmaps", **exact)
    assert "a" not in api.names("configmaps")


def test_watch_gives_changes_and_says_which_are_selected(api: Api) -> None:
    options = Options(label_selector="app=x", resource_version="")
    request = ApiRequest(
        verb="watch",
        resource=resource_of("pods"),
        user=ADMIN,
        namespace="default",
        options=options,
    )
    cursor, selects = api.cluster.watch(request)
    made = pod()
    made["metadata"]["labels"] = {"app": "x"}
    api.create("pods", made)
    api.merge("pods", "p", {"metadata": {"labels": {"app": "y"}}})
    changes = cursor.next()
    assert [(change.type, selects(change.new)) for change in changes] == [
        ("ADDED", True),
        ("MODIFIED", False),
    ]


def test_watch_is_authorized_and_expires(api: Api) -> None:
    request = ApiRequest(verb="watch", resource=resource_of("pods"), user=BOB)
    with pytest.raises(StatusError, match="cannot watch resource"):
        api.cluster.watch(request)
    settings = ClusterSettings(node_groups=(), watch_window=1)
    cluster = Cluster(rng=random.Random(0), settings=settings, now=START)
    old = ApiRequest(
        verb="watch",
        resource=resource_of("clusterroles"),
        user=ADMIN,
        options=Options(resource_version="1"),
    )
    with pytest.raises(StatusError) as refusal:
        cluster.watch(old)
    assert refusal.value.code == 410


def test_advance_lets_nodes_pods_and_controllers_come_to_rest() -> None:
    cluster = Cluster(rng=random.Random(0), settings=ClusterSettings(), now=START)
    deadline = cluster.advance(START)
    now = START
    while deadline is not None and now < START + 5:
        now = max(deadline, now)
        deadline = cluster.advance(now)
    nodes = [stored.decode() for stored in cluster.store.list("nodes").items]
    assert len(nodes) == 3
    assert all(not node["spec"].get("taints") for node in nodes)


def test_step_says_at_once_when_there_is_more_to_do(api: Api) -> None:
    api.create("namespaces", {"metadata": {"name": "x"}})
    assert api.cluster.step(api.now) == api.now
    api.settle()
    assert api.cluster.step(api.now) != api.now


def test_answers_are_complete_json_documents(api: Api) -> None:
    request = ApiRequest(verb="list", resource=resource_of("deployments"), user=ADMIN)
    answer = api.cluster.request(request, START)
    document = msgspec.json.decode(answer.body)
    assert (document["kind"], document["apiVersion"]) == ("DeploymentList", "apps/v1")
    assert (answer.code, list(answer.items or ())) == (200, [])


def test_get_of_what_is_not_there_names_resource_and_group(api: Api) -> None:
    refusal = api.get("deployments", "nope")
    assert message(refusal, 404) == 'deployments.apps "nope" not found'
    assert refusal["details"] == {"name": "nope", "group": "apps", "kind": "deployments"}


def test_token_of_a_service_account_proves_it(api: Api) -> None:
    answer = api.ask("create", "serviceaccounts", "default", {"spec": {}}, part="token")
    header = f"Bearer {answer['status']['token']}"
    user = api.cluster.authenticator.authenticate(header, api.now)
    assert user.name == "system:serviceaccount:default:default"


def test_review_answers_what_the_user_may_do(api: Api) -> None:
    spec = {"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": "default"}}
    review = {"spec": spec}
    assert api.create("selfsubjectaccessreviews", review)["status"]["allowed"] is True
    denied = api.create("selfsubjectaccessreviews", review, user=BOB)
    assert denied["status"]["allowed"] is False
