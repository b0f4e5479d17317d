import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import (
    ApiError,
    ControlPlane,
    SchedulerOptions,
    node_manifest,
    pod_manifest,
    wait_until,
)
from living import lives, wait_for_the_end

pytestmark = pytest.mark.controlplane

OWNER = """
import sys, time
from controlplane import ControlPlane
with ControlPlane(controller_manager=False) as cp:
    print(cp.folder, *cp.pids.values(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def nodes(control_plane: ControlPlane) -> Iterator[list[str]]:
    """Names of three ready nodes."""
    names = ["node-a", "node-b", "node-c"]
    control_plane.create(map(node_manifest, names))
    control_plane.wait_for_nodes(len(names))
    yield names
    for name in names:
        control_plane.api.delete(f"/api/v1/nodes/{name}")


@pytest.fixture
def kube_scheduler(control_plane: ControlPlane) -> Iterator[None]:
    """A kube-scheduler that runs during the test."""
    control_plane.start_scheduler(SchedulerOptions(qps=1000, burst=1000))
    yield
    control_plane.stop_scheduler()


def test_service_account_without_a_role_is_denied(
    control_plane: ControlPlane, namespace: str
) -> None:
    kubeconfig = control_plane.service_account_kubeconfig(namespace, "nobody")
    answer = control_plane.kubectl("auth", "whoami", kubeconfig=kubeconfig)
    assert f"system:serviceaccount:{namespace}:nobody" in answer
    answer = control_plane.kubectl("get", "nodes", kubeconfig=kubeconfig, check=False)
    assert "(Forbidden)" in answer


def test_nodes_become_ready_with_their_own_address_and_resources(
    control_plane: ControlPlane, nodes: list[str]
) -> None:
    found = [control_plane.api.get(f"/api/v1/nodes/{name}") for name in nodes]
    addresses = {node["status"]["addresses"][0]["address"] for node in found}
    assert len(addresses) == len(nodes)
    assert all(node["status"]["allocatable"]["cpu"] == "4" for node in found)
    assert not any(node["spec"].get("taints") for node in found)


@pytest.mark.usefixtures("nodes", "kube_scheduler")
def test_pod_is_bound_once_and_the_audit_log_says_so(
    control_plane: ControlPlane, namespace: str
) -> None:
    [pod] = control_plane.create([pod_manifest("web", namespace=namespace)])
    control_plane.kubectl(
        "wait", "pod/web", "-n", namespace, "--for=condition=Ready", "--timeout=120s"
    )
    uid = pod["metadata"]["uid"]
    wait_until(lambda: control_plane.successful_binds()[uid], "the audit log's line")
    assert control_plane.successful_binds()[uid] == 1


@pytest.mark.usefixtures("nodes", "kube_scheduler")
def test_pods_complete_and_terminate_as_their_annotations_ask(
    control_plane: ControlPlane, namespace: str
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    asked = {
        "brief": {"pilotfish/complete-after": "100ms"},
        "stubborn": {"pilotfish/terminate-after": "1h"},
        "plain": {},
    }
    control_plane.create(
        pod_manifest(name, namespace=namespace, annotations=annotations)
        for name, annotations in asked.items()
    )

    def phases() -> dict[str, str]:
        items = control_plane.api.items(pods)
        return {pod["metadata"]["name"]: pod["status"]["phase"] for pod in items}

    wanted = {"brief": "Succeeded", "stubborn": "Running", "plain": "Running"}
    wait_until(lambda: phases() == wanted, f"phases {wanted}")
    control_plane.api.delete(f"{pods}/stubborn")
    control_plane.api.delete(f"{pods}/plain")
    wait_until(lambda: "plain" not in phases(), "the end of the plain pod")
    assert "stubborn" in phases()


def test_killed_api_server_comes_back_with_its_state_and_forgets_old_watches(
    control_plane: ControlPlane, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control_plane.kubectl("create", "configmap", "kept", "-n", namespace, "--from-literal=a=b")
    version = control_plane.api.get(path)["metadata"]["resourceVersion"]
    control_plane.kill_apiserver()
    with pytest.raises(OSError, match="refused"):
        control_plane.api.get(path)
    control_plane.compact_etcd()
    control_plane.start_apiserver()
    assert control_plane.api.get(f"{path}/kept")["data"] == {"a": "b"}
    answer = control_plane.api.get(f"{path}?watch=1&resourceVersion={version}")
    assert answer["object"]["code"] == 410


def test_bulk_creation_reports_the_refused_object(
    control_plane: ControlPlane, namespace: str
) -> None:
    broken = pod_manifest("broken", namespace=namespace, cpu="-1")
    with pytest.raises(ApiError, match="must be greater than or equal to 0") as refused:
        control_plane.create([pod_manifest("fine", namespace=namespace), broken])
    assert refused.value.status == 422


def test_nothing_outlives_an_owner_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as owner:
        assert owner.stdout is not None
        folder, *pids = owner.stdout.readline().split()
        try:
            assert len(pids) == 3
            assert all(lives(int(pid)) for pid in pids)
        finally:
            owner.send_signal(signal.SIGKILL)
    wait_for_the_end(*map(int, pids))
    assert not Path(folder, "etcd").exists()
    subprocess.run(["rm", "-rf", folder], check=True)
