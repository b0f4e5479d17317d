"""Notices: what people are told about the world around the scheduler, without repeating it."""

from __future__ import annotations

import logging

from pilotfish.client import ClientError
from pilotfish.runtime.requests import describe

REMIND_SECONDS = 30.0  # a server that stays away is mentioned again after this long


class Notices:
    """Says each thing once.

    Args:
        log: where to.
        debug: whether unexpected errors come with their traceback.
    """

    def __init__(self, log: logging.Logger, *, debug: bool = False) -> None:
        self._log = log
        self._debug = debug
        self._said: set[str] = set()

    def once(self, topic: str, message: str, *, hint: str = "") -> None:
        """Warn, unless something was said on this topic already."""
        if topic not in self._said:
            self._said.add(topic)
            self._log.warning("%s%s", message, f"; {hint}" if hint else "")

    def bug(self, error: BaseException) -> None:
        """Report an error that nobody expected; the scheduler goes on."""
        self._log.error(
            "unexpected %s: %s",
            type(error).__name__,
            error,
            exc_info=error if self._debug else None,
        )


class Connection:
    """Tells when the API server goes away and when it is back.

    Args:
        log: where to.
        server: its URL.
    """

    def __init__(self, log: logging.Logger, server: str) -> None:
        self._log = log
        self._server = server
        self._said_at: float | None = None  # None while it answers
        self.was_lost_at = float("-inf")

    def lost(self, error: ClientError, now: float) -> None:
        """Take note of a request that failed; says so at the first, and from time to time."""
        self.was_lost_at = now
        if self._said_at is None or now - self._said_at >= REMIND_SECONDS:
            self._said_at = now
            self._log.warning("waiting for the API server at %s: %s", self._server, describe(error))

    def regained(self) -> None:
        """Take note of an answer."""
        if self._said_at is not None:
            self._said_at = None
            self._log.info("the API server at %s answers again", self._server)
