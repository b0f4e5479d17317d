"""Inbox: what happened since the scheduler last looked."""

from __future__ import annotations

import asyncio

from pilotfish.core.inputs import Input


class Inbox:
    """Collects inputs and hands them over all at once.

    It has no bound: news that were dropped would have to be listed again, and the shell empties it
    before every slice of decisions.
    """

    def __init__(self) -> None:
        self._inputs: list[Input] = []
        self._wakened = asyncio.Event()

    def __len__(self) -> int:
        return len(self._inputs)

    def put(self, news: Input) -> None:
        """Add an input."""
        self._inputs.append(news)
        self._wakened.set()

    def wake(self) -> None:
        """End the wait in `take`, even without an input."""
        self._wakened.set()

    async def take(self, *, wait: bool) -> list[Input]:
        """Return all inputs in order; with `wait`, first wait for an input or a `wake`."""
        if wait:
            await self._wakened.wait()
        self._wakened.clear()
        inputs, self._inputs = self._inputs, []
        return inputs
