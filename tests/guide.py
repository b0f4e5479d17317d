"""The lab's guide as a test reads it: its commands in their order, and what is shown below them.

Behind the word `sh` a block says whom it is for, `embedded`, `kind` or both, and `fails` where its
command is to fail. The block of text after it is what it prints: `...` in a line is anything, and a
line of it alone any lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

GUIDE: Final = Path(__file__).parent.parent / "docs" / "lab"
PAGES: Final = (
    "README.md",
    "1-observe.md",
    "2-polling.md",
    "3-deploy.md",
    "4-watch.md",
    "5-policies.md",
    "6-measure.md",
)
_BLOCK: Final = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """Commands, and what they print; empty where nothing is shown."""

    place: str
    marks: frozenset[str]
    commands: str
    shown: str


def blocks(mark: str) -> Iterator[Block]:
    """Return the blocks of commands that have a mark, in the order of the guide."""
    for page in PAGES:
        text = (GUIDE / page).read_text(encoding="utf-8")
        found = list(_BLOCK.finditer(text))
        for match, after in zip(found, [*found[1:], None], strict=True):
            language, marks, commands = match.groups()
            if language != "sh" or mark not in marks.split():
                continue
            shown = after[3] if after is not None and after[1] == "text" else ""
            line = text.count("\n", 0, match.start()) + 1
            yield Block(f"docs/lab/{page}:{line}", frozenset(marks.split()), commands, shown)


def differs(printed: str, shown: str) -> str:
    """Return the first line that is shown and was not printed there; empty if there is none."""
    lines = iter(printed.splitlines())
    anywhere = False
    for wanted in shown.splitlines():
        if wanted.strip() == "...":
            anywhere = True
            continue
        line = next(lines, "")
        while anywhere and not _is(line, wanted):
            try:
                line = next(lines)
            except StopIteration:
                return wanted
        if not _is(line, wanted):
            return wanted
        anywhere = False
    return "" if anywhere else next(lines, "")


def _is(line: str, wanted: str) -> bool:
    """Compare, but for what `...` stands for and the width of columns."""
    parts = [re.escape(" ".join(part.split())) for part in wanted.split("...")]
    return re.fullmatch(" ?.*? ?".join(parts), " ".join(line.split())) is not None
