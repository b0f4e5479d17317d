"""Logs: the one place where logging is set up."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

LOGGER = "pilotfish"
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

_encode = msgspec.json.Encoder(enc_hook=str).encode


class _TextFormatter(logging.Formatter):
    """The message alone, as scripts grep for it; what is worse than information says so."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname.lower()}: {text}"


class _JsonFormatter(logging.Formatter):
    """One object a line: time, level, message, and the fields given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line.update((k, v) for k, v in vars(record).items() if k not in _OWN_FIELDS)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _encode(line).decode()


class _BatchingHandler(logging.Handler):
    """Writes the lines of one turn of the event loop together: a system call for each is dear."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line until the end of this turn; write it at once where no loop runs."""
        self._lines.append(self.format(record))
        if len(self._lines) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        if not self._lines:
            return
        text = "\n".join((*self._lines, ""))
        self._lines.clear()
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            self._end()

    def _end(self) -> None:
        """Nobody reads any more: end as if told to; what is still said goes nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        signal.raise_signal(signal.SIGTERM)


def configure_logs(format_: Literal["text", "json"], level: str, stream: TextIO) -> logging.Logger:
    """Send pilotfish's log, and the libraries' warnings, to a stream.

    Args:
        format_: "text" writes bare messages.
        level: "debug", "info", "warning" or "error".
        stream: no line waits in its buffer for longer than a turn of the event loop.
    """
    handler = _BatchingHandler(stream)
    handler.setFormatter(_JsonFormatter() if format_ == "json" else _TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # What nobody reads need not be found out for every line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    log = logging.getLogger(LOGGER)
    log.setLevel(level.upper())
    return log
