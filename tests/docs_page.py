"""The code of a page of the docs, for tests that run it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)


def write_policies(page: str, folder: Path) -> dict[str, Path]:
    """Write each policy of a page to a file of its own, as its reader does; return them by name."""
    files = {}
    for code in BLOCK.findall((ROOT / page).read_text()):
        name = CLASS.findall(code)[-1]
        files[name] = folder / f"{name.lower()}.py"
        files[name].write_text(code)
    return files
