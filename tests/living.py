"""Whether processes live, which are no children of ours."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from controlplane import wait_until


def lives(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_the_end(*pids: int) -> None:
    """Wait until none of these lives: one that was killed ends when its turn comes."""
    wait_until(lambda: not any(map(lives, pids)), f"the end of {pids}")


def family(pid: int) -> Sequence[int]:
    """Return a process's descendants."""
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]
