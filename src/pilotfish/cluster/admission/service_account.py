"""ServiceAccount: every pod has an account, and its token in a volume."""

from __future__ import annotations

import random
from typing import Any, Final

import msgspec

from pilotfish.cluster.admission.plugin import Review, refuse
from pilotfish.cluster.generated_names import new_name
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import containers_of
from pilotfish.cluster.store import Store
from pilotfish.cluster.strategies.pod import MIRROR_POD

DEFAULT_ACCOUNT: Final = "default"
ACCOUNT_FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
LIFE_SECONDS: Final = 3607  # an hour, and a little more that marks it as injected
VOLUME_PREFIX: Final = "kube-api-access-"
DEFAULT_MODE: Final = 0o644


class ServiceAccount:
    """Gives pods the default account, and mounts the account's token where pods read it.

    Source: kubernetes v1.36 plugin/pkg/admission/serviceaccount/admission.go. differs: it does not
        wait for an account that is about to be created.
    """

    def __init__(self, store: Store, rng: random.Random) -> None:
        self._store = store
        self._rng = rng

    def admit(self, review: Review) -> None:
        """Let a write pass.

        Raises:
            StatusError: 403: the account does not exist.
        """
        pod = review.new
        if review.resource.kind != "Pod" or review.operation != "create" or pod is None:
            return
        if MIRROR_POD in (pod["metadata"].get("annotations") or {}):
            return
        spec = pod["spec"]
        name = spec.get("serviceAccountName") or DEFAULT_ACCOUNT
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        stored = self._store.get("serviceaccounts", review.namespace, name)
        if stored is None:
            raise refuse(
                review,
                f"error looking up service account {review.namespace}/{name}: "
                f'serviceaccount "{name}" not found',
            )
        account: JsonObject = msgspec.json.decode(stored.body)
        if _mounts_token(spec, account):
            self._mount_token(spec)
        secrets = account.get("imagePullSecrets")
        if secrets and not spec.get("imagePullSecrets"):
            spec["imagePullSecrets"] = secrets

    def _mount_token(self, spec: JsonObject) -> None:
        """Mount the token in every container that has nothing else at its path."""
        volumes: list[JsonObject] = spec.get("volumes") or []
        name = next((v["name"] for v in volumes if v["name"].startswith(VOLUME_PREFIX)), "")
        name = name or new_name(VOLUME_PREFIX, self._rng)
        is_needed = False
        for container in containers_of(spec):
            mounts = container.setdefault("volumeMounts", [])
            if any(mount.get("mountPath") == ACCOUNT_FOLDER for mount in mounts):
                continue
            mounts.append({"name": name, "readOnly": True, "mountPath": ACCOUNT_FOLDER})
            is_needed = True
        if is_needed and all(volume["name"] != name for volume in volumes):
            spec["volumes"] = [*volumes, _token_volume(name)]


def _mounts_token(spec: JsonObject, account: JsonObject) -> bool:
    wanted = spec.get("automountServiceAccountToken")
    if wanted is None:
        wanted = account.get("automountServiceAccountToken")
    return wanted is not False


def _token_volume(name: str) -> dict[str, Any]:
    token = {"expirationSeconds": LIFE_SECONDS, "path": "token"}
    certificate = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    namespace = {
        "path": "namespace",
        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
    }
    sources = [
        {"serviceAccountToken": token},
        {"configMap": certificate},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": DEFAULT_MODE}}
