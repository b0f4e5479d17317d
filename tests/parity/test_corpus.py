"""Recorded decisions of kube-scheduler replay equal; data/README.md says how they were recorded."""

from pathlib import Path
from typing import Any

import pytest

from parity import replay

CORPUS = Path(__file__).parent / "data" / "corpus.ndjson.gz"
CATEGORIES = {
    "resources",
    "taints",
    "nodeaffinity",
    "podaffinity",
    "spread",
    "images",
    "preemption",
    "volumes",
    "mixed",
    "config",
}


def recorded() -> list[Any]:
    return [pytest.param(cluster, id=cluster["id"]) for cluster in replay.clusters(CORPUS)]


@pytest.mark.parametrize("cluster", recorded())
def test_decisions_replay_equal(cluster: dict[str, Any]) -> None:
    """Feasible nodes, scores, choice, the whole message, nominated node and victims."""
    assert not [difference for step in replay.replay(cluster) for difference in step]


def test_every_category_is_judged() -> None:
    """A new category of the corpus does not go unnoticed."""
    categories = {cluster["category"] for cluster in replay.clusters(CORPUS)}
    assert categories == CATEGORIES
