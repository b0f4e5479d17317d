"""The same requests to both servers give the same objects, down to the last field.

What differs by nature (identities, times, addresses) is named alike first.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.server import MERGE_PATCH, Server

pytestmark = pytest.mark.controlplane

Json = dict[str, Any]

OBJECTS: list[Json] = list(yaml.safe_load_all(Path(__file__).with_name("objects.yaml").read_text()))
UPDATES: dict[str, list[Json]] = yaml.safe_load(
    Path(__file__).with_name("updates.yaml").read_text()
)
STATUSES: dict[str, list[Json]] = yaml.safe_load(
    Path(__file__).with_name("statuses.yaml").read_text()
)
SPACE = "contract-same"
numbers = itertools.count(1)
OF_ITS_OWN = {
    "uid": r"[0-9a-f-]{36}",
    "resourceVersion": r"\d+",
    "creationTimestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "lastTransitionTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "lastPhaseTransitionTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "lastUpdateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "clusterIP": r"[0-9.]+",
    "clusterIPs": r"[0-9.]+",
    "nodePort": r"\d+",
    "healthCheckNodePort": r"\d+",
    "timeAdded": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
}
RANDOM = r"kube-api-access-[a-z0-9]{5}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def servers(embedded_server: Server, real_server: Server) -> tuple[Server, Server]:
    """Both servers with a namespace of one name, in which pods may be made."""
    both = (embedded_server, real_server)
    for server in both:
        server.create_namespace(SPACE)
    return both


def collection(server: Server, obj: Json) -> str:
    """Give the path of an object's collection."""
    version = obj["apiVersion"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    for each in server.get(root).ok()["resources"]:
        if each["kind"] == obj["kind"] and "/" not in each["name"]:
            name = each["name"]
            return f"{root}/namespaces/{SPACE}/{name}" if each["namespaced"] else f"{root}/{name}"
    raise AssertionError(f"{obj['kind']} is not served")


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: f"{obj['kind']} {obj['metadata']['name']}")
def test_object_is_made_changed_and_deleted_alike(
    servers: tuple[Server, Server], obj: Json
) -> None:
    told: list[dict[str, Any]] = []
    for server in servers:
        path = collection(server, obj)
        named = f"{path}/{obj['metadata']['name']}"
        labels = {"metadata": {"labels": {"changed": "yes"}}}
        answers = {
            "dry run": server.post(path, obj, dryRun="All"),
            "too early": server.patch(named, labels, MERGE_PATCH),
            "made": server.post(path, obj, fieldValidation="Strict"),
        }
        changed = server.patch(named, labels, MERGE_PATCH, dryRun="All")
        server.delete(named, gracePeriodSeconds=0)
        flattened = flat({name: [each.told, each.body] for name, each in answers.items()})
        told.append({**dict(flattened), "changed": changed.told})
    ours, real = told
    assert {path: value for path, value in ours.items() if real.get(path) != value} == {
        path: value for path, value in real.items() if ours.get(path) != value
    }


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf with its path, what differs by nature replaced by its name."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            if key != "managedFields":
                yield from flat(inner, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from flat(inner, f"{path}[{index}]")
    else:
        yield path, plain(path.rpartition(".")[2].partition("[")[0], value)


def plain(key: str, value: Any) -> Any:
    """Replace a value that differs by nature, having checked its form."""
    form = OF_ITS_OWN.get(key)
    if form is not None and value != "None":
        assert re.fullmatch(form, str(value)), f"{key}: {value}"
        return f"<{key}>"
    return re.sub(RANDOM, "<random>", value) if isinstance(value, str) else value


def words(change: Any) -> Iterator[str]:
    """Name a change in few words: the keys and values along its first path."""
    while isinstance(change, dict | list) and change:
        key = next(iter(change))
        if isinstance(change, dict):
            yield str(key)
            change = change[key]
        else:
            change = key
    yield str(change)


def changes(of: dict[str, list[Json]]) -> list[Any]:
    """Give the changes of each object, named for people."""
    return [
        pytest.param(obj, change, id=f"{name} {'.'.join(words(change))}")
        for obj in OBJECTS
        for name in [f"{obj['kind']} {obj['metadata']['name']}"]
        for change in of.get(name, ())
    ]


@pytest.mark.parametrize(("obj", "change"), changes(UPDATES))
def test_object_is_changed_alike(servers: tuple[Server, Server], obj: Json, change: Json) -> None:
    own = renamed(obj)
    ours, real = (changed(server, own, change) for server in servers)
    assert ours == real


@pytest.mark.parametrize(("obj", "change"), changes(STATUSES))
def test_status_is_changed_alike(servers: tuple[Server, Server], obj: Json, change: Json) -> None:
    own = renamed(obj)
    ours, real = (changed(server, own, {"status": change}, "/status") for server in servers)
    assert ours == real


def renamed(obj: Json) -> Json:
    """Give an object a name of its own: the last one of its name may be going yet."""
    name = f"{obj['metadata']['name']}-{next(numbers)}"
    return obj | {"metadata": obj["metadata"] | {"name": name}}


def changed(server: Server, obj: Json, change: Json, part: str = "") -> dict[str, Any]:
    """Give what a change of a new object comes to, as far as nobody else writes it meanwhile.

    Values quoted in a refusal are left out: upstream quotes those of its Go source.
    """
    path = collection(server, obj)
    named = f"{path}/{obj['metadata']['name']}"
    server.post(path, obj).ok()
    answer = server.patch(named + part, change, MERGE_PATCH, dryRun="All")
    server.delete(named, gracePeriodSeconds=0)
    if answer.code != 200:
        first = answer.told.partition("\n")[0]
        return {"told": re.sub(r'Invalid value: [\[{"].*[\]}"]: ', "Invalid value: ", first)}
    leaves = flat(answer.body)
    return {at: leaf for at, leaf in leaves if not at.startswith((".status", ".spec.taints"))}
