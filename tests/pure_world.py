"""A scheduler and a whole cluster in one process, without HTTP, on a virtual clock."""

from __future__ import annotations

import random
from collections import deque
from datetime import UTC, datetime
from typing import Any

import msgspec

from pilotfish.api.codec import decode
from pilotfish.api.meta import KubernetesObject
from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.requests import SYSTEM, ApiRequest, Options, Verb
from pilotfish.cluster.resources import TABLE, Resource
from pilotfish.cluster.settings import ClusterSettings, NodeGroup
from pilotfish.cluster.store import Change
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.effects import (
    Bind,
    Effect,
    EvictPod,
    PatchCondition,
    PatchNomination,
    ReadPod,
    RecordEvent,
    WakeAt,
)
from pilotfish.core.inputs import (
    Applied,
    BindAnswered,
    Deleted,
    EvictionAnswered,
    Input,
    Replaced,
    StatusAnswered,
)
from pilotfish.core.log import TYPES
from pilotfish.core.scheduler import Scheduler
from pilotfish.plugins.default import default_profile
from pilotfish.runtime.requests import (
    Request,
    bind_request,
    condition_request,
    delete_request,
    disruption_request,
    nomination_request,
)

NAME = "my-scheduler"
START = 1_800_000_000.0
CREATED = 201
VERBS: dict[str, Verb] = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


class PureWorld:
    """Everything that a live scheduler meets, but the network.

    Args:
        *groups: the nodes.
        seed: of all chance.

    Attributes:
        now: the virtual time; `run` lets it pass.
        events: what the scheduler recorded.
    """

    def __init__(self, *groups: NodeGroup, seed: int = 0) -> None:
        self.now = START
        self.events: list[RecordEvent] = []
        settings = ClusterSettings(node_groups=groups)
        self.cluster = Cluster(rng=random.Random(seed), settings=settings, now=START)
        self._client = self.cluster.client
        profile = default_profile(NAME)
        kinds = frozenset({"pods", "nodes"}) | profile.reads
        self.scheduler = Scheduler(
            {NAME: profile}, SchedulerSettings(seed=seed), random.Random(seed), kinds
        )
        self._kinds = {resource_of(kind).storage: kind for kind in kinds}
        self._news: deque[Input] = deque()
        self._wake_at: float | None = None
        self.cluster.advance(self.now)
        for kind in sorted(kinds):
            objects = self.cluster.store.list(resource_of(kind).storage).items
            decoded = tuple(_decoded(kind, stored.body) for stored in objects)
            self._execute(self.scheduler.handle(Replaced(kind, decoded), self.now))
        self.cluster.store.on_change.append(self._take)

    # What people do.

    def create(self, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> None:
        """Create an object, in the namespace default where it has one."""
        resource = resource_of(kind)
        where = {"namespace": "default"} if resource.namespaced else {}
        content = {"metadata": {"name": name, **where, **metadata}, "spec": spec}
        self._client.create(resource, content, self.now)

    def patch(self, kind: str, name: str, patch: dict[str, Any], part: str = "") -> None:
        """Merge a patch into an object, or into its status."""
        resource = resource_of(kind)
        namespace = "default" if resource.namespaced else ""
        write = self._client.patch_status if part == "status" else self._client.patch
        write(resource, namespace, name, patch, self.now)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object at once."""
        resource = resource_of(kind)
        namespace = "default" if resource.namespaced else ""
        self._client.delete(resource, namespace, name, self.now, grace_period_seconds=0)

    def pods(self) -> dict[str, dict[str, Any]]:
        """Return the pods of the namespace default, by name."""
        return {
            pod["metadata"]["name"]: pod
            for pod in self._client.list(resource_of("pods"), "default")
        }

    def nodes_of_pods(self) -> dict[str, str]:
        """Return the node of each pod; empty while it is pending."""
        return {name: pod["spec"].get("nodeName", "") for name, pod in self.pods().items()}

    # How time passes.

    def run(self, seconds: float) -> None:
        """Let time pass, deadline by deadline."""
        end = self.now + seconds
        while True:
            deadline = self._settle()
            self.scheduler.check_invariants()
            due = [at for at in (deadline, self._wake_at) if at is not None and at > self.now]
            if not due or min(due) > end:
                self.now = end
                return
            self.now = min(due)

    def _settle(self) -> float | None:
        """Let all act until nobody has anything to do now; return the cluster's next deadline."""
        while True:
            deadline = self.cluster.advance(self.now)
            while self._news:
                self._execute(self.scheduler.handle(self._news.popleft(), self.now))
            effects, more = self.scheduler.decide(self.now, 100)
            self._execute(effects)
            if not more and not self._news:
                return deadline

    def _take(self, change: Change) -> None:
        kind = self._kinds.get(change.storage)
        if kind is not None:
            content = _decoded(kind, change.new.body)
            gone = change.type == "DELETED"
            self._news.append(Deleted(kind, content) if gone else Applied(kind, content))

    def _execute(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Bind():
                    self._news.append(self._bind(effect))
                case PatchCondition():
                    self._ask(condition_request(effect, self._text_time()))
                    self._news.append(StatusAnswered(effect.uid, is_written=True))
                case PatchNomination():
                    self._ask(nomination_request(effect))
                    self._news.append(StatusAnswered(effect.uid, is_written=True))
                case EvictPod():
                    self._ask(disruption_request(effect, self._text_time()))
                    self._ask(delete_request(effect))
                    self._news.append(EvictionAnswered(effect.uid, "evicted"))
                case RecordEvent():
                    self.events.append(effect)
                case WakeAt():
                    self._wake_at = effect.at
                case ReadPod():
                    raise AssertionError(f"nothing is unknown here: {effect}")

    def _bind(self, bind: Bind) -> BindAnswered:
        try:
            self._ask(bind_request(bind))
        except StatusError as error:
            return BindAnswered(bind.uid, bind.node_name, "refused", error.code, error.message)
        return BindAnswered(bind.uid, bind.node_name, "bound", CREATED)

    def _ask(self, request: Request) -> None:
        """Put a request of the live scheduler to the cluster."""
        _, _, _, _, namespace, _, name, *part = request.path.split("/")
        body = msgspec.json.decode(request.body) if request.body else None
        options = Options()
        if request.method == "DELETE" and body:
            options = Options(precondition_uid=body["preconditions"]["uid"])
        self.cluster.request(
            ApiRequest(
                verb=VERBS[request.method],
                resource=resource_of("pods"),
                user=SYSTEM,
                namespace=namespace,
                name=name,
                subresource="".join(part),
                body=body,
                patch_type=request.content_type,
                options=options,
            ),
            self.now,
        )

    def _text_time(self) -> str:
        return datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def resource_of(plural: str) -> Resource:
    """Return the resource of this plural, which is no Event's."""
    return next(resource for resource in TABLE if resource.plural == plural)


def _decoded(kind: str, body: bytes) -> KubernetesObject:
    return decode(TYPES[kind], body)
