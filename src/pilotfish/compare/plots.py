"""Plots, as SVG to put into a page. Needs the extra `report`."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pilotfish.compare.run import Run
from pilotfish.compare.summary import LATENCIES, labels_of

SIZE_INCHES = (7.0, 3.6)


def draw(runs: Sequence[Run]) -> dict[str, str]:
    """Draw all plots; returns SVG elements by title."""
    plots = {
        f"{LATENCIES['bound'].capitalize()}: share of pods within a time": _latency_shares,
        f"{LATENCIES['bound'].capitalize()}, pod by pod in the order of arrival": _by_arrival,
        "CPU time a pod": _cpu,
        "Requests a pod, by verb and resource": _requests,
    }
    drawn = {}
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pilotfish", "font.size": 9}):
        for title, plot in plots.items():
            canvas = Canvas(figsize=SIZE_INCHES, layout="constrained")
            plot(canvas.add_subplot(), runs)
            file = io.StringIO()
            canvas.savefig(file, format="svg", metadata={"Date": None})
            drawn[title] = file.getvalue()[file.getvalue().index("<svg") :]
    return drawn


def _of(runs: Sequence[Run], label: str) -> list[Run]:
    return [run for run in runs if run.contender.label == label]


def _latency_shares(axes: Axes, runs: Sequence[Run]) -> None:
    for label in labels_of(runs):
        seconds = sorted(s for run in _of(runs, label) for s in run.seconds("bound"))
        if seconds:
            shares = [100 * (i + 1) / len(seconds) for i in range(len(seconds))]
            axes.step([1000 * s for s in seconds], shares, where="post", label=label)
            axes.set_xscale("log")
    axes.set_xlabel("ms (logarithmic)")
    axes.set_ylabel("% of pods")
    _finish(axes)


def _by_arrival(axes: Axes, runs: Sequence[Run]) -> None:
    for label in labels_of(runs):
        points = [
            (pod.created - run.pods[0].created, 1000 * (pod.bound - pod.created))
            for run in _of(runs, label)
            for pod in run.pods
            if pod.bound is not None
        ]
        if points:
            axes.plot(*zip(*points, strict=True), ".", markersize=3, label=label)
            axes.set_yscale("log")
    axes.set_xlabel("arrival, s")
    axes.set_ylabel("ms (logarithmic)")
    _finish(axes)


def _cpu(axes: Axes, runs: Sequence[Run]) -> None:
    for label in labels_of(runs):
        values = [
            1000 * run.cpu_seconds / run.succeeded
            for run in _of(runs, label)
            if run.cpu_seconds is not None and run.succeeded
        ]
        if values:
            axes.bar(label, sum(values) / len(values), color="0.8")
            axes.plot([label] * len(values), values, ".", color="0.2")
    axes.set_ylabel("ms; a dot is a run")


def _requests(axes: Axes, runs: Sequence[Run]) -> None:
    labels = [one for one in labels_of(runs) if any(run.traffic for run in _of(runs, one))]
    below = [0.0] * len(labels)
    kinds = sorted({kind for run in runs if run.traffic for kind in run.traffic.requests})
    for kind in kinds:
        heights = []
        for label in labels:
            pods = sum(run.succeeded for run in _of(runs, label)) or 1
            counts = (run.traffic.requests[kind] for run in _of(runs, label) if run.traffic)
            heights.append(sum(counts) / pods)
        axes.bar(labels, heights, bottom=below, label=kind)
        below = [a + b for a, b in zip(below, heights, strict=True)]
    axes.set_ylabel("requests")
    _finish(axes)


def _finish(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7)
