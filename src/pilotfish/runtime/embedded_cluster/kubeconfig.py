"""The kubeconfig of a cluster that runs here: a file of its own, or entries in the user's."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from pilotfish.runtime.private_files import replace_file
from pilotfish.runtime.trouble import StartError

NAME: Final = "pilotfish"  # of our cluster, user and context

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
    """Return the user's own kubeconfig, as kubectl finds it to write to it.

    Source: kubernetes v1.36 k8s.io/client-go/tools/clientcmd/config.go, GetDefaultFilename.
    """
    listed = [Path(part) for part in env.get("KUBECONFIG", "").split(":") if part]
    if not listed:
        return Path(env.get("HOME") or "/") / ".kube" / "config"
    return next((path for path in listed if path.exists()), listed[-1])


def server_of(path: Path) -> str:
    """Return the URL of the cluster of ours that a kubeconfig leads to, if any."""
    try:
        cluster = _by_name(_read(path), "clusters").get(NAME, {}).get("cluster")
    except StartError:
        return ""
    return str(cluster.get("server") or "") if isinstance(cluster, dict) else ""


def write_kubeconfig(path: Path, access: Access) -> None:
    """Write a kubeconfig with this server alone.

    Raises:
        StartError: the file is there and is somebody else's.
    """
    there = _read(path)
    names = {name for kind in _LISTS for name in _by_name(there, kind)}
    if names - {NAME}:
        raise StartError(
            f"{path} is a kubeconfig with other contexts",
            hint="name another file with --kubeconfig, or add a context with --merge-kubeconfig",
        )
    if there and not names and there.get("kind") != "Config":
        raise StartError(f"{path} is no kubeconfig", hint="name another file with --kubeconfig")
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
    if server_of(path) == server:
        path.resolve().unlink(missing_ok=True)


def forget_server(path: Path, server: str, previous: str) -> None:
    """Take a server out of a kubeconfig again, unless another run has taken its place.

    Args:
        path: the kubeconfig.
        server: our URL.
        previous: the context that becomes the current one where ours still is.
    """
    if server_of(path) != server:
        return
    config = _read(path)
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


def _by_name(config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {entry["name"]: entry for entry in config.get(kind) or ()}


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise StartError(f"{path} is no regular file", hint="name another file")
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, yaml.safe_dump(config, sort_keys=False).encode())
    except OSError as error:
        raise StartError(
            f"{path} cannot be written: {error.strerror}", hint="name another with --kubeconfig"
        ) from error
