"""The page that compares with kube-scheduler says of everything what is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import msgspec
import pytest

from config_text import configuration
from pilotfish.api.node import Node, NodeSpec, NodeStatus
from pilotfish.api.pod import Pod, PodSpec, PodStatus
from pilotfish.config.errors import ConfigurationError
from pilotfish.config.plugin_args import ARGS
from pilotfish.config.types import EXTENSION_POINTS as UPSTREAM_POINTS
from pilotfish.config.types import ConfigStruct, KubeSchedulerConfiguration, Plugins, camel
from pilotfish.config.upstream import UPSTREAM_PLUGINS
from pilotfish.config.writing import without_effect
from pilotfish.framework.plugin import EXTENSION_POINTS
from pilotfish.plugins.default import default_registry
from pilotfish.plugins.profiles import POINT_NAMES, profiles_of

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs/reference/as-kube-scheduler.md").read_text()
STATES: Final = {"as upstream", "differs", "no effect", "not yet"}
BUILT: Final = default_registry().names


def table(title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def states(title: str, *, keys: int = 1) -> dict[str, str]:
    """Return the state of each row by its first cells."""
    rows = table(title)
    found = {" ".join(row[:keys]): row[keys] for row in rows}
    assert len(found) == len(rows), "a row stands there twice"
    return found


def not_yet(found: dict[str, str]) -> set[str]:
    return {name for name, state in found.items() if state == "not yet"}


def fields_of(kind: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of a configuration's fields; `plugins` has a table of its own."""
    for name, hint in get_type_hints(kind).items():
        if name not in kind.__struct_fields__:
            continue
        inner = next((one for one in (hint, *get_args(hint)) if _is_struct(one)), None)
        here = f"{path}{camel(name)}" + ("[]" if inner and inner is not hint else "")
        if inner is None or inner is Plugins:
            yield here
        else:
            yield from fields_of(inner, f"{here}.")


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, ConfigStruct)


def is_read(kind: Any, path: list[str]) -> bool:
    """Say whether the Structs that objects are decoded into have this field."""
    if not path:
        return True
    by_name = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
    name = by_name.get(path[0].removesuffix("[]"))
    if name is None:
        return False
    hint = get_type_hints(kind)[name]
    kinds = [one for one in (hint, *get_args(hint)) if isinstance(one, type)]
    inner = [one for one in kinds if issubclass(one, msgspec.Struct)]
    return len(path) == 1 or any(is_read(one, path[1:]) for one in inner)


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("Plugins", 1),
        ("Extension points", 1),
        ("Arguments of plugins", 2),
        ("KubeSchedulerConfiguration", 1),
        ("What is read of a pod", 1),
        ("What is read of a node", 1),
        ("Feature gates", 2),
    ],
)
def test_every_row_has_a_state_and_says_how_it_differs(title: str, keys: int) -> None:
    for row in table(title):
        assert row[keys] in STATES, row
        assert row[keys] not in ("differs", "no effect") or row[keys + 1], row


def test_plugins_are_those_of_upstream_and_not_yet_are_those_that_are_not_registered() -> None:
    found = states("Plugins")
    assert found.keys() == UPSTREAM_PLUGINS.keys() | BUILT
    assert not_yet(found) == found.keys() - BUILT


def test_extension_points_that_are_not_yet_are_those_that_no_plugin_can_have() -> None:
    found = states("Extension points")
    assert found.keys() == {camel(point) for point in UPSTREAM_POINTS}
    ours = {point for point in UPSTREAM_POINTS if POINT_NAMES.get(point, point) in EXTENSION_POINTS}
    assert not_yet(found) == found.keys() - {camel(point) for point in ours} - {"bind"}


def test_arguments_are_those_that_are_read() -> None:
    found = states("Arguments of plugins", keys=2)
    read = {f"{plugin} {camel(f)}" for plugin, args in ARGS.items() for f in args.__struct_fields__}
    assert found.keys() == read
    missing = {key for key in read if key.split()[0] not in BUILT}
    assert not_yet(found) == missing - {"VolumeBinding shape"}


def test_fields_of_the_configuration_are_those_that_are_read() -> None:
    assert states("KubeSchedulerConfiguration").keys() == set(fields_of(KubeSchedulerConfiguration))


def test_fields_without_effect_are_those_that_are_warned_about() -> None:
    no_lease = {"leaderElection": {"leaderElect": False}}
    warned = {
        problem.path
        for fields in (
            {"parallelism": 2, "delayCacheUntilActive": True, "percentageOfNodesToScore": 50},
            {"podInitialBackoffSeconds": 2, "podMaxBackoffSeconds": 20},
            {"enableProfiling": False, "enableContentionProfiling": True},
            {"clientConnection": {"acceptContentTypes": "a", "contentType": "b", "qps": 1}},
        )
        for problem in without_effect(read(**no_lease, **fields))
    }
    found = states("KubeSchedulerConfiguration")
    assert warned == {path for path, state in found.items() if state == "no effect"}


def read(**fields: Any) -> KubeSchedulerConfiguration:
    return profiles_of(configuration(**fields), default_registry())[0]


def test_what_is_not_yet_of_the_configuration_is_refused_or_warned_about() -> None:
    missing = not_yet(states("KubeSchedulerConfiguration"))
    with pytest.raises(ConfigurationError):
        read(extenders=[{"urlPrefix": "http://localhost"}])
    warned = {one.path for one in without_effect(read())}
    assert {path.split(".")[0] for path in missing} == {"extenders"} | {
        path.split(".")[0] for path in warned if path.startswith("leaderElection")
    }


@pytest.mark.parametrize(
    ("title", "kind", "parts"),
    [
        ("What is read of a pod", Pod, {"spec": PodSpec, "status": PodStatus}),
        ("What is read of a node", Node, {"spec": NodeSpec, "status": NodeStatus}),
    ],
)
def test_fields_of_objects_are_those_that_are_decoded(
    title: str, kind: Any, parts: dict[str, Any]
) -> None:
    found = states(title)
    assert not_yet(found) == {path for path in found if not is_read(kind, path.split("."))}
    told = {".".join(path.split(".")[:2]).removesuffix("[]") for path in found}
    for part, struct in parts.items():
        names = {f"{part}.{field.encode_name}" for field in msgspec.structs.fields(struct)}
        assert names - UNTOLD <= told


UNTOLD: Final = {
    "status.phase",
    "status.qosClass",  # for policies alone
    "status.initContainerStatuses",
    "status.resources",
    "status.allocatedResources",
}
"""Said in other rows, or not a matter of placement."""


def test_differences_name_tests_that_exist() -> None:
    rows = table("Differences that are meant")
    for row in rows:
        match = re.fullmatch(r"`(tests/[\w/.]+)` (test_\w+)", row[2])
        assert match, row
        path, name = match.groups()
        assert f"def {name}(" in (ROOT / path).read_text(), row
