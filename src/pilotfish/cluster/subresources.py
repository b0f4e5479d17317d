"""The parts of objects that are served at paths of their own.

Source: the discovery documents of kube-apiserver v1.36.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

CREATE: Final = ("create",)
CHANGES: Final = ("get", "patch", "update")


class Subresource(msgspec.Struct, frozen=True):
    """A part of an object with its own path; an empty kind means the object's own."""

    verbs: tuple[str, ...]
    kind: str = ""
    group: str = ""
    version: str = ""


SUBRESOURCES: Final[Mapping[str, Subresource]] = {
    "binding": Subresource(CREATE, "Binding"),
    "eviction": Subresource(CREATE, "Eviction", "policy", "v1"),
    "finalize": Subresource(("update",)),
    "log": Subresource(("get",)),
    "scale": Subresource(CHANGES, "Scale", "autoscaling", "v1"),
    "status": Subresource(CHANGES),
    "token": Subresource(CREATE, "TokenRequest", "authentication.k8s.io", "v1"),
}
