"""Files of objects: what `--load` reads and `--save` writes, and the settings of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from pilotfish.apiserver.json_text import MalformedTextError, decode_json
from pilotfish.apiserver.yaml_text import decode_yaml
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import ResourceTable
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.cluster.store import Store
from pilotfish.runtime.private_files import check_place, replace_file
from pilotfish.runtime.trouble import StartError

_SUFFIXES: Final = (".yaml", ".yml", ".json")


def read_settings(path: Path) -> ClusterSettings:
    """Read a cluster.yaml.

    Raises:
        StartError: it says something that is not understood, and where.
    """
    documents = _read(path)
    if documents[1:]:
        hint = "leave one of those that `---` separates"
        raise StartError(f"{path}: one document is expected, not {len(documents)}", hint=hint)
    content = documents[0] if documents else {}
    try:
        settings = msgspec.convert(content, ClusterSettings)
    except (msgspec.ValidationError, ValueError) as error:
        where, what = _path_and_problem(str(error))
        hint = "`pilotfish cluster --help` shows an example"
        raise StartError(
            f"{path}: {where}: {what}" if where else f"{path}: {what}", hint=hint
        ) from error
    if "rootCa" in content:
        raise StartError(f"{path}: rootCa: each start makes its own", hint="leave it out")
    if "seed" in (content.get("kubelet") or {}):
        raise StartError(f"{path}: kubelet.seed: the seed is an option", hint="say --seed N")
    return settings


def read_objects(paths: Iterable[Path]) -> list[JsonObject]:
    """Read all objects of files, and of the files of folders; lists are taken apart.

    Raises:
        StartError: a file cannot be read, or holds something that is no object.
    """
    return [obj for path in _files(paths) for obj in _objects(path)]


def check_savable(path: Path) -> None:
    """See that objects could be written there.

    Raises:
        StartError: they could not.
    """
    try:
        check_place(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def write_objects(path: Path, store: Store, table: ResourceTable) -> int:
    """Write all objects as one List, which `--load` and kubectl read; return how many."""
    items = [
        stored.decode(resource)
        for resource in _stored_once(table)
        for stored in store.list(resource.storage).items
    ]
    content = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}
    try:
        replace_file(path, msgspec.json.format(msgspec.json.encode(content), indent=2))
    except OSError as error:
        raise _unwritable(path, error) from error
    return len(items)


def _unwritable(path: Path, error: OSError) -> StartError:
    hint = "name another file with --save"
    return StartError(f"{path} cannot be written: {error.strerror}", hint=hint)


def _stored_once(table: ResourceTable) -> Iterator[Any]:
    """Yield the resources that have objects, of several views the first."""
    seen = {""}
    for resource in table:
        if resource.storage not in seen:
            seen.add(resource.storage)
            yield resource


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
        else:
            yield path


def _objects(path: Path) -> Iterator[JsonObject]:
    pending: list[tuple[str, Any]] = [
        (f"document {number}", document) for number, document in enumerate(_read(path), 1)
    ]
    for where, obj in pending:
        if not _is_object(obj):
            hint = "an object says its kind and apiVersion"
            raise StartError(f"{path}: {where} is no Kubernetes object", hint=hint)
        if not obj["kind"].endswith("List"):
            yield obj
            continue
        kind, version = obj["kind"].removesuffix("List"), obj["apiVersion"]
        says = {"kind": kind, "apiVersion": version} if kind else {}
        items = obj.get("items") or []
        if not isinstance(items, list):
            raise StartError(
                f"{path}: {where}: items is no list", hint="a list has its items there"
            )
        for number, item in enumerate(items):
            whole = says | item if isinstance(item, dict) else item
            pending.append((f"{where}, items[{number}]", whole))


def _is_object(obj: Any) -> bool:
    return isinstance(obj, dict) and all(
        obj.get(field) and isinstance(obj[field], str) for field in ("kind", "apiVersion")
    )


def _read(path: Path) -> Sequence[Any]:
    try:
        raw = path.read_bytes()
        return [decode_json(raw)] if raw.lstrip()[:1] == b"{" else decode_yaml(raw)
    except OSError as error:
        hint = "check the path and its permissions"
        raise StartError(f"{path}: {error.strerror}", hint=hint) from error
    except MalformedTextError as error:
        raise StartError(f"{path}: {error}", hint="YAML or JSON is expected") from error


def _path_and_problem(message: str) -> tuple[str, str]:
    """Take msgspec's message apart: `Expected `int`, got `str` - at `$.a[0].b``."""
    problem, _, where = message.partition(" - at `$")
    return where.rstrip("`").removeprefix("."), problem[:1].lower() + problem[1:]
