"""`pilotfish cluster` as a person starts and ends it."""

import base64
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from cluster_process import ClusterProcess
from command_line import told
from controlplane import wait_until
from pilotfish.runtime.embedded_cluster.kubeconfig import Access, write_kubeconfig

DUMP = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "kept-1", "uid": "4e0c6fb4-6b05-4d0e-9b07-4f1d5f4a0001"},
            "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"}},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "kept",
                "namespace": "team",
                "uid": "4e0c6fb4-6b05-4d0e-9b07-4f1d5f4a0002",
            },
            "spec": {"nodeName": "kept-1", "containers": [{"name": "c", "image": "nginx"}]},
            "status": {"phase": "Running"},
        },
        {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "unserved"}},
    ],
}


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    _, text, _ = told(capsys, "cluster", "--help")
    for part in ("pilotfish cluster --nodes 20", "nodeGroups:", "--local-image NAME=COMMAND"):
        assert part in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_it_cleanly_and_takes_its_kubeconfig_away(
    tmp_path: Path, number: signal.Signals
) -> None:
    relative = os.path.relpath(tmp_path / "kubeconfig")  # the other shell may be elsewhere
    with ClusterProcess(tmp_path, "--kubeconfig", relative) as cluster:
        assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
        assert f"export KUBECONFIG={cluster.kubeconfig}" in cluster.output
        assert cluster.stop(number) == 0
        assert not cluster.kubeconfig.exists()
        assert "Traceback" not in cluster.output


def test_cluster_serves_without_standard_streams(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "pilotfish", "cluster", "--kubeconfig", str(kubeconfig)]
    child = subprocess.Popen(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command])
    wait_until(lambda: kubeconfig.exists() or child.poll() is not None, "the kubeconfig")
    child.terminate()
    assert child.wait(60) == 0


def test_load_is_interrupted_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # reading it waits until somebody writes
    command = [sys.executable, "-m", "pilotfish", "cluster", "--load", str(pipe)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with pipe.open("wb"):  # it reads now
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
    assert (child.returncode, out.strip()) == (130, b"")


def test_only_loopback_is_listened_on(tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
        port = int(config["clusters"][0]["cluster"]["server"].rpartition(":")[2])
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", port))


def test_certificate_is_for_all_that_is_listened_on_and_what_is_named(tmp_path: Path) -> None:
    options = ("--nodes", "0", "--no-scheduler", "--address=0.0.0.0", "--tls-san", "lab.example")
    with ClusterProcess(tmp_path, *options) as cluster:
        server = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
        port = int(server["server"].removeprefix("https://127.0.0.1:"))
        trusting = ssl.create_default_context(
            cadata=base64.b64decode(server["certificate-authority-data"]).decode()
        )
        entries = (entry for entries in psutil.net_if_addrs().values() for entry in entries)
        own = [entry.address for entry in entries if entry.family == socket.AF_INET]
        for address in own:
            for name in (address, "lab.example"):
                with socket.create_connection((address, port), timeout=60) as connection:
                    trusting.wrap_socket(connection, server_hostname=name).close()
        assert f"kubectl --server https://lab.example:{port} get nodes" in cluster.output


def test_address_that_is_not_ours_is_said_to_be_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kubeconfig = str(tmp_path / "kubeconfig")
    code, _, err = told(capsys, "cluster", "--address", "192.0.2.77", "--kubeconfig", kubeconfig)
    assert code == 1
    assert err.startswith("error: --address 192.0.2.77: 192.0.2.77 is no address of this machine\n")
    assert "127.0.0.1" in err
    assert "0.0.0.0 stands for all" in err


def test_foreign_kubeconfig_is_not_overwritten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "config"
    mine.write_text("contexts: [{name: work, context: {cluster: work, user: me}}]\n")
    code, _, err = told(capsys, "cluster", "--kubeconfig", str(mine))
    assert code == 1
    assert err.startswith(f"error: {mine} is a kubeconfig with other contexts\nhint:")
    assert "work" in mine.read_text()


def test_context_is_merged_on_request_and_taken_out_again(tmp_path: Path) -> None:
    mine = tmp_path / ".kube" / "config"
    mine.parent.mkdir()
    mine.write_text("contexts: [{name: work, context: {cluster: work, user: me}}]\n")
    with ClusterProcess(tmp_path, "--merge-kubeconfig"):
        merged = yaml.safe_load(mine.read_text())
        assert [context["name"] for context in merged["contexts"]] == ["work", "pilotfish"]
        assert merged["current-context"] == "pilotfish"
    left = yaml.safe_load(mine.read_text())
    assert [context["name"] for context in left["contexts"]] == ["work"]
    assert left["current-context"] == "work"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("nodeGroups: [{count: many}]", "nodeGroups[0].count: expected `int`, got `str`"),
        ("nodeGroups: [{size: 3}]", "object contains unknown field `size`"),
        ("a: [", "yaml: line"),
        ("nodeGroups: [{name: Not_a_name}]", 'Node "Not_a_name-1" is invalid: metadata.name'),
        ('nodeGroups: [{capacity: {cpu: "-1"}}]', "status.capacity.cpu: Invalid value"),
    ],
)
def test_mistake_in_the_config_is_named_with_its_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str, complaint: str
) -> None:
    config = tmp_path / "cluster.yaml"
    config.write_text(content)
    code, out, err = told(capsys, "cluster", "--config", str(config))
    assert (code, out) == (1, "")
    assert complaint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--address", ""),
        ("--address", "256.1.1.1"),
        ("--address", "localhost:6443"),
        ("--tls-san", "a b"),
        ("--token", "a b"),
        ("--token", "\u00e4"),
    ],
)
def test_option_that_could_not_work_is_refused(
    capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    code, _, err = told(capsys, "cluster", option, value)
    assert code == 2
    assert f"invalid value for '{option}'" in err


def test_kubeconfig_of_a_cluster_that_runs_is_left_to_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    with socket.create_server(("127.0.0.1", 0)) as running:
        server = f"https://127.0.0.1:{running.getsockname()[1]}"
        write_kubeconfig(kubeconfig, Access(server, b"", "secret"))
        before = kubeconfig.read_text()
        code, _, err = told(capsys, "cluster", "--kubeconfig", str(kubeconfig))
    assert code == 1
    assert f"{kubeconfig} is of a cluster that runs at {server}" in err
    assert kubeconfig.read_text() == before


def test_port_that_is_taken_is_said_to_be(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        where = ("--port", str(port), "--kubeconfig", str(tmp_path / "kubeconfig"))
        code, _, err = told(capsys, "cluster", *where)
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in err


def test_recorded_objects_are_loaded_as_they_were_and_saved_again(tmp_path: Path) -> None:
    dump, saved = tmp_path / "dump.json", tmp_path / "saved.json"
    dump.write_text(json.dumps(DUMP))
    with ClusterProcess(tmp_path, "--load", str(dump), "--save", str(saved)) as cluster:
        assert "left out 1 of kind example.com/v1 Widget" in cluster.output
    objects = json.loads(saved.read_text())["items"]
    nodes = [obj["metadata"]["name"] for obj in objects if obj["kind"] == "Node"]
    assert nodes == ["kept-1"]
    pod = next(o for o in objects if o["kind"] == "Pod" and o["metadata"]["name"] == "kept")
    assert pod["metadata"]["uid"] == "4e0c6fb4-6b05-4d0e-9b07-4f1d5f4a0002"
    assert pod["spec"]["nodeName"] == "kept-1"
    assert pod["metadata"]["namespace"] == "team"
    with ClusterProcess(tmp_path, "--load", str(saved)) as again:
        assert "Traceback" not in again.output


def test_local_image_needs_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(capsys, "cluster", "--local-image", "name")
    assert (code, "is not NAME=COMMAND" in err) == (2, True)
