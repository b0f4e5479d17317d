import json
import os
from pathlib import Path
from typing import Any

import pytest

from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.store import Store
from pilotfish.runtime.embedded_cluster.files import (
    check_savable,
    read_objects,
    read_settings,
    write_objects,
)
from pilotfish.runtime.trouble import StartError


def write(path: Path, content: Any) -> Path:
    """Write a file, as JSON unless it is text."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_documents_lists_and_folders_are_taken_apart(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    write(folder / "b.yaml", "kind: Node\napiVersion: v1\n---\nkind: Pod\napiVersion: v1\n")
    inner = {"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "in"}}]}
    outer = {"kind": "List", "apiVersion": "v1", "items": [inner]}
    write(folder / "a.json", outer)
    write(folder / "notes.txt", "not read")
    found = read_objects([folder])
    assert [obj["kind"] for obj in found] == ["Node", "Pod", "Pod"] or [
        obj["kind"] for obj in found
    ] == ["Pod", "Node", "Pod"]
    assert {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "in"}} in found


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a: [", "yaml: line"),
        ("{", "unexpected end of JSON input"),
        ("just text", "document 1 is no Kubernetes object"),
        ('{"kind": "List", "apiVersion": "v1", "items": [5]}', r"document 1, items\[0\] is no"),
        ('{"kind": "List", "apiVersion": "v1", "items": 5}', "document 1: items is no list"),
        ('{"kind": 5, "apiVersion": "v1"}', "document 1 is no Kubernetes object"),
    ],
)
def test_file_that_holds_something_else_is_refused_with_the_place(
    tmp_path: Path, content: str, complaint: str
) -> None:
    with pytest.raises(StartError, match=complaint):
        read_objects([write(tmp_path / "file", content)])


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="nowhere: No such file"):
        read_objects([tmp_path / "nowhere"])


def test_saved_objects_are_read_again(tmp_path: Path) -> None:
    store = Store()
    store.put("pods", {"metadata": {"name": "a", "namespace": "n"}, "spec": {}})
    store.put("events", {"metadata": {"name": "e", "namespace": "n"}})
    path = tmp_path / "saved"
    assert write_objects(path, store, TABLE) == 2
    found = {obj["kind"]: obj for obj in read_objects([path])}
    assert found.keys() == {"Pod", "Event"}
    assert found["Pod"]["metadata"]["name"] == "a"
    assert path.stat().st_mode & 0o077 == 0


def test_place_that_cannot_be_written_is_told_before_there_is_anything_to_save(
    tmp_path: Path,
) -> None:
    with pytest.raises(StartError, match="No such file"):
        check_savable(tmp_path / "nowhere" / "saved")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StartError, match="it is no regular file"):
        check_savable(pipe)
    check_savable(tmp_path / "saved")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_settings_are_read(tmp_path: Path) -> None:
    text = """
    nodeGroups:
    - {name: gpu, count: 2, taints: ["gpu=yes:NoSchedule"], capacity: {cpu: 8}}
    kubelet:
      start: {seconds: 1}
    """
    settings = read_settings(write(tmp_path / "cluster.yaml", text))
    assert (settings.node_groups[0].name, settings.node_groups[0].count) == ("gpu", 2)
    assert settings.node_groups[0].capacity == {"cpu": 8}
    assert settings.kubelet.start.seconds == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("nodeGroups: [{count: x}]", r"nodeGroups\[0\].count: expected `int`, got `str`"),
        ("kubelet: {start: {seconds: 1, minutes: 2}}", "kubelet.start: object contains unknown"),
        ("[]", "expected `object`, got `array`"),
        ("---\n{}\n---\n{}\n", "one document is expected, not 2"),
        ("nodeGroups: [{count: -1}]", r"nodeGroups\[0\].count: expected `int` >= 0"),
        ("kubelet: {stop: {seconds: -1}}", "kubelet.stop.seconds: expected `float` >= 0"),
        ("nodeGroups: [{capacity: {cpu: much}}]", 'quantity "much" is malformed'),
        ("kubelet: {seed: 7}", "kubelet.seed: the seed is an option"),
        ("rootCa: mine", "rootCa: each start makes its own"),
        ("serviceIpRange: here", "expected 4 octets in 'here'"),
    ],
)
def test_mistakes_in_settings_are_named_with_their_place(
    tmp_path: Path, content: str, complaint: str
) -> None:
    with pytest.raises(StartError, match=complaint):
        read_settings(write(tmp_path / "cluster.yaml", content))
