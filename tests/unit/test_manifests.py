"""Every manifest in deploy/ and examples/ has the form that Kubernetes wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from manifests import OVERLAYS, ROOT, kubectl, load, rendered

VERSION = "1.36"
NOT_OF_KUBERNETES = {"Kustomization", "Cluster"}  # kustomize's own and kind's
FILES = sorted(
    path
    for folder in ("deploy", "examples")
    for path in (ROOT / folder).rglob("*.yaml")
    if "KubeSchedulerConfiguration" not in path.read_text()
)


def check(manifest: dict[str, Any]) -> None:
    """Raise unless a manifest has the form of its kind, with no field too many."""
    kubernetes_validate.validate(manifest, VERSION, strict=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_manifest_is_valid(path: Path) -> None:
    manifests = load(path)
    assert manifests
    for manifest in manifests:
        if manifest["kind"] not in NOT_OF_KUBERNETES:
            check(manifest)


@pytest.mark.timeout(300)  # another program
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_renders_to_valid_manifests(overlay: str) -> None:
    if kubectl() is None:
        pytest.skip("kubectl is missing: build it with `make controlplane`")
    for manifest in rendered(overlay):
        check(manifest)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_names_files_that_are_there(overlay: str) -> None:
    folder = ROOT / "deploy" / overlay
    (kustomization,) = load(folder / "kustomization.yaml")
    assert all((folder / name).exists() for name in kustomization["resources"])


def test_a_manifest_with_an_unknown_field_is_not_valid() -> None:
    (pod,) = load(ROOT / "examples/pods/test-pod.yaml")
    pod["spec"]["schedulersName"] = "typo"
    with pytest.raises(kubernetes_validate.ValidationError):
        check(pod)


def test_the_cluster_for_kind_has_one_control_plane_and_three_workers() -> None:
    (cluster,) = load(ROOT / "deploy/kind/cluster.yaml")
    roles = [node["role"] for node in cluster["nodes"]]
    assert roles == ["control-plane", "worker", "worker", "worker"]


def test_every_example_pod_asks_for_my_scheduler() -> None:
    for path in (ROOT / "examples/pods").glob("*.yaml"):
        for manifest in load(path):
            template = manifest["spec"].get("template", manifest)
            assert template["spec"]["schedulerName"] == "my-scheduler", path.name
