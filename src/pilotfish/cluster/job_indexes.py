"""The indexes of a Job that have succeeded, as its status writes them: `0-2,5`.

Source: kubernetes v1.36 pkg/controller/job/indexed_job_utils.go and, for what is wrong with them,
    pkg/apis/batch/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from pilotfish.cluster.errors import quote

SHORTEST_RUN: Final = 3  # consecutive indexes that are written as a run
ENDS_OF_A_RUN: Final = 2
NUMBER: Final = re.compile(r"\+?[0-9]{1,18}")


def read_indexes(text: str) -> set[int]:
    """Read `0-2,5`."""
    indexes: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        indexes.update(range(int(first), int(last or first) + 1))
    return indexes


def write_indexes(indexes: Iterable[int]) -> str:
    """Write `0-2,5`: runs of three and more are joined by a dash, shorter ones by commas."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) >= SHORTEST_RUN else ",".join(map(str, run))
        for run in runs
    )


def wrong_indexes(text: str, completions: int) -> str:
    """Say what is wrong with the indexes of a Job of so many completions; empty if nothing is."""
    previous = -1
    for part in text.split(",") if text else ():
        ends = part.split("-")
        if len(ends) > ENDS_OF_A_RUN:
            rule = "an index interval can have at most two parts separated by '-'"
            return f"the fragment {quote(part)} violates the requirement that {rule}"
        for end in ends:
            if not NUMBER.fullmatch(end):
                return f"cannot convert string to integer for index: {quote(end)}"
            if int(end) >= completions:
                return f"too large index: {quote(end)}"
        run = [int(end) for end in ends]
        for before, index in (*pairwise(run), (previous, run[0])):
            if before >= index:
                return f"non-increasing order, previous: {before}, current: {index}"
        previous = run[-1]
    return ""
