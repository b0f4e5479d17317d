"""Secrets of the type `kubernetes.io/service-account-token`: tokens that users ask for to keep.

Source: kubernetes v1.36 pkg/controller/serviceaccount/tokens_controller.go. differs: the token is
one of a TokenRequest, bound to its Secret, that expires after 136 years; upstream's never does.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

import msgspec

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.pod_index import Key
from pilotfish.cluster.kinds import SECRETS, SERVICE_ACCOUNTS
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Change

TYPE: Final = "kubernetes.io/service-account-token"
NAME: Final = "kubernetes.io/service-account.name"
UID: Final = "kubernetes.io/service-account.uid"
LONGEST_SECONDS: Final = 2**32  # that a TokenRequest may ask for


class _Secret(msgspec.Struct, frozen=True):
    type: str = ""


class TokenSecretController(Controller):
    """Fills token Secrets, and deletes those whose ServiceAccount is gone; keys are Secrets."""

    watches = (SECRETS, SERVICE_ACCOUNTS)

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a token Secret, or all of the namespace where a ServiceAccount came or went."""
        if change.storage == SECRETS.storage:
            return super().observe(change, now) if _is_token(change.new.body) else ()
        if change.type == "MODIFIED":
            return ()
        secrets = self.client.store.list(SECRETS.storage, change.new.namespace).items
        return [(each.namespace, each.name) for each in secrets if _is_token(each.body)]

    def sync(self, key: Key, now: float) -> float | None:
        """Put in what a token Secret lacks, or delete it."""
        secret = self.client.get(SECRETS, *key)
        notes = {} if secret is None else secret["metadata"].get("annotations") or {}
        if secret is None or not (name := notes.get(NAME)):
            return None
        metadata = secret["metadata"]
        account = self.client.get(SERVICE_ACCOUNTS, key[0], name)
        uid = None if account is None else account["metadata"]["uid"]
        if uid is None or notes.get(UID, uid) != uid:
            self.client.delete(SECRETS, *key, now, uid=metadata["uid"])
            return None
        data = dict(secret.get("data") or {})
        data |= {"ca.crt": _encoded(self.client.settings.root_ca)}
        data.setdefault("namespace", _encoded(key[0]))
        if not data.get("token"):
            data["token"] = _encoded(self._token(name, metadata, now))
        if data != secret.get("data"):
            metadata["annotations"] = {**notes, UID: uid}
            self.client.update(SECRETS, secret | {"data": data}, now)
        return None

    def _token(self, account: str, secret: JsonObject, now: float) -> str:
        reference = {"apiVersion": "v1", "kind": "Secret", "name": secret["name"]}
        wanted = {
            "expirationSeconds": LONGEST_SECONDS,
            "boundObjectRef": {**reference, "uid": secret["uid"]},
        }
        answer = self.client.create_subresource(
            SERVICE_ACCOUNTS, secret["namespace"], account, "token", {"spec": wanted}, now
        )
        token: str = answer["status"]["token"]
        return token


def _is_token(body: bytes) -> bool:
    return msgspec.json.decode(body, type=_Secret).type == TYPE


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
