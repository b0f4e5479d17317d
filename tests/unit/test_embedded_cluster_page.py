"""The page on the embedded cluster's configuration names every field that there is."""

import re
from pathlib import Path

import msgspec
import pytest

from pilotfish.cluster.settings import ClusterSettings, KubeletSettings, NodeGroup, PodRule
from pilotfish.runtime.embedded_cluster.files import read_settings

PAGE = (Path(__file__).parents[2] / "docs/reference/embedded-cluster.md").read_text()
SET_BY_THE_PROCESS = {"rootCa", "seed"}


@pytest.mark.parametrize(
    ("section", "settings"),
    [*enumerate((ClusterSettings, NodeGroup, KubeletSettings, PodRule))],
    ids=("file", "nodeGroups", "kubelet", "pods"),
)
def test_every_field_has_its_row(section: int, settings: type[msgspec.Struct]) -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.split("\n## ")[section], re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == {*settings.__struct_encode_fields__} - SET_BY_THE_PROCESS


def test_its_example_is_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(PAGE.partition("```yaml\n")[2].partition("```")[0])
    settings = read_settings(file)
    assert [group.count for group in settings.node_groups] == [4, 20]
    assert [rule.fault for rule in settings.kubelet.pods] == ["CrashLoop", None]
