"""The manifests that people get: where they are, and what is in them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from controlplane.binaries import binary, missing_binaries

ROOT = Path(__file__).parent.parent
OVERLAYS = ("base", "overlays/kind", "overlays/kind-poll", "overlays/kind-watch", "overlays/ha")


def load(path: Path) -> list[dict[str, Any]]:
    """Read all documents of a file."""
    return [one for one in yaml.safe_load_all(path.read_text()) if one is not None]


def rules() -> list[dict[str, Any]]:
    """Return the rules of the ClusterRole in deploy/."""
    (role,) = load(ROOT / "deploy/base/clusterrole.yaml")
    found: list[dict[str, Any]] = role["rules"]
    return found


def kubectl() -> str | None:
    """Return a kubectl that can render; None where there is none."""
    return shutil.which("kubectl") if "kubectl" in missing_binaries() else str(binary("kubectl"))


def rendered(overlay: str) -> list[dict[str, Any]]:
    """Return what `kubectl apply -k` would apply."""
    command = [kubectl() or "kubectl", "kustomize", str(ROOT / "deploy" / overlay)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(done.stdout))
