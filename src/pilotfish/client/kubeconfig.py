"""Kubeconfig files: reading, merging, picking a context.

Source: client-go v0.36 tools/clientcmd/{loader,merge,validation}.go.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
import yaml

from pilotfish.client.errors import ConfigError

# The C loader is ten times faster where there is one.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

T = TypeVar("T")


class _Kebab(msgspec.Struct, frozen=True, rename="kebab"):
    """A part of the file; its repr is its type, since many parts hold secrets."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Extension(_Kebab, frozen=True):
    """A named extension of a cluster."""

    name: str
    extension: Any = None


class Cluster(_Kebab, frozen=True):
    """Where a server is and how it is verified."""

    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""
    extensions: list[Extension] | None = None


class ExecVariable(_Kebab, frozen=True):
    """One environment variable of an exec plugin."""

    name: str
    value: str = ""


class Exec(_Kebab, frozen=True, rename="camel"):
    """How to run an exec plugin."""

    command: str = ""
    args: list[str] | None = None
    env: list[ExecVariable] | None = None
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class User(_Kebab, frozen=True):
    """Who we are, in one of several ways."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    exec: Exec | None = None
    auth_provider: Any = None
    impersonate: Any = msgspec.field(default=None, name="as")
    as_uid: Any = None
    as_groups: Any = None
    as_user_extra: Any = None


class Context(_Kebab, frozen=True):
    """A cluster, a user and a namespace, by name."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class NamedCluster(_Kebab, frozen=True):
    """An entry of `clusters`."""

    name: str
    cluster: Cluster


class NamedUser(_Kebab, frozen=True):
    """An entry of `users`."""

    name: str
    user: User


class NamedContext(_Kebab, frozen=True):
    """An entry of `contexts`."""

    name: str
    context: Context


class Kubeconfig(_Kebab, frozen=True):
    """One file."""

    clusters: list[NamedCluster] | None = None
    users: list[NamedUser] | None = None
    contexts: list[NamedContext] | None = None
    current_context: str = ""


def read_kubeconfig(path: Path) -> Kubeconfig:
    """Read one file.

    Raises:
        ConfigError: it cannot be read, is no YAML, or a field is of the wrong type.
    """
    try:
        tree = _Loader(path.read_bytes()).get_single_data()
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}", hint="check the path and its mode"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # Not str(error), and no cause: both quote the line, which may be a token.
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f", line {line + 1}"
        problem = getattr(error, "problem", None) or "not text"
        raise ConfigError(
            f"{path}{where}: it is no YAML: {problem}", hint="check its indentation and quotes"
        ) from None
    try:
        return msgspec.convert(tree or {}, Kubeconfig)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{path}: {error}", hint="a number or a date that is meant as text needs quotes"
        ) from error


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that a context names, and the file that each stands in."""

    source: str
    namespace: str
    cluster_name: str
    cluster_file: Path
    cluster: Cluster
    user_name: str
    user_file: Path
    user: User


def select_context(paths: Iterable[Path], context: str | None) -> Selection:
    """Merge files and pick a context; None picks the first file's that has a current-context.

    The first file that names a cluster, user or context wins all of it.

    Raises:
        ConfigError: a file cannot be read, or something that is named is not there.
    """
    files = {path: read_kubeconfig(path) for path in paths}
    label = ":".join(map(str, files))
    name = context or next((f.current_context for f in files.values() if f.current_context), "")
    contexts = [(p, c.name, c.context) for p, f in files.items() for c in f.contexts or ()]
    clusters = [(p, c.name, c.cluster) for p, f in files.items() for c in f.clusters or ()]
    users = [(p, u.name, u.user) for p, f in files.items() for u in f.users or ()]
    if not name:
        raise ConfigError(
            f"{label}: current-context is not set", hint=_one_of("choose a context", contexts)
        )
    context_file, wanted = _first(contexts, name) or _missing(label, "contexts", name, contexts)
    where = f"{context_file}: context {name!r}"
    cluster_file, cluster = _first(clusters, wanted.cluster) or _missing(
        where, "clusters", wanted.cluster, clusters
    )
    user_file, user = context_file, User()
    if wanted.user:
        user_file, user = _first(users, wanted.user) or _missing(where, "users", wanted.user, users)
    return Selection(
        source=f"{context_file}, context {name!r}",
        namespace=wanted.namespace or "default",
        cluster_name=wanted.cluster,
        cluster_file=cluster_file,
        cluster=cluster,
        user_name=wanted.user,
        user_file=user_file,
        user=user,
    )


def _first(entries: list[tuple[Path, str, T]], name: str) -> tuple[Path, T] | None:
    return next(((path, value) for path, each, value in entries if each == name), None)


def _missing(where: str, kind: str, name: str, entries: list[tuple[Path, str, T]]) -> NoReturn:
    raise ConfigError(
        f"{where}: {kind} has no entry named {name!r}", hint=_one_of("choose one", entries)
    )


def _one_of(advice: str, entries: list[tuple[Path, str, T]]) -> str:
    names = ", ".join(dict.fromkeys(name for _, name, _ in entries)) or "none"
    return f"{advice}; there are: {names}"
