"""Writes kubeconfig files for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def kubeconfig(
    path: Path,
    *,
    name: str = "lab",
    cluster: Mapping[str, Any] | None = None,
    user: Mapping[str, Any] | None = None,
    namespace: str = "",
    current: str | None = None,
) -> Path:
    """Write a file with one context, whose cluster, user and context share a name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    context = {"cluster": name, "user": name, "namespace": namespace}
    tree = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": "https://api:6443", **(cluster or {})}}],
        "users": [{"name": name, "user": dict(user or {})}],
        "contexts": [{"name": name, "context": context}],
        "current-context": name if current is None else current,
    }
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path
