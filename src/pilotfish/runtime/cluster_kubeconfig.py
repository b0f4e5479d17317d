"""The kubeconfig of a cluster that runs here: a file of its own, or entries in the user's."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from pilotfish.runtime.trouble import StartError

NAME: Final = "pilotfish"  # of our cluster, user and context
MODE: Final = 0o600  # it holds the admin's token

_LISTS: Final = ("clusters", "users", "contexts")


class Access(msgspec.Struct, frozen=True):
    """How the admin reaches a server."""

    server: str
    authority: bytes
    token: str

    def __repr__(self) -> str:
        return f"Access({self.server!r})"

    def entries(self) -> dict[str, Any]:
        """Return what a kubeconfig says about this server."""
        authority = base64.b64encode(self.authority).decode()
        return {
            "clusters": {"server": self.server, "certificate-authority-data": authority},
            "users": {"token": self.token},
            "contexts": {"cluster": NAME, "user": NAME},
        }


def default_path(env: Mapping[str, str]) -> Path:
    """Return where the kubeconfig goes if nobody says where."""
    return Path(env.get("HOME") or "/") / ".kube" / "pilotfish.kubeconfig"


def user_path(env: Mapping[str, str]) -> Path:
    """Return the user's own kubeconfig, as kubectl finds it to write to it."""
    listed = [part for part in env.get("KUBECONFIG", "").split(":") if part]
    return Path(listed[0]) if listed else Path(env.get("HOME") or "/") / ".kube" / "config"


def write_kubeconfig(path: Path, access: Access) -> None:
    """Write a kubeconfig with this server alone.

    Raises:
        StartError: the file is there and is somebody else's.
    """
    there = _read(path)
    if any(entry["name"] != NAME for entry in there.get("contexts") or ()):
        raise StartError(
            f"{path} is a kubeconfig with other contexts",
            hint="name another file with --kubeconfig, or add a context with --merge-kubeconfig",
        )
    _write(path, _with_entries({}, access))


def merge_kubeconfig(path: Path, access: Access) -> str:
    """Add this server to a kubeconfig and make it the current one; the rest stays.

    Returns:
        The context that was the current one.

    Raises:
        StartError: the file is no kubeconfig, or has something else of our name.
    """
    config = _read(path)
    if len({NAME in _by_name(config, kind) for kind in _LISTS}) > 1:
        raise StartError(
            f"{path} has an entry {NAME!r} that is no cluster of ours",
            hint="rename it, or leave out --merge-kubeconfig",
        )
    _write(path, _with_entries(config, access))
    return str(config.get("current-context") or "")


def remove_kubeconfig(path: Path, server: str) -> None:
    """Remove the file of `write_kubeconfig`, unless another run has taken it over."""
    if _config_with(path, server) is not None:
        path.unlink(missing_ok=True)


def forget_server(path: Path, server: str, previous: str) -> None:
    """Take a server out of a kubeconfig again, unless another run has taken its place.

    Args:
        path: the kubeconfig.
        server: our URL.
        previous: the context that becomes the current one where ours still is.
    """
    config = _config_with(path, server)
    if config is None:
        return
    for kind in _LISTS:
        config[kind] = [entry for entry in config.get(kind) or () if entry["name"] != NAME]
    if config.get("current-context") == NAME:
        names = _by_name(config, "contexts")
        config["current-context"] = previous if previous in names else next(iter(names), "")
    _write(path, config)


def _with_entries(config: dict[str, Any], access: Access) -> dict[str, Any]:
    config = {"apiVersion": "v1", "kind": "Config", "preferences": {}} | config
    for kind, content in access.entries().items():
        others = [entry for entry in config.get(kind) or () if entry["name"] != NAME]
        config[kind] = [*others, {"name": NAME, kind.removesuffix("s"): content}]
    config["current-context"] = NAME
    return config


def _config_with(path: Path, server: str) -> dict[str, Any] | None:
    """Return a kubeconfig whose entry of ours is this server; None for another, or none."""
    try:
        config = _read(path)
    except StartError:
        return None
    ours = _by_name(config, "clusters").get(NAME, {})
    return config if (ours.get("cluster") or {}).get("server") == server else None


def _by_name(config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {entry["name"]: entry for entry in config.get(kind) or ()}


def _read(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        words = " ".join(str(error).split())
        raise StartError(f"{path} cannot be read: {words}", hint="name another file") from error
    if config is None:
        return {}
    if not isinstance(config, dict) or not all(_is_named(config.get(kind)) for kind in _LISTS):
        raise StartError(f"{path} is no kubeconfig", hint="name another file")
    return config


def _is_named(entries: Any) -> bool:
    return entries is None or (
        isinstance(entries, list)
        and all(isinstance(entry, dict) and "name" in entry for entry in entries)
    )


def _write(path: Path, config: Mapping[str, Any]) -> None:
    """Replace a file at once, so that nobody reads half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        with os.fdopen(descriptor, "w") as file:
            yaml.safe_dump(config, file, sort_keys=False)
        draft.replace(path)
    except OSError as error:
        raise StartError(
            f"{path} cannot be written: {error.strerror}", hint="name another with --kubeconfig"
        ) from error
