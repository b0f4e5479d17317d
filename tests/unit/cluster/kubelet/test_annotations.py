"""Annotations for simulated kubelets: who mistypes one is told so."""

from __future__ import annotations

import pytest

from pilotfish.cluster.kubelet.annotations import node_annotation_warnings, pod_annotation_warnings
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
        ("fault", "Crash", "'Crash' is not one of CrashLoop, ImagePull"),
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


def test_pods_and_nodes_are_warned_about_when_they_come_to_have_such_an_annotation() -> None:
    sound, tired = annotated(), annotated(fault="Tired")
    for strategy in (PodStrategy(resource_of("pods")), NodeStrategy(resource_of("nodes"))):
        assert len([*strategy.update_warnings(tired, sound)]) == 1
        assert not [*strategy.update_warnings(tired, tired)]
    assert len([*NodeStrategy(resource_of("nodes")).warnings(tired)]) == 1
    assert len([*PodStrategy(resource_of("pods")).warnings({"spec": {}, **tired})]) == 1
