"""A whole cluster in memory: API requests, controllers, simulated kubelets.

*Theory of operation.* `request` is the only way in for clients: it authorizes, then reads, or
writes through defaults, admission and validation into the store. `watch` hands out a cursor on the
store's changes. `advance` lets the actors (controllers in a fixed order, then kubelets) work until
no one writes, and says when time itself gives the next reason to work. Nothing happens by itself:
who holds the cluster calls `advance` after writes and at the deadline.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

from pilotfish.cluster.actor import Actor
from pilotfish.cluster.admission.plugins import admission_plugins
from pilotfish.cluster.authentication import Authenticator, ServiceAccountTokens
from pilotfish.cluster.bootstrap import bootstrap
from pilotfish.cluster.controllers import controllers_of
from pilotfish.cluster.errors import method_not_allowed, no_such_path
from pilotfish.cluster.events.expiry import EventExpiry
from pilotfish.cluster.kubelet import kubelets_of
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.rbac import (
    Authorizer,
    Reviews,
    RoleAggregation,
    request_attributes,
)
from pilotfish.cluster.registry.answers import CREATED
from pilotfish.cluster.registry.binding import bind
from pilotfish.cluster.registry.create import create
from pilotfish.cluster.registry.decode import decode_as
from pilotfish.cluster.registry.delete import delete, delete_collection
from pilotfish.cluster.registry.eviction import evict
from pilotfish.cluster.registry.read import Predicate, get, list_objects, watch
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.registry.scale import read_scale, write_scale
from pilotfish.cluster.registry.update import patch, update
from pilotfish.cluster.requests import SYSTEM, ApiAnswer, ApiRequest, User, Verb
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.schema import Gvk, Schema
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.cluster.store import Cursor, Store
from pilotfish.cluster.strategies.table import strategies_of

SECRET_BYTES = 32
TOKEN_REQUEST = Gvk("authentication.k8s.io/v1", "TokenRequest")


class Cluster:
    """The cluster; see the module's theory of operation.

    Args:
        rng: names, uids and the simulated nodes' chance.
        settings: how it is set up.
        now: when it begins.
        tokens: fixed bearer tokens, and whom they stand for.
        secret: signs ServiceAccount tokens; None makes one by `rng`, which whoever knows its seed
            can repeat.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        settings: ClusterSettings,
        now: float,
        tokens: Mapping[str, User] | None = None,
        secret: bytes | None = None,
    ) -> None:
        self.store = Store(window=settings.watch_window)
        self.client = LoopbackClient(self.store, self.request, settings)
        self.authorizer = Authorizer(self.store)
        service_accounts = ServiceAccountTokens(
            self.store, secret=secret or rng.randbytes(SECRET_BYTES), rng=rng
        )
        self.authenticator = Authenticator(tokens or {}, service_accounts)
        self._reviews = Reviews(self.authorizer, self.authenticator)
        self.registry = Registry(
            store=self.store,
            schema=Schema.load(),
            strategies=strategies_of(TABLE),
            admission=admission_plugins(self.store, self.authorizer, settings, rng),
            rng=rng,
        )
        bootstrap(self.client, now)
        self.kubelets = kubelets_of(self.client)
        self._actors: tuple[Actor, ...] = (
            RoleAggregation(self.client),
            *controllers_of(self.client),
            EventExpiry(self.client),
            self.kubelets,
        )

    def authorize(self, request: ApiRequest) -> None:
        """See that its user may ask for this; body and options do not matter but for one name.

        Raises:
            StatusError: 403.
        """
        if request.user is SYSTEM:
            return
        self._authorize_as(request, request.verb)
        strategy = self.registry.strategies.get(request.resource.qualified)
        if request.verb != "update" or request.subresource or strategy is None:
            return
        if strategy.allow_create_on_update and not self.store.get(
            request.resource.storage, request.namespace, request.name
        ):
            self._authorize_as(request, "create")

    def request(self, request: ApiRequest, now: float) -> ApiAnswer:
        """Answer a request.

        Raises:
            StatusError: The request is refused.
        """
        self.authorize(request)
        match request.subresource:
            case "":
                return self._on_object(request, now)
            case "status" | "finalize":
                return self._on_subresource(request, now)
            case "binding":
                return bind(self.registry, request, now)
            case "eviction":
                return evict(self.registry, request, now)
            case "scale" if request.verb == "get":
                return read_scale(self.registry, request)
            case "scale":
                return write_scale(self.registry, request, now)
            case "token":
                return self._token(request, now)
            case _:
                raise no_such_path()

    def watch(self, request: ApiRequest) -> tuple[Cursor, Predicate]:
        """Give the changes since the request's resourceVersion, and what of them it selects.

        The predicate looks at one state of an object: who watches turns (old, new) into ADDED,
        MODIFIED or DELETED.

        Raises:
            StatusError: The request is refused; 410 where the resourceVersion is too old.
        """
        self.authorize(request)
        return watch(self.registry, request)

    def advance(self, now: float) -> float | None:
        """Let controllers and kubelets do all that is due, and give the next deadline."""
        while (deadline := self.step(now)) is not None and deadline <= now:
            pass
        return deadline

    def step(self, now: float) -> float | None:
        """Let each controller and the kubelets act once, and give the next deadline.

        That is `now` where something was written, since others may act on it.
        """
        before = self.store.resource_version
        deadlines = [actor.sync(now) for actor in self._actors]
        if self.store.resource_version != before:
            return now
        return min((time for time in deadlines if time is not None), default=None)

    def _authorize_as(self, request: ApiRequest, verb: Verb) -> None:
        attributes = request_attributes(msgspec.structs.replace(request, verb=verb))
        self.authorizer.require(request.user, attributes)

    def _on_object(self, request: ApiRequest, now: float) -> ApiAnswer:
        resource, registry = request.resource, self.registry
        if request.verb not in resource.verbs:
            raise method_not_allowed()
        if not resource.storage:
            return self._unstored(request, now)
        match request.verb:
            case "get":
                return get(registry, request)
            case "list":
                return list_objects(registry, request)
            case "create":
                return create(registry, request, now)
            case "update":
                return update(registry, request, now)
            case "patch":
                return patch(registry, request, now)
            case "delete":
                return delete(registry, request, now)
            case "deletecollection":
                return delete_collection(registry, request, now)
            case _:
                raise method_not_allowed()

    def _on_subresource(self, request: ApiRequest, now: float) -> ApiAnswer:
        match request.verb:
            case "get":
                return get(self.registry, request)
            case "update":
                return update(self.registry, request, now)
            case "patch":
                return patch(self.registry, request, now)
            case _:
                raise method_not_allowed()

    def _unstored(self, request: ApiRequest, now: float) -> ApiAnswer:
        resource = request.resource
        match resource.group:
            case "":
                return bind(self.registry, request, now)
            case "metrics.k8s.io":
                return self.kubelets.metrics(request, now)
            case _:
                asked = decode_as(self.registry, request, resource)
                review = self._reviews.answer(msgspec.structs.replace(request, body=asked), now)
                return ApiAnswer(code=CREATED, resource=resource, body=msgspec.json.encode(review))

    def _token(self, request: ApiRequest, now: float) -> ApiAnswer:
        tokens = self.authenticator.service_accounts
        wanted = decode_as(self.registry, request, TOKEN_REQUEST)
        answer = tokens.request(request.namespace, request.name, wanted, now)
        body = msgspec.json.encode(answer)
        return ApiAnswer(code=CREATED, resource=request.resource, body=body)
