"""What is written and shown of runs."""

from __future__ import annotations

import csv
import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest

from pilotfish.compare.contenders import Contender, read_against, watching
from pilotfish.compare.csv_files import RESULTS, RUNS, write_csv_files
from pilotfish.compare.heard import Heard
from pilotfish.compare.lab_report import write_lab_report
from pilotfish.compare.pod_times import PodTimes
from pilotfish.compare.report import INSTALL, Surroundings, write_report
from pilotfish.compare.run import Run
from pilotfish.compare.summary import NOT_MEASURED, requests_by_kind, summarise
from pilotfish.compare.traffic import Traffic

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "compare.md"
SURROUNDINGS = Surroundings("pilotfish compare <now>", "embedded, 3 nodes", "2 pods")


def seen(contender: Contender, *latencies: float, seed: int = 1) -> Run:
    """Return a run of which everything was seen; pods come every second."""
    pods = [
        PodTimes(f"p{i}", "pause", i, i + s / 2, i + s, i + 2 * s, f"n{i % 2}")
        for i, s in enumerate(latencies)
    ]
    traffic, heard = Traffic(), Heard()
    traffic.requests = Counter({"list pods": 6, "create pods/binding": len(pods)})
    traffic.bytes_received = 4000
    heard.cycles, heard.empty_cycles = 10, 7
    return Run(
        contender=contender,
        repetition=seed,
        place=1,
        pods=pods,
        wall_seconds=4.0,
        cpu_seconds=0.5,
        peak_bytes=50_000_000,
        traffic=traffic,
        heard=heard,
        events=Counter(Scheduled=len(pods)),
        nodes=2,
    )


def unseen(*latencies: float) -> Run:
    """Return a run of a scheduler that ran already."""
    run = seen(read_against("theirs"), *latencies)
    run.cpu_seconds = run.peak_bytes = run.traffic = run.heard = None
    for pod in run.pods:
        pod.detected = None
    return run


def figures(*runs: Run) -> dict[str, tuple[str, ...]]:
    return {row.name: row.values for row in summarise(runs)}


def test_figures_are_those_of_the_pods_and_the_process() -> None:
    found = figures(seen(watching(), 1.0, 1.0))
    assert found["creation to bound, mean ms"] == ("1000",)
    assert found["creation to running, p50 ms"] == ("2000 (2000 to 2000)",)
    assert found["creation to detected, mean ms *"] == ("500",)
    assert found["requests a pod"] == ("4.00",)
    assert found["requests a second"] == ("2.00",)
    assert found["CPU ms a pod"] == ("250.00",)
    assert found["CPU, share of a core"] == ("12.5 %",)
    assert found["peak memory MB"] == ("50",)
    assert found["imbalance of nodes"] == ("0.00",)
    assert found["cycles that found nothing *"] == ("7",)
    assert found["pods bound a second"] == ("1.0",)


def test_what_cannot_be_seen_is_shown_as_not_measured() -> None:
    found = figures(seen(watching(), 1.0), unseen(1.0))
    assert found["creation to bound, mean ms"] == ("1000", "1000")
    for name in ("requests a pod", "CPU ms a pod", "peak memory MB", "polling cycles *"):
        assert found[name][0] != NOT_MEASURED
        assert found[name][1] == NOT_MEASURED


def test_a_pod_that_never_ran_lowers_the_success_and_no_latency() -> None:
    run = seen(watching(), 1.0, 1.0)
    run.pods[1].bound = run.pods[1].running = None
    found = figures(run)
    assert found["pods that ran"] == ("1 of 2",)
    assert found["creation to bound, mean ms"] == ("1000",)


def test_all_pods_on_one_of_two_nodes_is_an_imbalance_of_one() -> None:
    run = seen(watching(), 1.0, 1.0)
    for pod in run.pods:
        pod.node = "n0"
    assert run.imbalance == pytest.approx(1.0)


def test_requests_are_shown_by_kind_the_most_frequent_first() -> None:
    rows = requests_by_kind([seen(watching(), 1.0, 1.0), unseen(1.0)])
    assert [(row.name, row.values) for row in rows] == [
        ("list pods", ("3.00", NOT_MEASURED)),
        ("create pods/binding", ("1.00", NOT_MEASURED)),
    ]


def test_csv_files_have_a_row_a_pod_and_a_row_a_run(tmp_path: Path) -> None:
    write_csv_files(tmp_path, [seen(watching(), 1.0, 2.0), unseen(1.0)])
    with (tmp_path / RESULTS).open() as file:
        pods = list(csv.DictReader(file))
    with (tmp_path / RUNS).open() as file:
        runs = list(csv.DictReader(file))
    assert [pod["creation_to_bound_s"] for pod in pods] == ["1.000000", "2.000000", "1.000000"]
    assert [run["cpu_s"] for run in runs] == ["0.500", ""]
    assert runs[0]["requests_by_kind"] == '{"create pods/binding": 2, "list pods": 6}'


def test_each_column_is_explained(tmp_path: Path) -> None:
    write_csv_files(tmp_path, [seen(watching(), 1.0)])
    page = PAGE.read_text(encoding="utf-8")
    sections = {name: page.split(f"## {name}")[1].split("\n## ")[0] for name in (RESULTS, RUNS)}
    for name, section in sections.items():
        columns = (tmp_path / name).read_text().splitlines()[0].split(",")
        told = re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]*)\|", section, re.MULTILINE)))
        assert sorted(told) == sorted(columns)


def test_the_report_is_one_file_with_plots_that_needs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    runs = [seen(watching(), 0.5, 1.0), unseen(2.0)]
    runs[1].trouble = "<the scheduler> ended"
    assert write_report(path, runs, SURROUNDINGS)
    page = path.read_text()
    assert "pilotfish compare &lt;now&gt;" in page
    assert "theirs, repetition 1: &lt;the scheduler&gt; ended" in page
    plots = page.split("<svg")[1:]
    assert len(plots) == 4
    for plot in plots:
        assert plot.count("</svg>") == 1
    for reference in ("<script", "src=", "<link", "@import"):
        assert reference not in page


def test_without_the_plotting_library_the_tables_come_and_the_line_that_adds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    path = tmp_path / "report.html"
    assert not write_report(path, [seen(watching(), 1.0)], SURROUNDINGS)
    page = path.read_text()
    assert "<svg" not in page
    assert "creation to bound, p50 ms" in page
    assert INSTALL.replace("'", "&#x27;") in page


def test_the_lab_report_holds_the_figures(tmp_path: Path) -> None:
    path = tmp_path / "lab-report.md"
    write_lab_report(path, [seen(watching(), 1.0)], SURROUNDINGS)
    text = path.read_text()
    assert "| creation to bound, mean ms | 1000 |" in text
    assert "$" not in text
    assert "## Policy extension" in text
