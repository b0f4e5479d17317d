"""Lets the Python clients of Kubernetes find the ServiceAccount of a pod that is a mere process.

They read fixed paths under /var/run/secrets, which only root could make. Their module variables
are set to the folder named by PILOTFISH_SERVICE_ACCOUNT once they are imported. Python runs this
file at its start; one of the same name that it hides is run after it.
"""

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = os.environ.get("PILOTFISH_SERVICE_ACCOUNT", "")
CLIENTS = ("kubernetes.config.incluster_config", "kubernetes_asyncio.config.incluster_config")


class Redirect:
    """Finds the modules of the clients as usual, and sets their paths once they are executed."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> "ModuleSpec | None":
        """Answer the import system."""
        spec = PathFinder.find_spec(name, path, target) if name in CLIENTS else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            vars(module)["SERVICE_TOKEN_FILENAME"] = str(Path(FOLDER) / "token")
            vars(module)["SERVICE_CERT_FILENAME"] = str(Path(FOLDER) / "ca.crt")

        vars(spec.loader)["exec_module"] = exec_module
        return spec


def run_hidden() -> None:
    """Run the sitecustomize that this one hides."""
    here = Path(__file__).parent
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != here.resolve()]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if FOLDER:
    sys.meta_path.insert(0, Redirect)
run_hidden()
