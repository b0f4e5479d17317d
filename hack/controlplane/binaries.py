"""Where the control plane's binaries are."""

import os
import shutil
from pathlib import Path

BINARIES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
)
CHECKOUT = Path(__file__).resolve().parents[2]


def binary_folder() -> Path:
    """Return the folder that `make controlplane` fills, or the one PILOTFISH_CONTROLPLANE names."""
    override = os.environ.get("PILOTFISH_CONTROLPLANE")
    return Path(override) if override else CHECKOUT / ".controlplane" / "bin"


def binary(name: str) -> str:
    """Return the path of one binary.

    Raises:
        FileNotFoundError: it is not there, or may not be executed.
    """
    found = shutil.which(name, path=str(binary_folder()))
    if found is None:
        raise FileNotFoundError(f"{name} is not in {binary_folder()}: run `make controlplane`")
    return found


def missing_binaries() -> list[str]:
    """Return the names of the binaries that are not there; none means a ControlPlane can start."""
    folder = str(binary_folder())
    return [name for name in BINARIES if shutil.which(name, path=folder) is None]
