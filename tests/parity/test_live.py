"""The live comparison itself: what it draws, records, shrinks and shows."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from parity import replay
from parity.drawing.cases import FEATURES, Case, drawn
from parity.live import compare, main
from parity.recording import Recorder, scores_by_pod
from parity.shrinking import shrunk

MOST_ALLOCATED = {
    "pluginConfig": [
        {
            "name": "NodeResourcesFit",
            "args": {
                "scoringStrategy": {
                    "type": "MostAllocated",
                    "resources": [{"name": "cpu", "weight": 1}],
                }
            },
        }
    ]
}
LOG = """\
I1 s.go:9] "Plugin scored node for pod" pod="ns/a" plugin="ImageLocality" node="n1" score=7
I1 s.go:1050] "Calculated node's final score for pod" pod="ns/a" node="n1" score=7
I1 s.go:1050] "Calculated node's final score for pod" pod="ns/b" node="n2" score=-1
I1 s.go:481] "Successfully bound pod to node" pod="ns/a" node="n1" feasibleNodes=2
"""


ROOM = {"cpu": "4", "pods": "110"}
CONTAINER = {"name": "main", "image": "app:v1", "resources": {"requests": {"cpu": "100m"}}}


class Forgetful(Recorder):
    """Does not say under which profile kube-scheduler decided, so that we take the default one."""

    def record(self, case: Case) -> dict[str, Any]:
        """Leave out the profile."""
        line = super().record(case)
        line.pop("config", None)
        return line


def _made(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


@pytest.mark.controlplane
def test_a_few_drawn_cases_are_decided_as_kube_scheduler_does() -> None:
    cases = str(len(FEATURES))
    assert main(["--seed", "1", "--cases", cases, "--seconds", "60"]) == 0


@pytest.mark.controlplane
def test_a_difference_is_shrunk_and_shown_and_replays_from_its_file(tmp_path: Path) -> None:
    """The nodes are filled one after the other in truth, and evenly by us."""
    nodes = [_made("Node", f"n{i}", status={"allocatable": ROOM}) for i in range(3)]
    pods = [_made("Pod", f"p{i}", spec={"containers": [CONTAINER]}) for i in range(2)]
    case = Case("resources", 1, profile=MOST_ALLOCATED, objects=tuple(nodes), pods=tuple(pods))
    shown = StringIO()
    with Forgetful() as recorder:
        assert compare(recorder, [case], Console(file=shown, width=200), tmp_path) == 1
    assert "resources-1, pod default/p0: NodeResourcesFit" in shown.getvalue()
    assert "2 / 97" in shown.getvalue()
    (line,) = replay.clusters(tmp_path / "resources-1.ndjson")
    ((difference,),) = replay.replay(line)
    assert difference.what == "NodeResourcesFit"
    kinds = [one["kind"] for one in line["objects"]]
    assert kinds.count("Node") == 2


@pytest.mark.parametrize("category", FEATURES)
def test_the_same_seed_draws_the_same_case(category: str) -> None:
    assert drawn(category, 3, 5) == drawn(category, 3, 5)
    assert drawn(category, 3, 5) != drawn(category, 4, 5)


def test_scores_are_read_from_the_log_of_kube_scheduler() -> None:
    wanted = {"ns/a": {"n1": {"ImageLocality": 7, "total": 7}}, "ns/b": {"n2": {"total": -1}}}
    assert scores_by_pod(LOG) == wanted


def test_a_shrunk_case_has_nothing_that_is_not_needed_to_fail() -> None:
    """It fails when a pod with a toleration meets a node with a taint."""

    def fails(case: Case) -> bool:
        taints = [one.get("spec", {}).get("taints") for one in case.objects]
        return any(taints) and any(pod.get("spec", {}).get("tolerations") for pod in case.pods)

    seed = next(seed for seed in range(100) if fails(drawn("taints", seed, 10)))
    smallest = shrunk(drawn("taints", seed, 10), fails)
    (node,), (pod,) = smallest.objects, smallest.pods
    assert node["spec"] == {"taints": [{}]}
    assert pod["spec"] == {"tolerations": [{}]}
    assert node.keys() == {"apiVersion", "kind", "metadata", "spec"}
