"""Recorded decisions of kube-scheduler replay equal; data/README.md says how they were recorded."""

from pathlib import Path
from typing import Any

import pytest

from parity import replay

CORPUS = Path(__file__).parent / "data" / "corpus.ndjson.gz"
EXACT = ("resources", "taints", "nodeaffinity", "podaffinity", "spread", "images", "preemption")
OTHERS = ("volumes", "mixed", "config")


def recorded(categories: tuple[str, ...]) -> list[Any]:
    found = replay.clusters(CORPUS, categories)
    return [pytest.param(cluster, id=cluster["id"]) for cluster in found]


@pytest.mark.parametrize("cluster", recorded(EXACT))
def test_decisions_replay_equal(cluster: dict[str, Any]) -> None:
    """Feasible nodes, scores, choice, the whole message, nominated node and victims."""
    assert not [difference for step in replay.replay(cluster) for difference in step]


@pytest.mark.parametrize("cluster", recorded(OTHERS))
def test_only_plugins_that_do_not_exist_yet_make_a_difference(cluster: dict[str, Any]) -> None:
    """They can only leave us more nodes, or give other reasons; no score of ours differs."""
    for difference in (difference for step in replay.replay(cluster) for difference in step):
        assert difference.what in ("feasible", "message", "nomination"), difference
        if difference.what == "nomination":
            continue  # what is feasible beside other pods is for those plugins to say
        missing = difference.recorded if difference.what == "feasible" else "-"
        assert missing == "-", difference


def test_every_category_is_judged() -> None:
    """A new category of the corpus does not go unnoticed."""
    categories = {cluster["category"] for cluster in replay.clusters(CORPUS)}
    assert categories == {*EXACT, *OTHERS}
