"""kubectl v1.36 against the embedded cluster, as a person uses it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from contract.objects import container, deployment
from controlplane import wait_until
from controlplane.binaries import binary
from embedded_cluster import EmbeddedCluster

pytestmark = pytest.mark.controlplane

WEB = deployment("web", replicas=2)
WEB["spec"]["template"]["spec"] = {"containers": [container(image="nginx:1")]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedCluster]:
    """Three nodes and pilotfish as their scheduler."""
    with EmbeddedCluster("--nodes", "3", "--seed", "1") as running:
        yield running


@pytest.fixture
def web(cluster: EmbeddedCluster) -> Iterator[str]:
    """A Deployment of two pods that is rolled out."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(WEB))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    yield "web"
    cluster.kubectl("delete", "deployment", "web", "--ignore-not-found", "--wait")
    cluster.kubectl("wait", "pod", "-l", "app=web", "--for=delete", "--timeout=120s")


def test_pod_is_run_described_and_deleted(cluster: EmbeddedCluster) -> None:
    assert cluster.kubectl("run", "one", "--image=nginx:1", "--labels=x=y") == "pod/one created\n"
    cluster.kubectl("wait", "pod/one", "--for=condition=Ready", "--timeout=120s")
    wide = cluster.kubectl("get", "pod", "one", "-o", "wide")
    assert wide.split()[:9] == [
        *("NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED", "NODE"),
    ]
    assert wide.splitlines()[1].split()[:4] == ["one", "1/1", "Running", "0"]

    def is_told() -> bool:
        told = cluster.kubectl("describe", "pod", "one")
        started = "Started container" in told or "Container started" in told
        return started and "Successfully assigned default/one to node-" in told

    wait_until(is_told, "Events about the pod")
    node = cluster.kubectl("get", "pod", "one", "-o", "jsonpath={.spec.nodeName}")
    assert f"Name:               {node}\n" in cluster.kubectl("describe", "node", node)
    assert "default                     one" in cluster.kubectl("describe", "node", node)
    deleted = cluster.kubectl("delete", "pod", "one", "--wait")
    assert deleted == 'pod "one" deleted from default namespace\n'
    gone = cluster.kubectl("get", "pod", "one", check=False)
    assert gone == 'Error from server (NotFound): pods "one" not found\n'


def test_same_object_is_shown_in_each_form(cluster: EmbeddedCluster, web: str) -> None:
    shown = json.loads(cluster.kubectl("get", "deploy", web, "-o", "json"))
    assert yaml.safe_load(cluster.kubectl("get", "deploy", web, "-o", "yaml")) == shown
    assert cluster.kubectl("get", "deploy", web, "-o", "name") == "deployment.apps/web\n"
    custom = "custom-columns=A:.metadata.name,B:.spec.replicas"
    assert cluster.kubectl("get", "deploy", web, "-o", custom).split() == ["A", "B", "web", "2"]
    everything = cluster.kubectl("get", "all")
    assert "deployment.apps/web" in everything
    assert "replicaset.apps/web-" in everything
    assert "service/kubernetes" in everything


def test_apply_diff_and_apply_again(cluster: EmbeddedCluster, web: str) -> None:
    changed = json.loads(json.dumps(WEB))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    same = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(WEB))
    assert same == f"deployment.apps/{web} unchanged\n"
    differs = cluster.kubectl("diff", "-f", "-", stdin=json.dumps(changed), check=False)
    assert "-      - image: nginx:1" in differs
    assert "+      - image: nginx:2" in differs
    again = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(changed))
    assert again == f"deployment.apps/{web} configured\n"
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    history = cluster.kubectl("rollout", "history", "deployment/web")
    assert history.split()[-4:] == ["1", "<none>", "2", "<none>"]
    cluster.kubectl("rollout", "undo", "deployment/web")
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert cluster.kubectl("get", "deployment/web", "-o", image) == "nginx:1"


def test_scale_waits_for_pods_and_logs_are_read(cluster: EmbeddedCluster, web: str) -> None:
    cluster.kubectl("scale", "deployment", web, "--replicas=3")
    wanted = "jsonpath={.status.readyReplicas}=3"
    cluster.kubectl("wait", "deployment", web, f"--for={wanted}", "--timeout=120s")
    for asked in ([f"deploy/{web}"], ["-l", f"app={web}"], ["-l", f"app={web}", "--timestamps"]):
        assert cluster.kubectl("logs", *asked, "--tail=1").strip()
    top = ("top", "pod", "-l", f"app={web}", "--containers")
    wait_until(lambda: "main" in cluster.kubectl(*top, check=False), "usage of the pods")
    assert "node-1" in cluster.kubectl("top", "node")


def test_logs_are_followed(cluster: EmbeddedCluster) -> None:
    annotation = {"annotations": {"kubelet.pilotfish/run-seconds": "3"}}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "short"},
        "spec": {
            "template": {
                "metadata": annotation,
                "spec": {"restartPolicy": "Never", "containers": [container()]},
            }
        },
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(body))
    phase = ("get", "pods", "-l", "job-name=short", "-o", "jsonpath={.items[*].status.phase}")
    wait_until(
        lambda: cluster.kubectl(*phase) in {"Running", "Succeeded"}, "a pod that has started"
    )
    followed = cluster.kubectl("logs", "-f", "job/short")
    assert followed.strip()
    cluster.kubectl("wait", "job/short", "--for=condition=Complete", "--timeout=120s")
    assert "Complete" in cluster.kubectl("get", "job", "short")


def test_labels_annotations_and_taints_come_and_go(cluster: EmbeddedCluster) -> None:
    assert cluster.kubectl("label", "node", "node-1", "disk=ssd") == "node/node-1 labeled\n"
    assert cluster.kubectl("get", "nodes", "-l", "disk=ssd", "-o", "name") == "node/node-1\n"
    cluster.kubectl("label", "node", "node-1", "disk-")
    assert cluster.kubectl("annotate", "node", "node-1", "a=b") == "node/node-1 annotated\n"
    assert cluster.kubectl("taint", "node", "node-1", "a=b:NoSchedule") == "node/node-1 tainted\n"
    taints = "jsonpath={.spec.taints[*].key}"
    assert cluster.kubectl("get", "node", "node-1", "-o", taints) == "a"
    assert cluster.kubectl("taint", "node", "node-1", "a-") == "node/node-1 untainted\n"


def test_node_is_cordoned_and_drained(cluster: EmbeddedCluster, web: str) -> None:
    node = cluster.kubectl(
        "get", "pod", "-l", f"app={web}", "-o", "jsonpath={.items[0].spec.nodeName}"
    )
    drained = cluster.kubectl("drain", node, "--ignore-daemonsets", "--timeout=120s")
    assert f"node/{node} cordoned" in drained
    assert f"node/{node} drained" in drained
    assert "Ready,SchedulingDisabled" in cluster.kubectl("get", "node", node)
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    where = cluster.kubectl(
        "get", "pod", "-l", f"app={web}", "-o", "jsonpath={.items[*].spec.nodeName}"
    )
    assert node not in where.split()
    assert cluster.kubectl("uncordon", node) == f"node/{node} uncordoned\n"


def test_events_are_sorted_by_time(cluster: EmbeddedCluster, web: str) -> None:
    told = cluster.kubectl("get", "events", "--sort-by=.lastTimestamp")
    assert told.split()[:5] == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT"]
    assert f"deployment/{web}" in told
    assert "ScalingReplicaSet" in told
    wait_until(lambda: "Scheduled" in cluster.kubectl("events", "--types=Normal"), "an Event")


def test_pods_are_watched(cluster: EmbeddedCluster) -> None:
    argv = [binary("kubectl"), f"--kubeconfig={cluster.kubeconfig}", "get", "pods"]
    argv += ["-l", "run=seen", "-w", "-o=name"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, env={"HOME": str(cluster.folder)}
    ) as watching:
        cluster.kubectl("run", "seen", "--image=nginx:1")
        assert watching.stdout is not None
        assert watching.stdout.readline() == "pod/seen\n"
        watching.terminate()
    cluster.kubectl("delete", "pod", "seen", "--now")


def test_one_may_ask_what_one_may(cluster: EmbeddedCluster) -> None:
    assert cluster.kubectl("auth", "can-i", "create", "pods") == "yes\n"
    account = "--as=system:serviceaccount:default:default"
    assert cluster.kubectl("auth", "can-i", "create", "pods", account, check=False) == "no\n"
    refused = cluster.kubectl("get", "pods", account, check=False)
    assert refused == (
        'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:default:'
        'default" cannot list resource "pods" in API group "" in the namespace "default"\n'
    )
    assert "admin" in cluster.kubectl("auth", "whoami")


def test_cluster_says_what_it_is(cluster: EmbeddedCluster) -> None:
    assert cluster.url in cluster.kubectl("cluster-info")
    assert "Server Version: v1.36.3" in cluster.kubectl("version")
    resources = cluster.kubectl("api-resources", "--no-headers")
    assert {"pods", "deployments", "poddisruptionbudgets"} <= {
        line.split()[0] for line in resources.splitlines()
    }
    assert "apps/v1" in cluster.kubectl("api-versions").split()
    explained = cluster.kubectl("explain", "pod.spec.containers")
    assert "imagePullPolicy" in explained


def test_mistakes_are_told(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    wrong = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"foo": 1}}
    strict = cluster.kubectl("create", "-f", "-", stdin=json.dumps(wrong), check=False)
    assert 'unknown field "spec.foo"' in strict
    manifest = tmp_path / "custom.yaml"
    manifest.write_text("apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a}\n")
    unknown = cluster.kubectl("apply", "-f", str(manifest), check=False)
    assert 'no matches for kind "Foo" in version "example.com/v1"' in unknown
    applied = cluster.kubectl(
        "apply", "--server-side", "-f", "-", stdin=json.dumps(WEB), check=False
    )
    assert "use plain `kubectl apply`" in applied
    entered = cluster.kubectl("exec", "absent", "--", "true", check=False)
    assert entered == 'Error from server (NotFound): pods "absent" not found\n'


def test_namespace_is_made_used_and_deleted(cluster: EmbeddedCluster) -> None:
    cluster.kubectl("create", "namespace", "team")
    wait_until(
        lambda: "default" in cluster.kubectl("get", "sa", "-n", "team"), "the ServiceAccount"
    )
    cluster.kubectl("create", "configmap", "settings", "--from-literal=k=v", "-n", "team")
    cluster.kubectl("create", "secret", "generic", "s", "--from-literal=k=v", "-n", "team")
    cluster.kubectl("create", "deployment", "d", "--image=nginx:1", "-n", "team")
    cluster.kubectl("expose", "deployment", "d", "--port=80", "-n", "team")
    assert "ClusterIP" in cluster.kubectl("get", "service", "d", "-n", "team")
    cluster.kubectl("delete", "namespace", "team", "--wait", "--timeout=120s")
    assert "NotFound" in cluster.kubectl("get", "namespace", "team", check=False)
