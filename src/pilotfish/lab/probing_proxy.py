"""A counting proxy that also notes binds, refuses them and cuts watches."""

from __future__ import annotations

import json
from typing import Final

import aiohttp
import msgspec
from aiohttp import web

from pilotfish.apiserver.paths import parse_path
from pilotfish.client import ClusterConfig
from pilotfish.compare.counting_proxy import CountingProxy, status_of
from pilotfish.compare.traffic import TRUE

SERVER_ERROR: Final = 500


class SeenBind(msgspec.Struct, frozen=True):
    """A request that asked to bind a pod, and what it was answered."""

    namespace: str
    name: str
    status: int


class ProbingProxy(CountingProxy):
    """Sees every bind.

    Attributes:
        binds: in their order.
        refused: names of pods whose binds are refused, as an invalid target is.
    """

    def __init__(self, config: ClusterConfig) -> None:
        super().__init__(config)
        self.binds: list[SeenBind] = []
        self.refused: set[str] = set()
        self._watches: dict[int, web.Request] = {}

    def cut_watches(self) -> int:
        """Cut every open watch; returns how many there were."""
        watches = list(self._watches.values())
        for request in watches:
            if request.transport is not None:
                request.transport.abort()
        return len(watches)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Note what is of interest, and pass it on."""
        pod = await _bound_by(request)
        if pod is None:
            return await super().answer(request)
        if pod[1] in self.refused:
            response: web.StreamResponse = web.json_response(
                status_of(SERVER_ERROR, "Internal error occurred: the target is invalid"),
                status=SERVER_ERROR,
            )
        else:
            response = await super().answer(request)
        self.binds.append(SeenBind(*pod, response.status))
        return response

    async def _pass_on(
        self, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        """Know watches while they are answered: clients quietly repeat what is cut before."""
        if request.query.get("watch") not in TRUE:
            return await super()._pass_on(request, answer)
        self._watches[id(request)] = request
        try:
            return await super()._pass_on(request, answer)
        finally:
            del self._watches[id(request)]


async def _bound_by(request: web.Request) -> tuple[str, str] | None:
    """Return the namespace and name of the pod that a request binds, if it does."""
    path = parse_path(request.path)
    if request.method != "POST" or path is None:
        return None
    if path.plural == "pods" and path.subresource == "binding":
        return path.namespace, path.name
    if path.plural == "bindings":
        try:
            body = json.loads(await request.read())  # kept by the request: it is read again
            return path.namespace, str(body["metadata"]["name"])
        except (ValueError, KeyError, TypeError):
            return None
    return None
