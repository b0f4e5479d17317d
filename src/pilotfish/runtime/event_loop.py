"""The event loop of a process: which one it is, how signals end it, what went wrong in it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable

LOOP_FACTORY: Callable[[], asyncio.AbstractEventLoop] | None = None
try:
    import uvloop
except ImportError:
    pass
else:
    LOOP_FACTORY = uvloop.new_event_loop  # a fifth less time for each request

STOPPED_AT_ONCE = 1  # the exit code after a second signal


def first_cause(error: BaseException) -> BaseException:
    """Return what is wrong, out of the groups of the tasks on its way."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end a process in order, SIGHUP unless `nohup` has it ignored."""
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGTERM, *(() if is_ignored else (signal.SIGHUP,)))


def end_on_signals(stopping: asyncio.Event) -> None:
    """Set `stopping` on the first signal, and end at once on a second one."""

    def on_signal() -> None:
        if stopping.is_set():
            logging.shutdown()
            sys.stderr.write("error: a second signal: ended at once\n")
            sys.stderr.flush()
            os._exit(STOPPED_AT_ONCE)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (*ending_signals(), signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
