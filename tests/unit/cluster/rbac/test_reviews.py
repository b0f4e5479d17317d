import random
from typing import Any

import pytest

from pilotfish.cluster.authentication import ADMIN, ISSUER, Authenticator, ServiceAccountTokens
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import Authorizer, Reviews
from pilotfish.cluster.requests import ApiRequest, User
from pilotfish.cluster.resources import TABLE
from policies import binding, cluster_role, path_rule, role, rule, store_of, user

ADA = user("ada")
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


def ask(kind: str, spec: JsonObject | None = None, *, by: User = ADA, **rest: Any) -> JsonObject:
    """Answer a review in a cluster where ada may get pods in namespace a."""
    store = store_of(
        cluster_role("paths", path_rule("get", "/x")),
        role("a", "pods", rule("get", "pods", "p")),
        binding("paths", "ClusterRole/paths", "User/ada"),
        binding("pods", "Role/pods", "User/ada", namespace="a"),
        binding("lost", "Role/lost", "User/ada", namespace="a"),
    )
    accounts = ServiceAccountTokens(store, secret=b"secret", rng=random.Random(0))
    reviews = Reviews(Authorizer(store), Authenticator({"opensesame": ADMIN}, accounts))
    group = "authentication.k8s.io" if kind in {"SelfSubjectReview", "TokenReview"} else None
    resource = TABLE.of_kind(f"{group or 'authorization.k8s.io'}/v1", kind)
    assert resource is not None
    namespace = rest.pop("namespace", "")
    body = rest | ({} if spec is None else {"spec": spec})
    request = ApiRequest(verb="create", resource=resource, user=by, namespace=namespace, body=body)
    return reviews.answer(request, NOW)


def test_self_subject_access_review_says_why_one_may() -> None:
    spec = {
        "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "a", "name": "p"}
    }
    assert ask("SelfSubjectAccessReview", spec) == {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": spec,
        "status": {
            "allowed": True,
            "reason": 'RBAC: allowed by RoleBinding "pods/a" of Role "pods" to User "ada"',
        },
    }


def test_self_subject_access_review_says_that_one_may_not() -> None:
    elsewhere = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "b"}}
    assert ask("SelfSubjectAccessReview", elsewhere)["status"] == {"allowed": False}
    here = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "a"}}
    assert ask("SelfSubjectAccessReview", here)["status"] == {
        "allowed": False,
        "reason": 'RBAC: role.rbac.authorization.k8s.io "lost" not found',
    }


def test_subject_access_review_asks_for_somebody_else() -> None:
    spec = {"user": "ada", "nonResourceAttributes": {"verb": "get", "path": "/x"}}
    assert ask("SubjectAccessReview", spec, by=ADMIN)["status"]["allowed"]
    spec = {"groups": ["system:masters"], "nonResourceAttributes": {"verb": "get", "path": "/y"}}
    assert ask("SubjectAccessReview", spec)["status"] == {"allowed": True}


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        (
            "SelfSubjectAccessReview",
            {},
            (
                "spec.resourceAttributes: Invalid value: null: exactly one of "
                "nonResourceAttributes or resourceAttributes must be specified"
            ),
        ),
        (
            "SelfSubjectAccessReview",
            {"resourceAttributes": {}, "nonResourceAttributes": {"verb": "get"}},
            (
                'spec.nonResourceAttributes: Invalid value: {"Path":"","Verb":"get"}: cannot be '
                "specified in combination with resourceAttributes"
            ),
        ),
        (
            "SubjectAccessReview",
            {"resourceAttributes": {}},
            'spec.user: Invalid value: "": at least one of user or group must be specified',
        ),
        (
            "LocalSubjectAccessReview",
            {"user": "x", "nonResourceAttributes": {"verb": "list"}},
            (
                'spec.nonResourceAttributes: Invalid value: {"Path":"","Verb":"list"}: disallowed '
                "on this kind of request"
            ),
        ),
        (
            "LocalSubjectAccessReview",
            {"user": "x", "resourceAttributes": {"namespace": "b"}},
            'spec.resourceAttributes.namespace: Invalid value: "b": must match metadata.namespace',
        ),
    ],
)
def test_malformed_access_review_is_refused(kind: str, spec: JsonObject, message: str) -> None:
    with pytest.raises(StatusError) as refused:
        ask(kind, spec, namespace="a")
    assert refused.value.code == 422
    assert refused.value.message == f'.authorization.k8s.io "" is invalid: {message}'


def test_access_review_has_no_name() -> None:
    with pytest.raises(
        StatusError, match=r'metadata: Invalid value: \{"name":"x"\}: must be empty'
    ):
        ask("SelfSubjectAccessReview", {"resourceAttributes": {}}, metadata={"name": "x"})


def test_self_subject_rules_review_lists_what_one_may_do_in_a_namespace() -> None:
    review = ask("SelfSubjectRulesReview", {"namespace": "a"})
    assert (review["metadata"], review["spec"]) == ({}, {})
    assert review["status"] == {
        "resourceRules": [
            {"verbs": ("get",), "apiGroups": ("",), "resources": ("pods",), "resourceNames": ("p",)}
        ],
        "nonResourceRules": [{"verbs": ("get",), "nonResourceURLs": ("/x",)}],
        "incomplete": False,
        "evaluationError": 'role.rbac.authorization.k8s.io "lost" not found',
    }


def test_self_subject_rules_review_needs_a_namespace() -> None:
    with pytest.raises(StatusError, match="no namespace on request") as refused:
        ask("SelfSubjectRulesReview", {})
    assert refused.value.code == 400


def test_self_subject_review_says_who_one_is() -> None:
    who = User("ada", ("g",), "u", {"k": ("v",)})
    assert ask("SelfSubjectReview", by=who) == {
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": "2027-01-15T08:00:00Z"},
        "status": {
            "userInfo": {"username": "ada", "uid": "u", "groups": ("g",), "extra": {"k": ("v",)}}
        },
    }


def test_token_review_says_whom_a_token_proves() -> None:
    assert ask("TokenReview", {"token": "opensesame"})["status"] == {
        "authenticated": True,
        "user": {
            "username": "admin",
            "uid": "admin",
            "groups": ("system:masters", "system:authenticated"),
        },
        "audiences": (ISSUER,),
    }
    for spec in ({"token": "guess"}, {"token": "opensesame", "audiences": ["vault"]}):
        status = ask("TokenReview", spec)["status"]
        assert status == {"user": {}, "error": "invalid bearer token"}


def test_token_review_needs_a_token() -> None:
    with pytest.raises(StatusError, match="token is required for TokenReview"):
        ask("TokenReview", {})
