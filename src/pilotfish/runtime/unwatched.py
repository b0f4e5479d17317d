"""Kinds that cannot be watched: listed from time to time, and lived without when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from pilotfish.api.codec import decode_list
from pilotfish.api.meta import KubernetesObject
from pilotfish.client import ApiClient, ClientError
from pilotfish.core.inputs import Input, Replaced
from pilotfish.runtime.feed import Kind
from pilotfish.runtime.requests import describe

INTERVAL_SECONDS: Final = 15.0  # metrics-server measures this often
TIMEOUT_SECONDS: Final = 10.0


async def list_forever(
    client: ApiClient, kind: Kind, put: Callable[[Input], None], log: logging.Logger
) -> None:
    """List one kind until cancelled; what is not known any more is taken for gone."""
    answers: bool | None = None
    while True:
        try:
            objects = await _list(client, kind)
        except (ClientError, msgspec.DecodeError) as error:
            objects, why = (), describe(error) if isinstance(error, ClientError) else str(error)
            if answers is not False:
                log.warning("%s cannot be read, plugins go on without: %s", kind.name, why)
            answers = False
        else:
            if answers is False:
                log.info("%s can be read again", kind.name)
            answers = True
        put(Replaced(kind.name, objects))
        await asyncio.sleep(INTERVAL_SECONDS)


async def _list(client: ApiClient, kind: Kind) -> tuple[KubernetesObject, ...]:
    response = await client.request("GET", kind.path, timeout_seconds=TIMEOUT_SECONDS)
    return tuple(map(_with_uid, decode_list(kind.type, response.body).items))


def _with_uid(thing: KubernetesObject) -> KubernetesObject:
    """Identify an object that is stored nowhere by its name."""
    metadata = msgspec.structs.replace(thing.metadata, uid=thing.uid or thing.name)
    return msgspec.structs.replace(thing, metadata=metadata)
