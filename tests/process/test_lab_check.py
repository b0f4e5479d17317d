"""`pilotfish lab check` on schedulers with the lab's defects, and on those without."""

from __future__ import annotations

import asyncio
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_process import ClusterProcess
from lab_variants import SOLUTION, VARIANTS, write_variant
from living import family, wait_for_the_end
from official_client import client_python
from pilotfish.client import ApiClient, load_config
from pilotfish.compare.contenders import Contender
from pilotfish.lab.examination import QUESTIONS, Question, ask, examined
from pilotfish.lab.findings import DEFECTS, Finding
from pilotfish.lab.probes.binding import one_pod_is_bound
from pilotfish.lab.probes.placement import room_is_respected

pytestmark = pytest.mark.timeout(900)

NAMED = ("--scheduler-name", "{name}", "--kubeconfig", "{kubeconfig}")
PATIENCE_SECONDS = 20.0  # with a defect, of which some show only when it is over
LONG_SECONDS = 90.0  # without one: what is waited for comes
NEEDS = {10: room_is_respected, 13: room_is_respected}  # what a probe builds on


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcess]:
    """Run a cluster without a scheduler, for all tests here."""
    with ClusterProcess(tmp_path_factory.mktemp("cluster"), "--no-scheduler") as process:
        yield process


@pytest.fixture
def python() -> str:
    """The Python that has the official client."""
    return str(client_python())


def questions_about(defect: int) -> list[Question]:
    """Return what shows a defect, and what that builds on."""
    probes = {question.probe for question in QUESTIONS if question.defect == defect}
    probes |= {one_pod_is_bound, NEEDS.get(defect, one_pod_is_bound)}
    return [question for question in QUESTIONS if question.probe in probes]


def examine(
    cluster: ClusterProcess,
    folder: Path,
    command: tuple[str, ...],
    questions: list[Question],
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[tuple[Question, Finding]]:
    """Ask some questions of a scheduler that is started for it."""

    async def run() -> list[tuple[Question, Finding]]:
        client = ApiClient(load_config(cluster.kubeconfig, None, {}))
        contender = Contender("mine", "mine", command)
        namespace = f"lab-check-{secrets.token_hex(3)}"
        async with (
            client,
            examined(client, contender, namespace, folder, patience_seconds) as subject,
        ):
            return await ask(subject, questions, lambda _question, _finding: None)

    return asyncio.run(run())


@pytest.mark.parametrize("defect", VARIANTS)
def test_a_defect_is_caught_by_name(
    cluster: ClusterProcess, tmp_path: Path, python: str, defect: int
) -> None:
    scheduler = tmp_path / "scheduler.py"
    write_variant(scheduler, defect)
    command = (python, str(scheduler), *NAMED)
    answered = examine(cluster, tmp_path, command, questions_about(defect))
    shown = {question.defect for question, finding in answered if finding.verdict == "failed"}
    assert shown == {defect}, [(question.claim, finding) for question, finding in answered]


@pytest.mark.parametrize(
    "script", [(str(SOLUTION), *NAMED), (str(SOLUTION.with_name("minimal.py")), "{name}")]
)
def test_solutions_without_pilotfish_show_no_defect(
    cluster: ClusterProcess, tmp_path: Path, python: str, script: tuple[str, ...]
) -> None:
    answered = examine(cluster, tmp_path, (python, *script), list(QUESTIONS), LONG_SECONDS)
    assert not [one for one in answered if one[1].verdict == "failed"]
    passed = {question.defect for question, finding in answered if finding.verdict == "passed"}
    assert passed >= set(DEFECTS)


@pytest.mark.parametrize("mode", ["watch", "polling --interval 0.3"])
def test_pilotfish_shows_no_defect_in_either_mode(cluster: ClusterProcess, mode: str) -> None:
    command = f"{sys.executable} -m pilotfish run --mode {mode} {' '.join(NAMED)}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pilotfish", "lab", "check", "--defects", "--grade"),
            *("--patience", str(LONG_SECONDS)),
            *("--command", command, "--kubeconfig", str(cluster.kubeconfig)),
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for number in DEFECTS:
        assert f"not shown  {number:2}" in done.stdout
    assert "30 of 30" in done.stdout
    assert "the lab: passed" in done.stdout
    assert "lab-check" not in cluster.kubectl("get", "namespaces,nodes,pods", "-o", "name")


def test_without_a_scheduler_the_first_probe_fails_and_says_so(cluster: ClusterProcess) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pilotfish", "lab", "check", "2", "--patience", "1"),
            *("--scheduler-name", "nobody", "--kubeconfig", str(cluster.kubeconfig)),
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 1
    assert "is a scheduler running that answers to nobody?" in done.stdout
    assert done.stdout.count("failed") == 2  # the probe and the checkpoint


def test_a_scheduler_that_has_ended_passes_nothing(cluster: ClusterProcess, tmp_path: Path) -> None:
    """It leaves an impossible pod pending, as it leaves all."""
    ended = (sys.executable, "-c", "raise SystemExit(3)")
    questions = [question for question in QUESTIONS if question.probe is room_is_respected]
    ((_, finding),) = examine(cluster, tmp_path, ended, questions)
    assert finding == Finding("not judged", "the scheduler ended with exit code 3")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_leaves_nothing_behind(
    cluster: ClusterProcess, number: signal.Signals
) -> None:
    scheduler = f"{sys.executable} -m pilotfish run {' '.join(NAMED)}"
    options = ("--kubeconfig", str(cluster.kubeconfig), "--command", scheduler)
    with subprocess.Popen(
        [sys.executable, "-m", "pilotfish", "lab", "check", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as check:
        assert check.stdout is not None
        next(line for line in check.stdout if line.startswith("passed"))
        descendants = family(check.pid)
        check.send_signal(number)
        said = check.stdout.read()
        assert check.wait(60) == 130
    assert "interrupted; what was made is removed" in said
    assert "lab-check" not in cluster.kubectl("get", "namespaces,nodes,pods", "-A", "-o", "name")
    assert descendants
    wait_for_the_end(*descendants)
