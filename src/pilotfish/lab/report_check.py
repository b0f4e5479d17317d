"""What a program can say of the one-page report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

UNANSWERED: Final = re.compile(r"^\*[^*]+\?\*$", re.MULTILINE)  # as the template asks
PAGE_WORDS: Final = 700
TOPICS: Final = {
    "node selection": ("node selection", "choose", "chooses", "select"),
    "policy": ("policy", "filter", "score"),
    "polling against watch": ("polling",),
    "figures": (" ms", "seconds", "requests"),
}


def check_report(path: Path | None) -> str:
    """Say whether a report is there, is a page long, and speaks of what it should."""
    if path is None:
        return "no --report FILE was named"
    try:
        text = path.read_text(encoding="utf-8", errors="replace").lower()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    remarks = []
    unfilled = len(UNANSWERED.findall(text))
    if unfilled:
        remarks.append(f"{unfilled} questions of the template are not answered")
    missing = [name for name, words in TOPICS.items() if not any(word in text for word in words)]
    if missing:
        remarks.append(f"nothing about {', '.join(missing)}")
    words = sum(len(line.split()) for line in text.splitlines() if not line.startswith("|"))
    if words > PAGE_WORDS:
        remarks.append(f"{words} words beside the tables are more than a page")
    return "; ".join(remarks) or "there, a page long, and about all that it should be about"
