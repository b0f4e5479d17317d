"""What a scheduling cycle costs, measured quickly; `make bench-cycle` measures it well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CYCLE = Path(__file__).parents[2] / "bench" / "cycle.py"


@pytest.mark.timeout(900)
def test_cycles_preemptions_and_memory_stay_within_their_limits() -> None:
    """In CPU time relative to a loop measured in between, so that a busy machine does not count."""
    done = subprocess.run(
        [sys.executable, CYCLE, "--quick"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
