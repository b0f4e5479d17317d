"""The reference page of configuration says what the code knows."""

from __future__ import annotations

from pathlib import Path

from pilotfish.config.plugin_args import ARGS
from pilotfish.config.types import ClientConnection, KubeSchedulerConfiguration, SchedulerProfile
from pilotfish.config.upstream import DEFAULT_PLUGINS, UPSTREAM_PLUGINS
from pilotfish.plugins.default import default_registry

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"
TEXT = PAGE.read_text(encoding="utf-8")


def table(title: str) -> list[list[str]]:
    """Read the rows of the only table of a section."""
    section = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_every_plugin_is_listed_with_its_weight_and_whether_it_is_built() -> None:
    built = default_registry().names
    weights = {entry.name: str(entry.weight or "-") for entry in DEFAULT_PLUGINS}
    assert table("Plugins") == [
        [name, weights.get(name, "not enabled"), "yes" if name in built else "not yet"]
        for name in UPSTREAM_PLUGINS
    ]


def test_every_argument_is_listed() -> None:
    listed = [(plugin, argument.strip("`")) for plugin, argument, *_ in table("Arguments")]
    assert listed == [
        (plugin, field) for plugin, kind in ARGS.items() for field in kind.__struct_encode_fields__
    ]


def test_every_field_is_listed() -> None:
    listed = {name.strip("` ") for first, *_ in table("Fields") for name in first.split(",")}
    for kind, prefix in (
        (KubeSchedulerConfiguration, ""),
        (ClientConnection, "clientConnection."),
        (SchedulerProfile, "profiles[]."),
    ):
        names = {prefix + name for name in kind.__struct_encode_fields__}
        assert names - listed <= {"clientConnection"}, prefix
