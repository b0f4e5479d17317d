"""Watch mode: one reflector a kind."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from pilotfish.api.meta import KubernetesObject
from pilotfish.client import ApiClient, ClientError, reflect
from pilotfish.core.inputs import Absent, Input
from pilotfish.runtime.feed import Feed, Kind, reflector_of
from pilotfish.runtime.trouble import Triage, is_absent


async def watch(
    client: ApiClient,
    kinds: Sequence[Kind],
    put: Callable[[Input], None],
    log: logging.Logger,
    triage: Triage,
    rng: random.Random,
    on_ready: Callable[[], None],
) -> None:
    """List and watch every kind until cancelled.

    Args:
        client: sends the requests.
        kinds: what the scheduler reads.
        put: takes the inputs.
        log: where malformed objects are reported.
        triage: decides about failures.
        rng: spreads pauses and the lengths of watches.
        on_ready: called once, when every kind was listed.

    Raises:
        StartError: it cannot start.
    """
    missing = {kind.name for kind in kinds}

    def ready(name: str) -> None:
        if missing:
            missing.discard(name)
            triage.answered()
            if not missing:
                on_ready()

    async with asyncio.TaskGroup() as tasks:
        for kind in kinds:
            tasks.create_task(_watch(client, kind, put, log, triage, rng, ready))


async def _watch(
    client: ApiClient,
    kind: Kind,
    put: Callable[[Input], None],
    log: logging.Logger,
    triage: Triage,
    rng: random.Random,
    ready: Callable[[str], None],
) -> None:
    was_listed = False

    def on_list(_: Sequence[KubernetesObject]) -> None:
        nonlocal was_listed
        was_listed = True
        ready(kind.name)

    def on_trouble(error: ClientError) -> None:
        if is_absent(kind, error):
            put(Absent(kind.name))
            ready(kind.name)
        triage.failed(kind, error, was_listed=was_listed)

    await reflect(
        client,
        kind.path,
        reflector_of(kind),
        Feed(kind, put, log, on_list=on_list).take,
        rng=rng,
        on_trouble=on_trouble,
        on_recovered=triage.answered,
    )
