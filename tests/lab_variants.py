"""The lab's solution with one defect each, as groups have handed them in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

SOLUTION: Final = Path(__file__).parent.parent / "examples" / "lab" / "scheduler.py"
VARIANTS: Final[dict[int, list[dict[str, str]]]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text()
)


def write_variant(path: Path, defect: int) -> None:
    """Write the solution with one defect.

    Raises:
        ValueError: the solution has changed, so that the defect cannot be put in.
    """
    text = SOLUTION.read_text()
    for change in VARIANTS[defect]:
        if text.count(change["replace"]) != 1:
            raise ValueError(f"defect {defect}: {change['replace']!r} is not once in the solution")
        text = text.replace(change["replace"], change["by"])
    path.write_text(text)
