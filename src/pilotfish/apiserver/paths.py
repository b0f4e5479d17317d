"""What a request's path names."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

# Parts of a namespace itself; everything else below /namespaces/NAME/ is another resource.
_OF_NAMESPACES = frozenset({"status", "finalize"})


class ResourcePath(msgspec.Struct, frozen=True):
    """A path to a resource, whether or not it is served.

    Attributes:
        parts: how many segments there are beside group, version and namespace: 0 for a group
            version, 1 for a collection, 2 for an object, 3 for a part of one; more are unknown.
        is_watch: the path is of the old form /api/v1/watch/...
    """

    group: str
    version: str
    namespace: str = ""
    plural: str = ""
    name: str = ""
    subresource: str = ""
    parts: int = 0
    is_watch: bool = False


def split_target(target: str) -> tuple[str, str]:
    """Split a request target into its decoded path and its query."""
    path, _, query = target.partition("?")
    if not path.startswith("/") and "://" in path:  # a whole URL, as proxies are asked
        path = "/" + path.partition("://")[2].partition("/")[2]
    if "%" in path:
        path = unquote(path)
    return path, query


def parse_path(path: str) -> ResourcePath | None:
    """Read a decoded path; None where it names no resource and no group version.

    Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
    """
    segments = path.split("/")
    if segments[-1] == "":
        del segments[-1]  # a slash at the end says nothing
    match segments:
        case ["", "api", version, *rest]:
            group = ""
        case ["", "apis", group, version, *rest] if group:
            pass
        case _:
            return None
    is_watch = rest[:1] == ["watch"] and len(rest) > 1
    if is_watch:
        del rest[0]
    namespace = ""
    if len(rest) > 1 and rest[0] == "namespaces":
        namespace = rest[1]
        if rest[2:] and rest[2] not in _OF_NAMESPACES:
            del rest[:2]
    parts = len(rest)
    plural, name, subresource = (*rest, "", "", "")[:3]
    if "" in rest:
        parts = 4  # an empty segment in the middle: nothing is there
    return ResourcePath(group, version, namespace, plural, name, subresource, parts, is_watch)
