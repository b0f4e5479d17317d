"""The embedded cluster in the place of the real control plane, for the stories told on both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import pytest
import trustme

from controlplane import missing_binaries, wait_until
from controlplane.waiting import WAIT_SECONDS
from embedded_cluster import EmbeddedCluster

READY = ("Ready", "True")


class EmbeddedPlane(EmbeddedCluster):
    """An embedded cluster without nodes and scheduler, with the words of ControlPlane.

    Attributes:
        ca: an authority that the kubeconfigs trust too, for proxies in between.
    """

    ca: trustme.CA

    def __init__(self) -> None:
        super().__init__("--nodes", "0", "--no-scheduler", "--seed", "1")

    def __enter__(self) -> Self:
        super().__enter__()
        self.ca = trustme.CA()
        bundle = self.ca_file.read_bytes() + self.ca.cert_pem.bytes()
        self._bundle.write_bytes(bundle)
        return self

    def kubectl(self, *args: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl as the admin; a story that needs it is skipped where it is not built."""
        if "kubectl" in missing_binaries():
            pytest.skip("kubectl is missing: build it with `make controlplane`")
        return super().kubectl(*args, stdin=stdin, check=check)

    @property
    def _bundle(self) -> Path:
        return self.folder / "bundle.crt"

    def create(
        self, manifests: Iterable[dict[str, Any]], concurrency: int = 16
    ) -> list[dict[str, Any]]:
        """Create many objects and return them as stored, in the order given."""
        return self.api.create_all(manifests, concurrency)

    def create_namespace(self, name: str) -> None:
        """Create a namespace and wait until pods may be made in it."""
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        path = f"/api/v1/namespaces/{name}/serviceaccounts"
        wait_until(lambda: self.api.items(path), f"a ServiceAccount in {name}")

    def wait_for_nodes(self, count: int, timeout: float = WAIT_SECONDS) -> None:
        """Wait until so many nodes are Ready and without a not-ready taint."""
        wait_until(lambda: self._ready_nodes() >= count, f"{count} ready nodes", timeout)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """Make a ServiceAccount and a kubeconfig with a token for it."""
        metadata = {"name": name, "namespace": namespace}
        self.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        token = self.api.request("POST", path, {"spec": {"expirationSeconds": 3600}})
        cluster = {"server": self.url, "certificate-authority": str(self._bundle)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": "embedded", "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token["status"]["token"]}}],
            "contexts": [{"name": name, "context": {"cluster": "embedded", "user": name}}],
        }
        written = self.folder / f"{name}.kubeconfig"
        written.write_text(json.dumps(config))
        written.chmod(0o600)
        return written

    def _ready_nodes(self) -> int:
        def is_ready(node: dict[str, Any]) -> bool:
            conditions = {(c["type"], c["status"]) for c in node["status"].get("conditions") or ()}
            taints = {taint["key"] for taint in node["spec"].get("taints") or ()}
            return READY in conditions and "node.kubernetes.io/not-ready" not in taints

        return sum(map(is_ready, self.api.items("/api/v1/nodes")))
