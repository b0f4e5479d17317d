import pytest

from pilotfish.cluster.authentication import ANONYMOUS
from pilotfish.cluster.rbac import (
    Authorizer,
    ResourceAttributes,
    binding_errors,
    bootstrap_objects,
    role_errors,
)
from policies import ask, ask_path, store_of, user

SCHEDULER = user("system:kube-scheduler")
CA_MAP = "extension-apiserver-authentication"
LEASES = "coordination.k8s.io"


@pytest.fixture(scope="module")
def authorizer() -> Authorizer:
    """What a fresh cluster decides by."""
    return Authorizer(store_of(*bootstrap_objects()))


def test_bootstrap_objects_are_valid_and_grant_roles_that_exist() -> None:
    objects = bootstrap_objects()
    roles = {(o["kind"], o["metadata"]["name"]) for o in objects if "roleRef" not in o}
    for obj in objects:
        namespaced = "namespace" in obj["metadata"]
        check = binding_errors if "roleRef" in obj else role_errors
        assert list(check(obj, namespaced=namespaced)) == []
        assert obj["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults"
        if "roleRef" in obj:
            assert (obj["roleRef"]["kind"], obj["roleRef"]["name"]) in roles


def test_bootstrap_objects_are_fresh_each_time() -> None:
    bootstrap_objects()[0]["metadata"]["labels"]["x"] = "y"
    assert "x" not in bootstrap_objects()[0]["metadata"]["labels"]


@pytest.mark.parametrize(
    "needed",
    [
        ask("watch", "pods"),
        ask("list", "nodes"),
        ask("list", "replicasets", group="apps"),
        ask("watch", "csinodes", group="storage.k8s.io"),
        ask("list", "resourceclaims", group="resource.k8s.io"),
        ask("create", "pods/binding", namespace="a", name="p"),
        ask("patch", "pods/status", namespace="a", name="p"),
        ask("delete", "pods", namespace="a", name="p"),
        ask("create", "events", group="events.k8s.io", namespace="a"),
        ask("update", "persistentvolumes", name="v"),
        ask("update", "leases", group=LEASES, namespace="kube-system", name="kube-scheduler"),
        ask("get", "configmaps", namespace="kube-system", name=CA_MAP),
        ask("create", "subjectaccessreviews", group="authorization.k8s.io"),
    ],
)
def test_kube_scheduler_may_do_what_it_needs(
    authorizer: Authorizer, needed: ResourceAttributes
) -> None:
    assert authorizer.allowed(SCHEDULER, needed).allowed


@pytest.mark.parametrize(
    "refused",
    [
        ask("update", "nodes", name="n"),
        ask("create", "pods", namespace="a"),
        ask("get", "secrets", namespace="a", name="s"),
        ask("update", "leases", group=LEASES, namespace="a", name="other"),
    ],
)
def test_kube_scheduler_may_not_do_more(
    authorizer: Authorizer, refused: ResourceAttributes
) -> None:
    assert not authorizer.allowed(SCHEDULER, refused).allowed


def test_everybody_may_ask_for_health_and_the_known_may_discover(authorizer: Authorizer) -> None:
    bob = user("bob")
    assert authorizer.allowed(ANONYMOUS, ask_path("get", "/healthz")).allowed
    assert authorizer.allowed(bob, ask_path("get", "/apis/apps/v1")).allowed
    assert not authorizer.allowed(ANONYMOUS, ask_path("get", "/apis")).allowed
    own = ask("create", "selfsubjectaccessreviews", group="authorization.k8s.io")
    assert authorizer.allowed(bob, own).allowed
    assert not authorizer.allowed(ANONYMOUS, own).allowed
