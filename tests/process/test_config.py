"""Configuration files as a person meets them, and as the real kube-scheduler reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from command_line import told
from config_text import configuration, disabled, enabled, of_plugins
from controlplane.binaries import binary
from kubeconfig_file import kubeconfig
from refused_configurations import REFUSED

PROFILES = [
    {
        "schedulerName": "binpack",
        "plugins": {
            "multiPoint": {
                "enabled": [{"name": "NodeAffinity", "weight": 5}, {"name": "ImageLocality"}],
                "disabled": [{"name": "ImageLocality"}, {"name": "NodePorts"}],
            },
            "score": {"disabled": [{"name": "TaintToleration"}]},
        },
        "pluginConfig": [
            {
                "name": "NodeResourcesFit",
                "args": {
                    "ignoredResources": ["example.com/a"],
                    "scoringStrategy": {
                        "type": "RequestedToCapacityRatio",
                        "resources": [{"name": "cpu"}, {"name": "memory", "weight": 3}],
                        "requestedToCapacityRatio": {
                            "shape": [
                                {"utilization": 0, "score": 0},
                                {"utilization": 100, "score": 10},
                            ]
                        },
                    },
                },
            },
            {
                "name": "NodeAffinity",
                "args": {
                    "addedAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
                            ]
                        }
                    }
                },
            },
        ],
    },
    {"schedulerName": "plain", "percentageOfNodesToScore": 100},
]
FILES = {
    "empty": configuration(),
    "several profiles": configuration(
        leaderElection={"leaderElect": False, "renewDeadline": "5s"},
        clientConnection={"qps": 200.5},
        podMaxBackoffSeconds=60,
        enableProfiling=False,
        profiles=PROFILES,
    ),
    "only one filter": of_plugins(filter={**disabled("*"), "enabled": [{"name": "NodeName"}]}),
}


def kube_scheduler(folder: Path, text: str) -> tuple[int, str]:
    """Let kube-scheduler complete a file, without a cluster; give exit code and what it wrote."""
    content = yaml.safe_load(text)
    connection = content.setdefault("clientConnection", {})
    if isinstance(connection, dict):
        connection["kubeconfig"] = str(kubeconfig(folder / "kubeconfig"))
    given, written = folder / "given.yaml", folder / "written.yaml"
    given.write_text(yaml.safe_dump(content))
    command = [binary("kube-scheduler"), f"--config={given}", f"--write-config-to={written}"]
    done = subprocess.run(
        [*command, "--secure-port=0"], capture_output=True, check=False, timeout=250
    )
    return done.returncode, written.read_text() if written.exists() else ""


def test_check_names_file_path_and_suggestion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scheduler.yaml"
    file.write_text(configuration(paralelism=1))
    code, out, err = told(capsys, "config", "check", str(file))
    assert (code, out) == (1, "")
    assert err == f"error: {file}: paralelism: unknown field; did you mean 'parallelism'?\n"


def test_check_says_what_has_no_effect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scheduler.yaml"
    file.write_text(configuration(parallelism=4, leaderElection={"leaderElect": False}))
    code, out, err = told(capsys, "config", "check", str(file))
    assert (code, out) == (0, f"{file}: good; profiles: default-scheduler\n")
    assert err == (
        "warning: parallelism has no effect: pilotfish looks at all nodes at once, in one thread\n"
    )


def test_file_that_is_missing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(capsys, "config", "show", "--config", "/nowhere.yaml")
    assert (code, err) == (1, "error: /nowhere.yaml: No such file or directory\n")


@pytest.mark.parametrize("command", [("check",), ("show", "--config")])
def test_file_may_name_a_policy_that_is_given(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scheduler.yaml"
    file.write_text(of_plugins(score=enabled(FewestPods=5)))
    code, _, err = told(capsys, "config", *command, str(file))
    assert code == 1
    assert "there is no plugin 'FewestPods', nor does --policy give one; " in err
    code, out, _ = told(capsys, "config", *command, str(file), "--policy", "fewest-pods")
    assert code == 0
    assert "FewestPods" in out or command == ("check",)


def test_show_puts_in_a_policy_as_run_does(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "config", "show", "--policy", "fewest-pods=3")
    (profile,) = yaml.safe_load(out)["profiles"]
    assert (code, profile["plugins"]["multiPoint"]["enabled"][-1]) == (
        0,
        {"name": "FewestPods", "weight": 3},
    )


def test_scheduler_name_beside_a_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(capsys, "run", "--config", "f", "--scheduler-name", "a")
    assert code == 2
    assert err.startswith("error: --scheduler-name cannot be beside --config\n")


@pytest.mark.controlplane
@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_show_fills_in_what_kube_scheduler_fills_in(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, written = kube_scheduler(tmp_path, text)
    assert code == 0
    shown = told(capsys, "config", "show", "--config", str(tmp_path / "given.yaml"))[1]
    assert yaml.safe_load(shown) == yaml.safe_load(written)


@pytest.mark.controlplane
def test_kube_scheduler_accepts_what_show_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, shown, _ = told(capsys, "config", "show")
    code, written = kube_scheduler(tmp_path, shown)
    assert code == 0
    assert yaml.safe_load(written)["profiles"] == yaml.safe_load(shown)["profiles"]


@pytest.mark.controlplane
@pytest.mark.timeout(900)
def test_kube_scheduler_refuses_what_is_refused_here(tmp_path: Path) -> None:
    accepted = [path for text, path, _ in REFUSED if kube_scheduler(tmp_path, text)[0] == 0]
    assert accepted == []
