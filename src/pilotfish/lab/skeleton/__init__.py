"""The files that the lab starts from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from pilotfish.runtime.trouble import StartError

FILES: Final = (
    "scheduler.py",
    "requirements.txt",
    "Dockerfile",
    "rbac-deploy.yaml",
    "test-pod.yaml",
    "cluster.yaml",
    "README.md",
)


def write_skeleton(folder: Path) -> list[Path]:
    """Write the files; returns their paths.

    Raises:
        StartError: one of them is there already.
    """
    paths = [folder / name for name in FILES]
    there = [path.name for path in paths if path.exists()]
    if there:
        raise StartError(
            f"{folder} has {', '.join(there)} already",
            hint="name another folder; nothing was written",
        )
    folder.mkdir(parents=True, exist_ok=True)
    template = files("pilotfish.lab.skeleton")
    for path in paths:
        path.write_bytes(template.joinpath(f"{path.name}.txt").read_bytes())
    return paths
