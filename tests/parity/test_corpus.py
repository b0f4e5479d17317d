"""Recorded decisions of kube-scheduler replay equal; data/README.md says how they were recorded."""

from pathlib import Path
from typing import Any

import msgspec
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


def test_difference_is_shown_and_told_by_the_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = next(iter(replay.clusters(CORPUS, {"taints"})))
    cluster["steps"] = cluster["steps"][:1]
    file = tmp_path / "one.ndjson"
    file.write_bytes(msgspec.json.encode(cluster))
    assert replay.main([str(file), "--category", "taints", "--limit", "1"]) == 0
    (step,) = cluster["steps"]
    step |= {"outcome": "unschedulable", "message": "0/1 nodes are available: 1 odd."}
    file.write_bytes(msgspec.json.encode(cluster))
    assert replay.main([str(file)]) == 1
    assert "recorded  0/1 nodes are available: 1 odd." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        ("", (), "has no clusters"),
        ("{bad", (), "is no corpus: JSON is malformed"),
        ('{"category": "a", "objects": [], "steps": []}', ("--category", "b"), "category b"),
        ("", ("--limit", "0"), "--limit must be at least 1"),
    ],
)
def test_nothing_to_replay_is_no_agreement(
    content: str,
    options: tuple[str, ...],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "corpus.ndjson"
    file.write_text(content)
    with pytest.raises(SystemExit) as caught:
        replay.main([str(file), *options])
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err
