"""The demo: real pods on a real API server, and why each went where it went.

    make demo

Starts a control plane with a dozen simulated nodes on loopback, runs `pilotfish run` against it,
and tells a short story. Nothing of it touches your own clusters or kubeconfig.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from controlplane import ControlPlane, ControlPlaneError, node_manifest, pod_manifest, wait_until

SCHEDULER = "pilotfish"
GPU_TAINT = {"key": "gpu", "effect": "NoSchedule"}
TOLERATES_GPU = {"tolerations": [{"key": "gpu", "operator": "Exists"}]}
ON_GPU = {"nodeSelector": {"accelerator": "gpu"}}


@dataclass
class Row:
    """What is known of one pod."""

    node: str = ""
    why: str = ""


@dataclass
class Board:
    """All pods, as the scheduler's own log tells of them."""

    rows: dict[str, Row] = field(default_factory=dict)

    def read(self, line: str) -> None:
        """Take a line of the JSON log."""
        news = json.loads(line) if line.startswith("{") else {}
        decision = news.get("decision")
        if decision is not None:
            row = self.rows.setdefault(f"{decision['namespace']}/{decision['name']}", Row())
            row.why = decision["message"] or why(decision)
        elif news.get("message", "").startswith("Bound "):
            self.rows.setdefault(news["pod"], Row()).node = news["node"]

    @property
    def bound(self) -> int:
        """How many pods have a node."""
        return sum(bool(row.node) for row in self.rows.values())

    def pods(self, title: str, settled: frozenset[str]) -> Table:
        """Draw each pod with its node and why, without those that were settled before."""
        table = Table(title=title, title_justify="left", expand=True)
        table.add_column("pod", no_wrap=True)
        table.add_column("node", no_wrap=True)
        table.add_column("why")
        for pod, row in self.rows.items():
            if pod not in settled:
                node = f"[green]{row.node}" if row.node else "[yellow]Pending"
                table.add_row(pod.removeprefix("default/"), node, row.why)
        return table

    def nodes(self, title: str) -> Table:
        """Draw each node with its pods."""
        table = Table(title=title, title_justify="left", expand=True)
        table.add_column("node", no_wrap=True)
        table.add_column("pods")
        pods_of: dict[str, list[str]] = {}
        for pod, row in self.rows.items():
            if row.node:
                pods_of.setdefault(row.node, []).append(pod.removeprefix("default/"))
        for node, names in sorted(pods_of.items()):
            table.add_row(node, f"{len(names)}: {', '.join(names)}")
        return table


def why(decision: Mapping[str, Any]) -> str:
    """Put a decision into a sentence."""
    feasible = f"{decision['feasible']} of {decision['nodes']} nodes feasible"
    best = decision.get("best")
    if not best:
        return feasible
    scores = ", ".join(
        f"{plugin.removeprefix('NodeResources')} {score}"
        for plugin, score in best[0]["by_plugin"].items()
        if score
    )
    ties = f", one of {decision['tied']} equals" if decision["tied"] > 1 else ""
    return f"{feasible}; best score {best[0]['total']}{ties}: {scores}"


@contextmanager
def scheduler(control_plane: ControlPlane, board: Board) -> Iterator[None]:
    """Run pilotfish and let the board read its log."""
    argv = [sys.executable, "-m", "pilotfish", "run", "--scheduler-name", SCHEDULER]
    argv += ["--kubeconfig", str(control_plane.kubeconfig)]
    argv += ["--log-format", "json", "--log-level", "debug"]
    child = subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, process_group=control_plane.process_group
    )

    def read() -> None:
        if child.stdout is not None:
            for line in child.stdout:
                board.read(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        child.terminate()
        child.wait(30)
        reader.join()


class Story:
    """The chapters, each shown until it has come true."""

    def __init__(self, control_plane: ControlPlane, board: Board, console: Console) -> None:
        self._control_plane = control_plane
        self._board = board
        self._console = console

    def pods(self, names: Iterator[str] | list[str], **options: Any) -> None:
        """Create pods of one kind."""
        self._control_plane.create(
            pod_manifest(name, scheduler_name=SCHEDULER, **options) for name in names
        )

    def show(self, title: str, *, pods: int, bound: int, by_node: bool = False) -> None:
        """Show the board live until so many pods are decided about and so many are bound."""
        board = self._board
        settled = frozenset(pod for pod, row in board.rows.items() if row.node)

        def draw() -> Table:
            return board.nodes(title) if by_node else board.pods(title, settled)

        def done() -> bool:
            live.update(draw())
            decided = sum(bool(row.why) for row in board.rows.values())
            return decided >= pods and board.bound >= bound

        with Live(draw(), console=self._console, refresh_per_second=10) as live:
            wait_until(done, f"{bound} bound pods", timeout=60)
        self._console.print()


def tell(control_plane: ControlPlane, console: Console) -> None:
    """Tell the story."""
    zones = [f"zone-{letter}" for letter in "abc"]
    control_plane.create(
        node_manifest(
            f"node-{i:02}",
            cpu="4",
            memory="16Gi",
            labels={"topology.kubernetes.io/zone": zones[i % 3]}
            | ({"accelerator": "gpu"} if i >= 10 else {}),  # noqa: PLR2004  two of the dozen
            taints=[GPU_TAINT] if i >= 10 else [],  # noqa: PLR2004
        )
        for i in range(12)
    )
    control_plane.wait_for_nodes(12)
    control_plane.kubectl("cordon", "node-09")
    console.print(
        "12 nodes: 9 plain, node-09 is cordoned, node-10 and node-11 are gpu nodes with a taint.\n"
    )
    board = Board()
    story = Story(control_plane, board, console)
    with scheduler(control_plane, board):
        story.pods([f"web-{i}" for i in range(6)], cpu="500m", memory="1Gi")
        story.show("1. Six web pods arrive: each goes where most is left", pods=6, bound=6)
        story.pods(["train-0"], cpu="2", spec=ON_GPU | TOLERATES_GPU)
        story.pods(["impatient"], cpu="2", spec=ON_GPU)
        story.pods(["huge"], cpu="64")
        story.show("2. One tolerates the taint, one does not, one is too big", pods=9, bound=7)
        control_plane.kubectl("taint", "node", "node-11", "gpu:NoSchedule-")
        story.show(
            "3. The taint on node-11 is lifted: what waited for it goes at once", pods=9, bound=8
        )
        story.pods([f"backlog-{i}" for i in range(40)], cpu="600m", memory="512Mi")
        story.show("4. A backlog of forty, by node", pods=49, bound=48, by_node=True)
    console.print(
        f"{board.bound} pods bound; 'huge' stays Pending, and kubectl describe says the same why:\n"
    )
    described = control_plane.kubectl("describe", "pod", "huge")
    console.print(described[described.index("Events:") :])
    console.print(
        "What to try next: pilotfish run --help; hack/run_controlplane.py keeps a cluster for you."
    )


def main() -> int:
    """Run the demo."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    console = Console()
    console.print("Starting etcd, kube-apiserver, kube-controller-manager and kwok on loopback ...")
    try:
        with ControlPlane(audit=False) as control_plane:
            tell(control_plane, console)
    except ControlPlaneError as error:
        console.print(f"error: {error}", style="red")
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
