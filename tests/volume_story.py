"""Words for stories about volumes: classes, volumes and claims, and who uses them."""

from __future__ import annotations

from typing import Any

from cluster_story import Plane
from controlplane import ApiError, ControlPlane, wait_until

SELECTED_NODE = "volume.kubernetes.io/selected-node"
CORE, STORAGE = "/api/v1", "/apis/storage.k8s.io/v1"


class Storage:
    """Volumes and claims of one story; volumes and classes go with it."""

    def __init__(self, control_plane: Plane, namespace: str) -> None:
        self._plane = control_plane
        self._namespace = namespace
        self._made: list[str] = []

    def make_class(self, mode: str, provisioner: str = "kubernetes.io/no-provisioner") -> str:
        """Make a storage class and return its name."""
        name = f"{self._namespace}-{mode.lower()}-{len(self._made)}"
        self._create("StorageClass", name, provisioner=provisioner, volumeBindingMode=mode)
        return name

    def make_volume(
        self, name: str, class_name: str, node: str, size: str = "1Gi", **spec: Any
    ) -> str:
        """Make a volume that one node reaches."""
        name = f"{self._namespace}-{name}"
        condition = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        terms = [{"matchExpressions": [condition]}]
        content = {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": class_name,
            "persistentVolumeReclaimPolicy": "Retain",
            "csi": {"driver": "csi.example.com", "volumeHandle": name},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
        }
        self._create("PersistentVolume", name, spec=content | spec)
        return name

    def make_claim(self, name: str, class_name: str, size: str = "1Gi", **spec: Any) -> None:
        """Make a claim."""
        content = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": class_name,
            "resources": {"requests": {"storage": size}},
        }
        self._plane.create(
            [
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": name, "namespace": self._namespace},
                    "spec": content | spec,
                }
            ],
            concurrency=1,
        )

    def claim(self, name: str) -> Any:
        """Return a claim as it is."""
        path = f"{CORE}/namespaces/{self._namespace}/persistentvolumeclaims/{name}"
        return self._plane.api.get(path)

    def volume(self, name: str) -> Any:
        """Return a volume as it is."""
        return self._plane.api.get(f"{CORE}/persistentvolumes/{name}")

    def provision(self, name: str) -> str:
        """Play the provisioner: wait for the chosen node of a claim, make its volume there."""

        def chosen() -> str:
            annotations = self.claim(name)["metadata"].get("annotations") or {}
            return str(annotations.get(SELECTED_NODE, ""))

        node = wait_until(chosen, f"a node for claim {name}")
        if isinstance(self._plane, ControlPlane):  # the embedded cluster has one of its own
            claim = self.claim(name)
            meta = claim["metadata"]
            reference = {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: meta[key] for key in ("namespace", "name", "uid")},
            }
            self.make_volume(name, claim["spec"]["storageClassName"], node, claimRef=reference)
        return node

    def remove(self) -> None:
        """Remove what is not in the namespace."""
        for path in reversed(self._made):
            try:
                self._plane.api.delete(path)
            except ApiError as error:
                if error.reason != "NotFound":
                    raise

    def _create(self, kind: str, name: str, **content: Any) -> None:
        group = "v1" if kind == "PersistentVolume" else "storage.k8s.io/v1"
        manifest = {"apiVersion": group, "kind": kind, "metadata": {"name": name}, **content}
        self._plane.create([manifest], concurrency=1)
        base = CORE if kind == "PersistentVolume" else STORAGE
        self._made.append(f"{base}/{kind.lower()}{'es' if kind.endswith('s') else 's'}/{name}")


def using(*claims: str) -> dict[str, Any]:
    """Make the part of a pod's spec that uses claims."""
    return {
        "volumes": [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    }
