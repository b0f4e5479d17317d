"""Polling mode: full lists each interval, and one view for all decisions of a cycle."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.client import ApiClient, ClientError, Reflector, list_all
from pilotfish.client.pacing import Backoff
from pilotfish.core.inputs import Absent, Input, PollCycle
from pilotfish.runtime import words
from pilotfish.runtime.feed import Feed, Kind, reflector_of
from pilotfish.runtime.shell import Shell
from pilotfish.runtime.trouble import Triage, is_absent

FAST_KINDS = frozenset({"pods", "nodes", "persistentvolumes", "persistentvolumeclaims"})
BACKOFF_MAX_SECONDS = 5.0  # after failures; up to twice that with the spread
SLOW_KINDS_SECONDS = 30.0  # the other kinds are listed this often


@dataclass(slots=True)
class _Source:
    """One kind and when it is due."""

    kind: Kind
    feed: Feed
    reflector: Reflector[KubernetesObject]
    due_at: float = field(default=float("-inf"))


class Polling:
    """Lists, lets the shell decide, sleeps, for ever.

    Args:
        client: sends the requests.
        kinds: what the scheduler reads.
        scheduler_names: whose pods are ours.
        shell: decides.
        put: takes the inputs.
        log: where the words go.
        triage: decides about failures.
        rng: spreads pauses after failures.
        interval_seconds: the pause after each cycle, however long the cycle took.
    """

    def __init__(
        self,
        client: ApiClient,
        kinds: Sequence[Kind],
        scheduler_names: Container[str],
        shell: Shell,
        put: Callable[[Input], None],
        log: logging.Logger,
        triage: Triage,
        rng: random.Random,
        *,
        interval_seconds: float,
    ) -> None:
        self._client = client
        self._scheduler_names = scheduler_names
        self._shell = shell
        self._put = put
        self._log = log
        self._triage = triage
        self._interval_seconds = interval_seconds
        self._backoff = Backoff(rng, cap=BACKOFF_MAX_SECONDS)
        self._sources = [self._source(kind) for kind in kinds]

    def _source(self, kind: Kind) -> _Source:
        on_list = self._detect if kind.name == "pods" else None
        feed = Feed(kind, self._put, self._log, on_list=on_list)
        return _Source(kind, feed, reflector_of(kind))

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Poll until cancelled.

        Args:
            on_ready: called once, when every kind was listed.

        Raises:
            StartError: it cannot start.
        """
        clock = asyncio.get_running_loop().time
        is_first = True
        while True:
            try:
                await self._list(clock())
            except ClientError:
                await asyncio.sleep(self._backoff.next())
                continue
            self._backoff.reset()
            self._triage.answered()
            self._put(PollCycle())
            if is_first:
                is_first = False
                on_ready()
            await self._shell.settled()
            await asyncio.sleep(self._interval_seconds)

    async def _list(self, now: float) -> None:
        """List every kind that is due.

        Raises:
            ClientError: one of them could not be listed.
        """
        self._log.info(words.CHECKING)
        for source in self._sources:
            if source.due_at > now:
                continue
            source.reflector.restart()
            try:
                await list_all(self._client, source.kind.path, source.reflector, source.feed.take)
            except ClientError as error:
                self._triage.failed(source.kind, error)
                if not is_absent(source.kind, error):
                    raise
                self._put(Absent(source.kind.name))
            if source.kind.name not in FAST_KINDS:
                source.due_at = now + SLOW_KINDS_SECONDS

    def _detect(self, pods: Sequence[KubernetesObject]) -> None:
        """Say which pods of ours are pending."""
        found = False
        for pod in pods:
            if isinstance(pod, Pod) and self._is_ours_to_place(pod):
                found = True
                line = words.detected(pod.namespace, pod.name)
                self._log.info(line, extra={"pod": pod.key})
        if not found:
            self._log.info(words.NO_PENDING)

    def _is_ours_to_place(self, pod: Pod) -> bool:
        spec = pod.spec
        return (
            not spec.node_name
            and spec.scheduler_name in self._scheduler_names
            and not spec.scheduling_gates
            and not pod.is_terminating
            and not pod.is_terminal
        )
