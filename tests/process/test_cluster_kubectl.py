"""The embedded cluster, driven by the real kubectl."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_process import ClusterProcess, kubectl_path
from controlplane import wait_until

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {app: NAME}}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - {name: main, image: nginx, resources: {requests: {cpu: 10m}}}
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcess]:
    """One cluster for all tests; each uses names of its own."""
    kubectl_path()
    with ClusterProcess(tmp_path_factory.mktemp("cluster"), "--seed", "1") as running:
        yield running
        assert "Traceback" not in running.output


def test_nodes_are_listed_with_their_columns(cluster: ClusterProcess) -> None:
    lines = cluster.kubectl("get", "nodes", "-o", "wide").splitlines()
    assert lines[0].split() == [
        "NAME",
        "STATUS",
        "ROLES",
        "AGE",
        "VERSION",
        "INTERNAL-IP",
        "EXTERNAL-IP",
        "OS-IMAGE",
        "KERNEL-VERSION",
        "CONTAINER-RUNTIME",
    ]
    assert [line.split()[:3] for line in lines[1:]] == [
        [f"node-{number}", "Ready", "<none>"] for number in (1, 2, 3)
    ]


def test_pod_runs_and_is_described(cluster: ClusterProcess) -> None:
    cluster.kubectl("run", "solo", "--image=nginx")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/solo", "--timeout=120s")
    parts = ("Status:           Running", "Successfully assigned default/solo", "Started")

    def is_told() -> bool:
        text = cluster.kubectl("describe", "pod", "solo")
        return all(part in text for part in parts)

    wait_until(is_told, f"{parts}")
    assert "(simulated)" in cluster.kubectl("logs", "solo")
    assert cluster.kubectl("get", "pod", "solo", "-o", "jsonpath={.status.phase}") == "Running"
    assert "nodeName:" in cluster.kubectl("get", "pod", "solo", "-o", "yaml")


def test_deployment_is_applied_scaled_rolled_out_and_deleted(cluster: ClusterProcess) -> None:
    manifest = WEB.replace("NAME", "web")
    difference = cluster.kubectl("diff", "-f", "-", stdin=manifest, fails=True)
    assert "apps.v1.Deployment.default.web" in difference
    assert "created" in cluster.kubectl("apply", "-f", "-", stdin=manifest)
    assert "unchanged" in cluster.kubectl("apply", "-f", "-", stdin=manifest)
    assert cluster.kubectl("diff", "-f", "-", stdin=manifest) == ""
    assert "rolled out" in cluster.kubectl("rollout", "status", "deploy/web", "--timeout=120s")
    changed = manifest.replace("10m", "20m")
    assert "configured" in cluster.kubectl("apply", "-f", "-", stdin=changed)
    assert "rolled out" in cluster.kubectl("rollout", "status", "deploy/web", "--timeout=120s")
    cluster.kubectl("scale", "deploy/web", "--replicas=3")
    cluster.kubectl(
        "wait", "--for=jsonpath={.status.readyReplicas}=3", "deploy/web", "--timeout=120s"
    )
    cluster.kubectl("delete", "-f", "-", "--wait", stdin=manifest)
    assert "not found" in cluster.kubectl("get", "deploy", "web", fails=True)


def test_typed_clients_may_send_protobuf(cluster: ClusterProcess) -> None:
    """`kubectl create` and `auth can-i` do, whatever the server would like better."""
    cluster.kubectl("create", "deployment", "typed", "--image=nginx", "--replicas=2", "--port=80")
    spec = cluster.get("deploy", "typed")["spec"]
    container = spec["template"]["spec"]["containers"][0]
    assert (spec["replicas"], container["ports"][0]["containerPort"]) == (2, 80)
    cluster.kubectl("create", "secret", "generic", "typed", "--from-literal=key=value")
    assert cluster.get("secret", "typed")["data"] == {"key": "dmFsdWU="}
    assert cluster.kubectl("create", "token", "default").count(".") == 2


def test_permissions_are_asked_for(cluster: ClusterProcess) -> None:
    assert cluster.kubectl("auth", "can-i", "delete", "nodes") == "yes\n"
    assert "no" in cluster.kubectl("auth", "can-i", "delete", "nodes", "--as=eve", fails=True)
    assert "admin" in cluster.kubectl("auth", "whoami")
    assert 'User "eve" cannot list resource "pods"' in cluster.kubectl(
        "get", "pods", "--as=eve", fails=True
    )


def test_node_is_marked_drained_and_taken_back(cluster: ClusterProcess) -> None:
    cluster.kubectl("label", "node", "node-3", "disk=ssd")
    cluster.kubectl("annotate", "node", "node-3", "note=kept")
    cluster.kubectl("taint", "node", "node-3", "only=gpu:NoSchedule")
    node = cluster.get("node", "node-3")
    assert node["metadata"]["labels"]["disk"] == "ssd"
    assert node["spec"]["taints"] == [{"key": "only", "value": "gpu", "effect": "NoSchedule"}]
    cluster.kubectl("taint", "node", "node-3", "only-")
    spec = '{"spec": {"nodeName": "node-3"}}'
    cluster.kubectl("run", "guest", "--image=nginx", f"--overrides={spec}")
    cluster.kubectl("cordon", "node-3")
    assert "Ready,SchedulingDisabled" in cluster.kubectl("get", "nodes")
    cluster.kubectl("drain", "node-3", "--force", "--ignore-daemonsets", "--timeout=120s")
    assert 'pods "guest" not found' in cluster.kubectl("get", "pod", "guest", fails=True)
    cluster.kubectl("uncordon", "node-3")


def test_events_are_sorted_and_top_shows_usage(cluster: ClusterProcess) -> None:
    cluster.kubectl("run", "seen", "--image=nginx")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/seen", "--timeout=120s")
    events = cluster.kubectl("get", "events", "--sort-by=.lastTimestamp")
    assert events.split()[:6] == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assigned = "Successfully assigned default/seen"
    wait_until(lambda: assigned in cluster.kubectl("get", "events"), "the scheduler's Event")
    assert "node-1" in cluster.kubectl("top", "node")
    wait_until(lambda: "seen" in cluster.kubectl("top", "pod"), "usage of the pod")


def test_watch_shows_a_pod_from_gated_to_running(cluster: ClusterProcess, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with seen.open("w") as output:
        watching = subprocess.Popen(
            [
                *(kubectl_path(), "--kubeconfig", str(cluster.kubeconfig)),
                *("get", "pods", "-w", "-l", "run=watched"),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        gated = '{"spec": {"schedulingGates": [{"name": "example.com/hold"}]}}'
        cluster.kubectl("run", "watched", "--image=nginx", f"--overrides={gated}")
        wait_until(lambda: "SchedulingGated" in seen.read_text(), "the watch shows it")
        free = '[{"op": "remove", "path": "/spec/schedulingGates"}]'
        cluster.kubectl("patch", "pod", "watched", "--type=json", f"--patch={free}")
        wait_until(lambda: "Running" in seen.read_text(), "the watch shows Running")
        cluster.kubectl("label", "pod", "watched", "run-")
        cluster.kubectl("delete", "pod", "watched", "--now")
    finally:
        watching.kill()
        watching.wait()
    lines = seen.read_text().splitlines()
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    states = [line.split()[2] for line in lines[1:]]
    assert states[0] == "SchedulingGated"
    assert "Running" in states


def test_scheduler_is_a_pod_with_a_real_log(cluster: ClusterProcess) -> None:
    cluster.kubectl("run", "placed", "--image=nginx")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/placed", "--timeout=120s")
    log = ("logs", "-n", "kube-system", "-l", "component=kube-scheduler", "--tail=-1")
    line = f"Bound default/placed -> {cluster.get('pod', 'placed')['spec']['nodeName']}"
    wait_until(lambda: line in cluster.kubectl(*log), line)
    cluster.kubectl("delete", "pod", "-n", "kube-system", "-l", "component=kube-scheduler")
    wait_until(
        lambda: "1/1" in cluster.kubectl("get", "pods", "-n", "kube-system"),
        "the scheduler's pod is made anew",
    )


def test_server_says_what_it_is(cluster: ClusterProcess) -> None:
    assert "v1.36.3+pilotfish" in cluster.kubectl("version")
    assert "https://127.0.0.1:" in cluster.kubectl("cluster-info")
    assert "FIELD: nodeName <string>" in cluster.kubectl("explain", "pod.spec.nodeName")
    resources = cluster.kubectl("api-resources")
    assert "poddisruptionbudgets" in resources
    assert cluster.kubectl("get", "--raw", "/readyz") == "ok"


def test_mistakes_are_refused_in_words(cluster: ClusterProcess) -> None:
    unknown = WEB.replace("NAME", "typo").replace("replicas:", "replica:")
    assert 'unknown field "spec.replica"' in cluster.kubectl(
        "apply", "-f", "-", stdin=unknown, fails=True
    )
    assert "doesn't have a resource type" in cluster.kubectl("get", "widgets", fails=True)
    applied = cluster.kubectl("apply", "--server-side", "-f", "-", stdin=WEB, fails=True)
    assert "use plain `kubectl apply`" in applied
    cluster.kubectl("run", "closed", "--image=nginx")
    assert "pods/exec is not served" in cluster.kubectl("exec", "closed", "--", "ls", fails=True)
