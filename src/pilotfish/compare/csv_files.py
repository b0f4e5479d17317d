"""CSV files: results.csv has a row for each pod, runs.csv one for each run."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pilotfish.compare.run import Run

RESULTS: Final = "results.csv"
RUNS: Final = "runs.csv"


def write_csv_files(folder: Path, runs: Sequence[Run]) -> None:
    """Write both files anew."""
    _write(folder / RESULTS, [row for run in runs for row in _pod_rows(run)])
    _write(folder / RUNS, [_run_row(run) for run in runs])


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    draft = path.with_suffix(".csv.new")
    with draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(path)  # at once: what is there is whole, whenever it is read


def _pod_rows(run: Run) -> Iterator[dict[str, Any]]:
    begin = min((pod.created for pod in run.pods), default=0.0)
    for pod in run.pods:
        yield {
            "scheduler": run.contender.label,
            "repetition": run.repetition,
            "pod": pod.name,
            "shape": pod.shape,
            "created_s": _seconds(begin, pod.created),
            "creation_to_detected_s": _seconds(pod.created, pod.detected),
            "creation_to_bound_s": _seconds(pod.created, pod.bound),
            "bound_to_running_s": _seconds(pod.bound, pod.running),
            "creation_to_running_s": _seconds(pod.created, pod.running),
            "node": pod.node,
            "outcome": "ran" if pod.running else "bound" if pod.bound else "pending",
        }


def _run_row(run: Run) -> dict[str, Any]:
    traffic, heard = run.traffic, run.heard if run.heard and run.heard.spoke else None
    return {
        "scheduler": run.contender.label,
        "scheduler_name": run.contender.scheduler_name,
        "repetition": run.repetition,
        "place": run.place,
        "started_at": run.started_at,
        "pods": len(run.pods),
        "ran": run.succeeded,
        "wall_s": f"{run.wall_seconds:.3f}",
        "cpu_s": _optional(run.cpu_seconds, 3),
        "peak_memory_mb": _optional(run.peak_bytes and run.peak_bytes / 1e6, 1),
        "requests": traffic.requests.total() if traffic else "",
        "bytes_sent": traffic.bytes_sent if traffic else "",
        "bytes_received": traffic.bytes_received if traffic else "",
        "events": "" if run.events is None else run.events.total(),
        "imbalance": _optional(run.imbalance, 3),
        "bound_per_s": _optional(run.bound_per_second, 2),
        "said_cycles": heard.cycles if heard else "",
        "said_empty_cycles": heard.empty_cycles if heard else "",
        "said_detections": heard.detections.total() if heard else "",
        "said_added": heard.added if heard else "",
        "said_updated": heard.updated if heard else "",
        "requests_by_kind": _sorted_json(traffic.requests.items()) if traffic else "",
        "events_by_reason": "" if run.events is None else _sorted_json(run.events.items()),
        "trouble": run.trouble,
    }


def _seconds(begin: float | None, end: float | None) -> str:
    return "" if begin is None or end is None else f"{end - begin:.6f}"


def _optional(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _sorted_json(items: Iterable[tuple[str, int]]) -> str:
    return json.dumps(dict(sorted(items)))
