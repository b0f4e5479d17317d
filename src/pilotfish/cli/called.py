"""How this program was called, for commands that a person is to type next."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def as_called() -> str:
    """Return the words that call pilotfish from here."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{_from_here(Path(sys.executable))} -m pilotfish"
    return _from_here(program)


def _from_here(program: Path) -> str:
    """Return a program's name where the shell finds it by that, or else its path."""
    found = shutil.which(program.name)
    return program.name if found and program.samefile(found) else str(program)
