"""What the lab's guide does is taken, and refused, by a real API server as by the embedded one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controlplane import ControlPlane
from guide import GUIDE, blocks
from pilotfish.lab.skeleton import write_skeleton

pytestmark = pytest.mark.controlplane

PODS = GUIDE.parent.parent / "examples" / "pods"


def test_the_manifests_that_the_guide_applies_are_valid(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    write_skeleton(tmp_path / "mine")
    manifests = [tmp_path / "mine" / name for name in ("rbac-deploy.yaml", "test-pod.yaml")]
    applied = "".join(block.commands for block in blocks("embedded"))
    manifests += [path for path in PODS.glob("*.yaml") if f"examples/pods/{path.name}" in applied]
    assert len(manifests) == 5
    for manifest in manifests:
        control_plane.kubectl("apply", "--dry-run=server", "-f", str(manifest))


def test_a_patch_of_the_node_is_refused_and_a_second_binding_too(
    control_plane: ControlPlane, namespace: str
) -> None:
    here = ("--namespace", namespace)
    pod = json.dumps({"spec": {"schedulerName": "nobody"}})
    control_plane.kubectl("run", "patched", "--image=pause", f"--overrides={pod}", *here)
    patch = ("patch", "pod", "patched", "--patch", '{"spec":{"nodeName":"node-1"}}')
    said = control_plane.kubectl(*patch, *here, check=False)
    assert 'The Pod "patched" is invalid: spec: Forbidden: pod updates may not change' in said
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "patched"},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "node-1"},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/patched/binding"
    bind = ("create", "--raw", path, "-f", "-")
    assert '"status":"Success"' in control_plane.kubectl(*bind, input=json.dumps(binding))
    said = control_plane.kubectl(*bind, input=json.dumps(binding), check=False)
    assert 'pod patched is already assigned to node "node-1"' in said
