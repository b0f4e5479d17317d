"""What a scheduler says of itself in the lab's words: marked as such wherever it is shown."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_WORDS: Final = re.compile(
    r"(?P<cycle>Checking pending pods)|(?P<empty>No pending pods)"
    r"|(?P<detected>Detected Pending Pod|Pod added) (?P<pod>[^\s/]+/[^\s/]+)"
    r"|(?P<updated>Pod updated)"
)


class Heard:
    """Reads a scheduler's output line by line.

    Attributes:
        detected_at: when each pod was named first (the lab's t1), by namespace/name.
        detections: how often each pod was named.
        cycles: polling cycles.
        empty_cycles: those that found nothing to do.
        added: lines about pods that are new to a watch.
        updated: lines about pods that changed.
    """

    def __init__(self) -> None:
        self.detected_at: dict[str, float] = {}
        self.detections: Counter[str] = Counter()
        self.cycles = 0
        self.empty_cycles = 0
        self.added = 0
        self.updated = 0

    @property
    def spoke(self) -> bool:
        """Whether any of the words came."""
        return bool(self.cycles or self.detections)

    def line(self, text: str, now: float) -> None:
        """Take a line that came at `now`."""
        found = _WORDS.search(text)
        if found is None:
            return
        if found["cycle"]:
            self.cycles += 1
        elif found["empty"]:
            self.empty_cycles += 1
        elif found["updated"]:
            self.updated += 1
        else:
            self.added += found["detected"] == "Pod added"
            self.detections[found["pod"]] += 1
            self.detected_at.setdefault(found["pod"], now)
