"""Interruption: commands that clean up end on SIGTERM and SIGHUP as on Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from pilotfish.runtime.event_loop import ending_signals

T = TypeVar("T")


def run_until_interrupted(playing: Coroutine[Any, Any, T]) -> T:
    """Run to the end.

    Raises:
        KeyboardInterrupt: Ctrl-C, SIGTERM or SIGHUP came, and all that was begun has been ended.
    """

    async def play() -> T:
        task = asyncio.create_task(playing)
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(play())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
