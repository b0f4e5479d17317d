"""The official Python client, in an environment of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

CLIENT: Final = Path(__file__).parent.parent / ".clients" / "kubernetes-29"


def client_python() -> Path:
    """Return the Python that has it, or skip the test that asks; in CI fail."""
    python = CLIENT / "bin" / "python"
    if not python.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("the official client is missing: run `make clients`")
        pytest.skip("needs the official client, which `make clients` installs")
    return python
