import base64
import json
import random
from typing import Any

import pytest

from pilotfish.cluster.authentication import (
    ADMIN,
    ANONYMOUS,
    AUDIENCES,
    ISSUER,
    Authenticator,
    InvalidTokenError,
    ServiceAccountTokens,
)
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Store

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated")


@pytest.fixture
def store() -> Store:
    """A ServiceAccount and two pods of it in namespace a, one of them on a node."""
    store = Store()
    store.put("serviceaccounts", meta("sa", "a"))
    store.put("nodes", meta("n"))
    spec: JsonObject = {"serviceAccountName": "sa"}
    store.put("pods", meta("p", "a") | {"spec": spec | {"nodeName": "n"}})
    store.put("pods", meta("pending", "a") | {"spec": spec})
    store.put("pods", meta("other", "a") | {"spec": {"serviceAccountName": "default"}})
    return store


@pytest.fixture
def tokens(store: Store) -> ServiceAccountTokens:
    """What issues tokens."""
    return ServiceAccountTokens(store, secret=b"of this cluster", rng=random.Random(0))


@pytest.fixture
def authenticator(tokens: ServiceAccountTokens) -> Authenticator:
    """What knows the admin's token and those issued."""
    return Authenticator({"opensesame": ADMIN}, tokens)


def meta(name: str, namespace: str = "", **more: str) -> JsonObject:
    where = {"namespace": namespace} if namespace else {}
    return {"metadata": {"name": name, "uid": f"uid-{name}", **where, **more}}


def issue(tokens: ServiceAccountTokens, **spec: Any) -> str:
    """Give a token of the ServiceAccount."""
    token: str = tokens.request("a", "sa", {"spec": spec}, NOW)["status"]["token"]
    return token


def bound_to(kind: str, name: str, **more: str) -> JsonObject:
    return {"kind": kind, "apiVersion": "v1", "name": name, **more}


def claims(token: str) -> dict[str, Any]:
    """Read what a token says, as its holder may."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def why(authenticator: Authenticator, token: str, at: float = NOW) -> str:
    """Say why a token proves nothing."""
    with pytest.raises(InvalidTokenError) as refused:
        authenticator.identify(token, AUDIENCES, at)
    return str(refused.value)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic b3BlbnNlc2FtZQ==", "opensesame"]
)
def test_request_without_a_bearer_token_is_anonymous(
    authenticator: Authenticator, header: str
) -> None:
    assert authenticator.authenticate(header, NOW) is ANONYMOUS


@pytest.mark.parametrize(
    "header", ["Bearer opensesame", "bearer opensesame", " BEARER opensesame "]
)
def test_fixed_token_proves_its_user(authenticator: Authenticator, header: str) -> None:
    assert authenticator.authenticate(header, NOW) is ADMIN


@pytest.mark.parametrize(
    "token", ["guess", "a.b.c", "..", "é", "\udcff", "a." + "W" * 20_000 + ".c", "opensesame\udcff"]
)
def test_token_that_proves_nothing_is_answered_401(
    authenticator: Authenticator, token: str
) -> None:
    with pytest.raises(StatusError) as refused:
        authenticator.authenticate(f"Bearer {token}", NOW)
    assert refused.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


def test_service_account_token_proves_the_service_account(
    authenticator: Authenticator, tokens: ServiceAccountTokens
) -> None:
    token = issue(tokens)
    user = authenticator.authenticate(f"Bearer {token}", NOW)
    assert (user.name, user.groups, user.uid) == ("system:serviceaccount:a:sa", GROUPS, "uid-sa")
    credential = (f"JTI={claims(token)['jti']}",)
    assert user.extra == {"authentication.kubernetes.io/credential-id": credential}


def test_token_of_a_pod_tells_the_pod_and_its_node(
    authenticator: Authenticator, tokens: ServiceAccountTokens
) -> None:
    token = issue(tokens, boundObjectRef=bound_to("Pod", "p"))
    extra = authenticator.authenticate(f"Bearer {token}", NOW).extra
    assert {key.rpartition("/")[2]: value for key, value in extra.items()} == {
        "credential-id": (f"JTI={claims(token)['jti']}",),
        "node-name": ("n",),
        "node-uid": ("uid-n",),
        "pod-name": ("p",),
        "pod-uid": ("uid-p",),
    }


def test_token_of_a_pod_that_waits_for_a_node_tells_none(
    authenticator: Authenticator, tokens: ServiceAccountTokens
) -> None:
    token = issue(tokens, boundObjectRef=bound_to("Pod", "pending"))
    extra = authenticator.authenticate(f"Bearer {token}", NOW).extra
    assert "authentication.kubernetes.io/pod-name" in extra
    assert "authentication.kubernetes.io/node-name" not in extra


def test_token_request_is_answered_with_what_was_left_out(tokens: ServiceAccountTokens) -> None:
    answer = tokens.request("a", "sa", {}, NOW)
    token = answer["status"].pop("token")
    assert answer == {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": "sa",
            "namespace": "a",
            "uid": "uid-sa",
            "creationTimestamp": "2027-01-15T08:00:00Z",
        },
        "spec": {"audiences": [ISSUER], "expirationSeconds": 3600, "boundObjectRef": None},
        "status": {"expirationTimestamp": "2027-01-15T09:00:00Z"},
    }
    said = claims(token)
    del said["jti"]
    assert said == {
        "aud": [ISSUER],
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": ISSUER,
        "kubernetes.io": {
            "namespace": "a",
            "serviceaccount": {"name": "sa", "uid": "uid-sa"},
        },
        "nbf": NOW,
        "sub": "system:serviceaccount:a:sa",
    }


def test_no_two_tokens_are_alike(tokens: ServiceAccountTokens) -> None:
    assert issue(tokens) != issue(tokens)


def test_what_kubelets_ask_for_lives_for_a_year(tokens: ServiceAccountTokens) -> None:
    asked = {"expirationSeconds": 3607, "boundObjectRef": bound_to("Pod", "p")}
    answer = tokens.request("a", "sa", {"spec": asked}, NOW)
    said = claims(answer["status"]["token"])
    assert answer["status"]["expirationTimestamp"] == "2027-01-15T09:00:07Z"
    assert said["exp"] == NOW + 365 * 24 * 3600
    assert said["kubernetes.io"]["warnafter"] == NOW + 3607
    assert claims(issue(tokens, **asked, audiences=["vault"]))["exp"] == NOW + 3607


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (
            {"spec": {"expirationSeconds": 599}},
            422,
            (
                'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid '
                "value: 599: may not specify a duration less than 10 minutes"
            ),
        ),
        (
            {"spec": {"expirationSeconds": 2**32 + 1}},
            422,
            (
                'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid '
                "value: 4294967297: may not specify a duration larger than 2^32 seconds"
            ),
        ),
        (
            {"metadata": {"name": "foo"}},
            422,
            (
                'TokenRequest.authentication.k8s.io "sa" is invalid: metadata.name: Invalid value: '
                '"foo": must match the service account name if specified'
            ),
        ),
        (
            {"metadata": {"uid": "foo"}},
            409,
            (
                'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "sa": '
                "the UID in the token request (foo) does not match the UID of the service "
                "account (uid-sa)"
            ),
        ),
        (
            {"spec": {"boundObjectRef": bound_to("Foo", "p")}},
            400,
            "cannot bind token to object of type /v1, Kind=Foo",
        ),
        ({"spec": {"boundObjectRef": bound_to("Pod", "x")}}, 404, 'pods "x" not found'),
        ({"spec": {"boundObjectRef": bound_to("Node", "x")}}, 404, 'nodes "x" not found'),
        (
            {"spec": {"boundObjectRef": bound_to("Pod", "other")}},
            400,
            (
                'cannot bind token for serviceaccount "sa" to pod running with different '
                "serviceaccount name."
            ),
        ),
        (
            {"spec": {"boundObjectRef": bound_to("Pod", "p", uid="q")}},
            409,
            (
                'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference '
                "(q) does not match the UID in record. The object might have been deleted and then "
                "recreated"
            ),
        ),
    ],
)
def test_token_request_is_refused_in_upstreams_words(
    tokens: ServiceAccountTokens, asked: JsonObject, code: int, message: str
) -> None:
    with pytest.raises(StatusError) as refused:
        tokens.request("a", "sa", asked, NOW)
    assert (refused.value.code, refused.value.message) == (code, message)


def test_token_of_no_service_account_is_not_found(tokens: ServiceAccountTokens) -> None:
    with pytest.raises(StatusError, match='serviceaccounts "nope" not found'):
        tokens.request("a", "nope", {}, NOW)


def test_token_expires_with_a_minute_of_grace(
    authenticator: Authenticator, tokens: ServiceAccountTokens
) -> None:
    token = issue(tokens, expirationSeconds=600)
    authenticator.identify(token, AUDIENCES, NOW + 660)
    expired = "[invalid bearer token, service account token has expired]"
    assert why(authenticator, token, NOW + 661) == expired


def test_token_that_was_changed_proves_nothing(
    authenticator: Authenticator, tokens: ServiceAccountTokens
) -> None:
    header, _, signature = issue(tokens).split(".")
    _, other, _ = issue(tokens).split(".")
    assert why(authenticator, f"{header}.{other}.{signature}") == "invalid bearer token"


def test_token_of_another_cluster_proves_nothing(
    authenticator: Authenticator, store: Store
) -> None:
    foreign = ServiceAccountTokens(store, secret=b"of another", rng=random.Random(0))
    assert why(authenticator, issue(foreign)) == "invalid bearer token"


def test_token_counts_for_its_audiences_only(
    authenticator: Authenticator, tokens: ServiceAccountTokens
) -> None:
    token = issue(tokens, audiences=["vault", "bank"])
    assert authenticator.identify(token, ["bank", "shop"], NOW).audiences == ("bank",)
    assert why(authenticator, token) == (
        '[invalid bearer token, token audiences ["vault" "bank"] is invalid for the target '
        f'audiences ["{ISSUER}"]]'
    )


def test_token_dies_with_its_service_account(
    authenticator: Authenticator, tokens: ServiceAccountTokens, store: Store
) -> None:
    token = issue(tokens)
    store.remove("serviceaccounts", "a", "sa")
    assert why(authenticator, token) == '[invalid bearer token, serviceaccounts "sa" not found]'
    store.put("serviceaccounts", meta("sa", "a", uid="new"))
    assert why(authenticator, token) == (
        "[invalid bearer token, service account UID (new) does not match claim (uid-sa)]"
    )


def test_token_outlives_a_planned_deletion_by_a_minute(
    authenticator: Authenticator, tokens: ServiceAccountTokens, store: Store
) -> None:
    token = issue(tokens)
    store.put("serviceaccounts", meta("sa", "a", deletionTimestamp="2027-01-15T08:00:00Z"))
    authenticator.identify(token, AUDIENCES, NOW + 60)
    gone = "[invalid bearer token, service account a/sa has been deleted]"
    assert why(authenticator, token, NOW + 61) == gone


def test_token_of_a_pod_dies_with_the_pod_but_not_with_the_node(
    authenticator: Authenticator, tokens: ServiceAccountTokens, store: Store
) -> None:
    token = issue(tokens, boundObjectRef=bound_to("Pod", "p"))
    store.remove("nodes", "", "n")
    authenticator.identify(token, AUDIENCES, NOW)
    store.remove("pods", "a", "p")
    dead = "[invalid bearer token, service account token has been invalidated]"
    assert why(authenticator, token) == dead


def test_token_of_a_node_dies_with_the_node(
    authenticator: Authenticator, tokens: ServiceAccountTokens, store: Store
) -> None:
    token = issue(tokens, boundObjectRef=bound_to("Node", "n"))
    authenticator.identify(token, AUDIENCES, NOW)
    store.remove("nodes", "", "n")
    assert "invalidated" in why(authenticator, token)
