"""The tokens of ServiceAccounts: issued on request, checked against what still exists.

Source: kubernetes v1.36 pkg/serviceaccount/claims.go, pkg/serviceaccount/jwt.go and
    pkg/registry/core/serviceaccount/storage/token.go. differs: tokens are signed with a secret of
    the cluster (HS256), not with a key whose public half anyone may check them by.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from typing import Final

import msgspec

from pilotfish.api.codec import decode
from pilotfish.api.meta import ApiStruct, KubernetesObject
from pilotfish.cluster.errors import (
    GroupKind,
    GroupResource,
    bad_request,
    conflict,
    invalid,
    not_found,
)
from pilotfish.cluster.field_errors import FieldError, field_invalid
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.requests import User
from pilotfish.cluster.store import Store
from pilotfish.cluster.timestamps import seconds_of, timestamp

ISSUER: Final = "https://kubernetes.default.svc"
AUDIENCES: Final = (ISSUER,)
LEEWAY_SECONDS: Final = 60  # for clocks that differ
DEFAULT_SECONDS: Final = 3600
MIN_SECONDS: Final = 600
MAX_SECONDS: Final = 2**32
KUBELET_SECONDS: Final = 3607  # what kubelets ask for; old clients never read such a token anew,
KUBELET_LIFE_SECONDS: Final = 365 * 24 * 3600  # so it lives for a year
_HEADER: Final = urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
_REQUEST: Final = GroupKind("authentication.k8s.io", "TokenRequest")
_BOUND: Final = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}
_EXTRA: Final = "authentication.kubernetes.io"


class InvalidTokenError(Exception):
    """A token that proves nothing, and why."""


class _Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str = ""
    uid: str = ""


class _Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    namespace: str
    serviceaccount: _Reference
    pod: _Reference | None = None
    secret: _Reference | None = None
    node: _Reference | None = None
    warnafter: int | None = None


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says."""

    aud: tuple[str, ...]
    exp: int
    iat: int
    iss: str
    jti: str
    about: _Subject = msgspec.field(name="kubernetes.io")
    nbf: int
    sub: str

    def user(self) -> User:
        """Give the user whom the token proves."""
        about = self.about
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{about.namespace}")
        extra: dict[str, tuple[str, ...]] = {f"{_EXTRA}/credential-id": (f"JTI={self.jti}",)}
        for what, reference in (("node", about.node), ("pod", about.pod)):
            if reference is not None:
                extra[f"{_EXTRA}/{what}-name"] = (reference.name,)
                if reference.uid:
                    extra[f"{_EXTRA}/{what}-uid"] = (reference.uid,)
        return User(self.sub, (*groups, "system:authenticated"), about.serviceaccount.uid, extra)


class _PodSpec(ApiStruct, frozen=True):
    service_account_name: str = ""
    node_name: str = ""


class _Pod(KubernetesObject, frozen=True):
    spec: _PodSpec = _PodSpec()


class ServiceAccountTokens:
    """Issues and checks tokens.

    Args:
        store: where ServiceAccounts, and what tokens are bound to, are looked up.
        secret: what tokens are signed with; who knows it may be anybody.
        rng: names tokens apart.
    """

    def __init__(self, store: Store, *, secret: bytes, rng: random.Random) -> None:
        self._store = store
        self._secret = secret
        self._rng = rng

    def request(self, namespace: str, name: str, wanted: JsonObject, now: float) -> JsonObject:
        """Answer a TokenRequest, the body of a POST to a ServiceAccount's `token`.

        Raises:
            StatusError: The request is refused.
        """
        metadata, spec = wanted.get("metadata") or {}, dict(wanted.get("spec") or {})
        for key, value in (("name", name), ("namespace", namespace)):
            if metadata.get(key) and metadata[key] != value:
                detail = f"must match the service account {key} if specified"
                error = field_invalid(f"metadata.{key}", metadata[key], detail)
                raise invalid(_REQUEST, name, [error])
        account = self._get("serviceaccounts", namespace, name)
        if (uid := metadata.get("uid")) and uid != account.uid:
            why = (
                f"the UID in the token request ({uid}) does not match the UID of the service "
                f"account ({account.uid})"
            )
            raise conflict(GroupResource(_REQUEST.group, _REQUEST.kind), name, why)  # as upstream
        spec["audiences"] = list(spec.get("audiences") or AUDIENCES)
        seconds = spec.get("expirationSeconds")
        seconds = spec["expirationSeconds"] = DEFAULT_SECONDS if seconds is None else seconds
        spec.setdefault("boundObjectRef", None)
        if errors := _lifetime_errors(seconds):
            raise invalid(_REQUEST, "", errors)
        claims = self._claims(account, spec, now)
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": account.uid,
                "creationTimestamp": timestamp(now),
            },
            "spec": spec,
            "status": {
                "token": self._sign(claims),
                "expirationTimestamp": timestamp(now + seconds),
            },
        }

    def check(self, token: str, audiences: Collection[str], now: float) -> Claims | None:
        """Give what a token says; None for one that was not issued here.

        Raises:
            InvalidTokenError: It was, but proves nothing to these audiences, or no more.
        """
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims = msgspec.json.decode(_unpack(signed.partition(".")[2]), type=Claims)
        if not set(claims.aud) & set(audiences):
            raise InvalidTokenError(
                f"token audiences {_listed(claims.aud)} is invalid for the target audiences "
                f"{_listed(audiences)}"
            )
        if now - LEEWAY_SECONDS > claims.exp:
            raise InvalidTokenError("service account token has expired")
        if now + LEEWAY_SECONDS < claims.nbf:
            raise InvalidTokenError("service account token is not valid yet")
        self._check_existence(claims.about, now)
        return claims

    def _claims(self, account: Stored, spec: JsonObject, now: float) -> Claims:
        seconds, warn_after = spec["expirationSeconds"], None
        bound = self._bound(account, spec["boundObjectRef"])
        is_kubelets = seconds == KUBELET_SECONDS and set(spec["audiences"]) <= set(AUDIENCES)
        if "pod" in bound and is_kubelets:
            seconds, warn_after = KUBELET_LIFE_SECONDS, int(now) + seconds
        return Claims(
            aud=tuple(spec["audiences"]),
            exp=int(now) + seconds,
            iat=int(now),
            iss=ISSUER,
            jti=self._token_id(),
            about=_Subject(
                namespace=account.namespace,
                serviceaccount=_Reference(account.name, account.uid),
                warnafter=warn_after,
                **bound,
            ),
            nbf=int(now),
            sub=f"system:serviceaccount:{account.namespace}:{account.name}",
        )

    def _bound(self, account: Stored, reference: JsonObject | None) -> dict[str, _Reference]:
        """Give what the token is bound to, and the node of a pod."""
        if reference is None:
            return {}
        group, _, version = (reference.get("apiVersion") or "").rpartition("/")
        kind, name = reference.get("kind", ""), reference.get("name", "")
        if group or kind not in _BOUND:
            told = f"{group}/{version}, Kind={kind}"
            raise bad_request(f"cannot bind token to object of type {told}")
        namespace = "" if kind == "Node" else account.namespace
        stored = self._get(_BOUND[kind], namespace, name)
        bound = {kind.lower(): _Reference(name, stored.uid)}
        if kind == "Pod":
            spec = decode(_Pod, stored.body).spec
            if spec.service_account_name != account.name:
                raise bad_request(
                    f'cannot bind token for serviceaccount "{account.name}" to pod running with '
                    "different serviceaccount name."
                )
            if spec.node_name:
                node = self._store.get("nodes", "", spec.node_name)
                bound["node"] = _Reference(spec.node_name, node.uid if node else "")
        if (uid := reference.get("uid")) and uid != stored.uid:
            why = (
                f"the UID in the bound object reference ({uid}) does not match the UID in "
                "record. The object might have been deleted and then recreated"
            )
            raise conflict(GroupResource("", kind), name, why)
        return bound

    def _check_existence(self, about: _Subject, now: float) -> None:
        """Raise where the ServiceAccount, or what the token is bound to, is gone."""
        account = about.serviceaccount
        stored = self._store.get("serviceaccounts", about.namespace, account.name)
        if stored is None:
            raise InvalidTokenError(f'serviceaccounts "{account.name}" not found')
        if stored.uid != account.uid:
            raise InvalidTokenError(
                f"service account UID ({stored.uid}) does not match claim ({account.uid})"
            )
        if _is_gone(stored, now):
            key = f"{about.namespace}/{account.name}"
            raise InvalidTokenError(f"service account {key} has been deleted")
        for kind, reference in (("Pod", about.pod), ("Secret", about.secret), ("Node", about.node)):
            if reference is None or (kind == "Node" and about.pod is not None):
                continue  # the node of a pod is only told, not depended on
            namespace = "" if kind == "Node" else about.namespace
            stored = self._store.get(_BOUND[kind], namespace, reference.name)
            if stored is None or stored.uid != reference.uid or _is_gone(stored, now):
                raise InvalidTokenError("service account token has been invalidated")

    def _get(self, storage: str, namespace: str, name: str) -> Stored:
        stored = self._store.get(storage, namespace, name)
        if stored is None:
            raise not_found(GroupResource("", storage), name)
        return stored

    def _sign(self, claims: Claims) -> str:
        signed = f"{_HEADER}.{_pack(msgspec.json.encode(claims))}"
        return f"{signed}.{self._signature(signed)}"

    def _signature(self, signed: str) -> str:
        return _pack(hmac.digest(self._secret, signed.encode(), hashlib.sha256))

    def _token_id(self) -> str:
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _lifetime_errors(seconds: int) -> list[FieldError]:
    path = "spec.expirationSeconds"
    if seconds < MIN_SECONDS:
        detail = "may not specify a duration less than 10 minutes"
        return [field_invalid(path, seconds, detail)]
    if seconds > MAX_SECONDS:
        detail = "may not specify a duration larger than 2^32 seconds"
        return [field_invalid(path, seconds, detail)]
    return []


def _is_gone(stored: Stored, now: float) -> bool:
    """Say whether an object was to be gone by now, though it is still there."""
    deletion = decode(KubernetesObject, stored.body).metadata.deletion_timestamp
    return deletion is not None and seconds_of(deletion) < now - LEEWAY_SECONDS


def _listed(texts: Collection[str]) -> str:
    quoted = " ".join(f'"{text}"' for text in texts)
    return f"[{quoted}]"


def _pack(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
