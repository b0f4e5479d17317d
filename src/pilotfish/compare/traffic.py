"""Traffic: what a scheduler asks of the API server, counted by verb and resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from pilotfish.apiserver.paths import parse_path

OBJECT: Final = 2  # parts of the path of one object
VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}
TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})  # as Go reads a boolean


class Traffic:
    """Requests and bytes.

    Attributes:
        requests: how many, by verb and resource: "list pods", "create pods/binding".
        bytes_sent: by the scheduler, in bodies.
        bytes_received: by the scheduler, in bodies.
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.bytes_sent = 0
        self.bytes_received = 0


def request_of(method: str, path: str, query: Mapping[str, str]) -> str:
    """Name a request by verb and resource, as an audit log does; others by method and path.

    Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
    """
    target = parse_path(path)
    if target is None or not target.plural:
        return f"{method.lower()} {path}"
    resource = target.plural + (f"/{target.subresource}" if target.subresource else "")
    is_one = target.parts >= OBJECT
    match method:
        case "GET" if target.is_watch or query.get("watch") in TRUE:
            verb = "watch"
        case "GET":
            verb = "get" if is_one else "list"
        case "DELETE":
            verb = "delete" if is_one else "deletecollection"
        case _:
            verb = VERBS.get(method, method.lower())
    return f"{verb} {resource}"
