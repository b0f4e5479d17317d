"""Annotations for simulated kubelets: who mistypes one is told so."""

from __future__ import annotations

import pytest

from pilotfish.cluster.kubelet.annotations import (
    MOST,
    node_annotation_warnings,
    pod_annotation_warnings,
    read_exit_code,
    read_number,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.node import NodeStrategy
from pilotfish.cluster.strategies.pod import PodStrategy
from unit.cluster.registry.api import resource_of


def annotated(**said: str) -> JsonObject:
    own = {f"kubelet.pilotfish/{key.replace('_', '-')}": value for key, value in said.items()}
    return {"metadata": {"name": "a", "annotations": {"note": "x", **own}}}


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("fault", "Crash", "'Crash' is not one of CrashLoop, ImagePull, NotReady"),
        ("run-seconds", "5s", "'5s' is not a number"),
        ("exit-code", "-1", "'-1' is not a number"),
        ("faults", "CrashLoop", "the names are run-seconds, "),
    ],
)
def test_annotation_that_a_kubelet_passes_over_is_named(key: str, value: str, wrong: str) -> None:
    (warning,) = pod_annotation_warnings(annotated(**{key: value}))
    assert warning.startswith(f"metadata.annotations[kubelet.pilotfish/{key}]: {wrong}")
    assert warning.endswith("; it has no effect")


def test_annotations_that_a_kubelet_reads_are_not_warned_about() -> None:
    said = annotated(fault="CrashLoop", run_seconds="0.5", exit_code="3", cpu="0.9")
    assert not [*pod_annotation_warnings(said)]
    assert not [*node_annotation_warnings(annotated(fault="Silent"))]


@pytest.mark.parametrize(
    ("said", "read"), [("1e999", MOST), ("1e308", MOST), ("nan", None), ("-5", 0.0), ("0.5", 0.5)]
)
def test_number_is_read_within_what_clocks_can_tell(said: str, read: float | None) -> None:
    assert read_number(said) == read


def test_exit_code_that_is_none_is_not_read() -> None:
    assert [read_exit_code(said) for said in ("3", "9" * 5000, "-1", "")] == [3, None, None, None]


def test_pods_and_nodes_are_warned_about_when_they_come_to_have_such_an_annotation() -> None:
    sound, tired = annotated(), annotated(fault="Tired")
    for strategy in (PodStrategy(resource_of("pods")), NodeStrategy(resource_of("nodes"))):
        assert len([*strategy.update_warnings(tired, sound)]) == 1
        assert not [*strategy.update_warnings(tired, tired)]
    assert len([*NodeStrategy(resource_of("nodes")).warnings(tired)]) == 1
    assert len([*PodStrategy(resource_of("pods")).warnings({"spec": {}, **tired})]) == 1
