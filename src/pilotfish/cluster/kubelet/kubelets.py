"""The kubelets of all nodes: one actor of the cluster.

*Theory of operation.* `sync` takes in what changed of nodes and pods, then does what timers say is
due: heartbeats, and the next step of a pod's life; of a long backlog a part at a time, so that who
calls can serve others in between. Heartbeats have a heap of their own: behind a backlog of pods
they would come so late that nodes count as lost. A pod is played from its binding to a played node
until it has ended or is gone. Pods of a node that is faulty, or not there, are put aside and taken
up again when it is well.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from pilotfish.api.codec import decode
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kinds import NODES, PODS
from pilotfish.cluster.kubelet.admission import refusal
from pilotfish.cluster.kubelet.behavior import behavior_of, draw
from pilotfish.cluster.kubelet.events import KubeletEvents
from pilotfish.cluster.kubelet.lifecycle import Lifecycle
from pilotfish.cluster.kubelet.logs import Logs
from pilotfish.cluster.kubelet.metrics import Metrics
from pilotfish.cluster.kubelet.nodes import LEASE_TIMER, REPORT_TIMER, NodeRun, Nodes
from pilotfish.cluster.kubelet.pod_run import PodRun, adopt, behave, pod_run
from pilotfish.cluster.kubelet.pod_status import is_finished, pod_status, rejected_status
from pilotfish.cluster.kubelet.processes import (
    Input,
    LocalProcesses,
    ProcessOutput,
    ProcessStarted,
)
from pilotfish.cluster.kubelet.timers import Timers
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.requests import ApiAnswer, ApiRequest
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.store import Change, Cursor
from pilotfish.framework.invariants import require

STEPS_PER_SYNC: Final = 64  # of pods; some 50 ms
CHANGES_PER_SYNC: Final = 256  # of pods; more than a sync writes itself, which are cheap
BEATS_PER_SYNC: Final = 256  # of nodes; some 25 ms
TICKS_PER_SECOND: Final = 50  # steps of many pods are taken together, so that others act once
RUNNING: Final = "Running"
TERMINAL: Final = ("Succeeded", "Failed")
_NODE_NAME: Final = TABLE.column(PODS, "spec.nodeName")
_PHASE: Final = TABLE.column(PODS, "status.phase")


def kubelets_of(client: LoopbackClient) -> Kubelets:
    """Give the kubelets of a cluster."""
    return Kubelets(client)


class Kubelets:
    """Plays the kubelets of all nodes; see the module's theory of operation.

    Attributes:
        logs: what containers write.
        processes: containers that are run outside: its `effects` are to be executed after each
            `sync`, and what comes of them is told to `handle`.
    """

    def __init__(self, client: LoopbackClient) -> None:
        settings = client.settings.kubelet
        self._client = client
        self._settings = settings
        self._steps: Timers[str] = Timers()
        self._beats: Timers[tuple[str, str]] = Timers()
        self._nodes = Nodes(client, settings, self._beats)
        self._metrics = Metrics(client, settings, self._nodes)
        self._events = KubeletEvents(client, settings)
        self.logs = Logs(client, settings)
        self.processes = LocalProcesses(client, settings.local_images)
        self._lifecycle = Lifecycle(settings, self.processes, self._events.of_pod)
        self._pods: dict[str, PodRun] = {}
        self._aside: dict[str, set[tuple[str, str]]] = {}
        self._changes: deque[Change] = deque()
        self._unseen: deque[tuple[str, str]] = deque()
        self._cursors: tuple[Cursor, Cursor] | None = None

    def sync(self, now: float) -> float | None:
        """Take in what changed, do what is due, and give the next deadline."""
        if self._cursors is None or any(cursor.is_expired for cursor in self._cursors):
            self._start(now)
        else:
            nodes, pods = self._cursors
            for change in nodes.next():
                self._observe_node(change, now)
            self._changes += pods.next()
        for _ in range(min(CHANGES_PER_SYNC, len(self._changes))):
            self._observe_pod(self._changes.popleft(), now)
        for _ in range(min(STEPS_PER_SYNC, len(self._unseen))):
            if (pod := self._client.store.get(PODS.storage, *self._unseen.popleft())) is not None:
                self._see(pod, now)
        for what, name in self._beats.due(now, BEATS_PER_SYNC):
            self._beat(what, name, now)
        for uid in self._steps.due(now, STEPS_PER_SYNC):
            self._step(uid, now)
        if self._changes or self._unseen:
            return now
        deadlines = (self._beats.next(), self._steps.next())
        return min((time for time in deadlines if time is not None), default=None)

    def handle(self, event: Input, now: float) -> None:
        """Take in what a process did; `sync` is to be called after it."""
        run = self._pods.get(event.uid)
        if run is None:
            return
        if isinstance(event, ProcessOutput):
            self.logs.append(event.uid, event.container, event.line, now)
            return
        self.logs.keep(event.uid, event.container)
        container = next(c for c in run.containers if c.name == event.container)
        if isinstance(event, ProcessStarted):
            self._lifecycle.started(run, container, now)
        else:
            container.is_process = False
            self._lifecycle.ended(run, container, event.exit_code, now, event.message)
        if (node := self._nodes.get(run.node_name)) is not None:
            self._settle(run, node, now)

    def check_invariants(self) -> None:
        """Check that nodes count exactly the pods that are played, and that those aside are there.

        Raises:
            BrokenInvariantError: They do not.
        """
        counted = {uid: node.name for node in self._nodes for uid in node.account.pods}
        played = {uid: run.node_name for uid, run in self._pods.items()}
        require(counted == played, f"counted are {counted}, played are {played}")
        for run in self._pods.values():
            require(not is_finished(run), f"{run.full_name} has ended and is played")
        for name, keys in self._aside.items():
            gone = [key for key in keys if self._client.store.get(PODS.storage, *key) is None]
            require(not gone, f"{gone} are gone and wait for {name}")
        self._beats.check_invariants()
        self._steps.check_invariants()

    def metrics(self, request: ApiRequest, now: float) -> ApiAnswer:
        """Answer a request for NodeMetrics or PodMetrics.

        Raises:
            StatusError: There are none of that name.
        """
        return self._metrics.answer(request, now)

    def _start(self, now: float) -> None:
        """Read the whole cluster, as kubelets do when they start."""
        store = self._client.store
        self._nodes.register(now)
        version = store.resource_version
        self._cursors = (
            store.subscribe(NODES.storage, version),
            store.subscribe(PODS.storage, version),
        )
        nodes = store.list(NODES.storage).items
        for node in nodes:
            self._nodes.observe(node, now)
        names = {node.name for node in nodes}
        for name in [run.name for run in self._nodes if run.name not in names]:
            self._leave(name)
        self._changes.clear()
        self._aside.clear()  # all pods are looked at anew
        pods = store.list(PODS.storage).items
        self._unseen = deque((pod.namespace, pod.name) for pod in _running_first(pods))
        for uid in self._pods.keys() - {pod.uid for pod in pods}:
            self._forget(uid)

    def _observe_node(self, change: Change, now: float) -> None:
        name = change.new.name
        if change.type == "DELETED":
            self._leave(name)
            return
        before = self._nodes.get(name)
        old_fault = None if before is None else before.fault
        node = self._nodes.observe(change.new, now)
        if node.fault != old_fault:
            if old_fault is not None and "Silent" not in (node.fault, old_fault):
                self._events.of_node(node, now)
            if not node.fault:
                self._take_up(name)

    def _observe_pod(self, change: Change, now: float) -> None:
        if change.type == "DELETED":
            self._forget(change.new.uid)
            self._put_back(change.new)
            return
        run = self._pods.get(change.new.uid)
        if run is not None and change.resource_version <= run.seen:
            return
        stored = self._client.store.get(PODS.storage, change.new.namespace, change.new.name)
        if stored is not None and stored.uid == change.new.uid:
            self._see(stored, now)

    def _beat(self, what: str, name: str, now: float) -> None:
        if (node := self._nodes.get(name)) is None:
            return
        if what == LEASE_TIMER:
            self._nodes.renew(node, now)
        elif what == REPORT_TIMER:
            self._nodes.report(node, now)

    def _step(self, uid: str, now: float) -> None:
        run = self._pods[uid]
        node = self._nodes.get(run.node_name)
        if node is None or node.fault:
            self._put_aside(run.node_name, run.namespace, run.name)
        else:
            self._settle(run, node, now)

    def _see(self, stored: Stored, now: float) -> None:
        """Look at a pod that is new, or that someone else changed."""
        node_name = stored.selectable[_NODE_NAME]
        if not node_name:
            return
        node = self._nodes.get(node_name)
        if node is None or node.fault:
            self._put_aside(node_name, stored.namespace, stored.name)
            return
        pod = stored.decode()
        metadata = pod["metadata"]
        is_going = "deletionTimestamp" in metadata
        run = self._pods.get(stored.uid)
        if stored.selectable[_PHASE] in TERMINAL:
            self._forget(stored.uid, keep_logs=True)
            if is_going and metadata.get("deletionGracePeriodSeconds"):
                self._delete(stored.namespace, stored.name, stored.uid, now)
            return
        if run is not None:
            behave(run, behavior_of(pod, self._settings), now)
        elif (run := self._take(pod, stored, node, now)) is None:
            return
        run.seen = stored.resource_version
        run.has_news = True
        if is_going:
            run.is_deleted = True
            self._lifecycle.stop(run, now, metadata.get("deletionGracePeriodSeconds") or 0)
        self._settle(run, node, now)

    def _take(self, pod: JsonObject, stored: Stored, node: NodeRun, now: float) -> PodRun | None:
        """Admit a pod, or fail it."""
        typed, old = decode(Pod, stored.body), pod.get("status") or {}
        runs_already = bool(old.get("containerStatuses")) and bool(old.get("podIP"))
        if not runs_already and "deletionTimestamp" not in pod["metadata"]:
            machine = self._client.store.get(NODES.storage, "", node.name)
            why = machine and refusal(typed, decode(Node, machine.body), node.account)
            if why:
                self._reject(pod, node, *why, now)
                return None
        seed = self._settings.seed
        wait = draw(self._settings.sandbox, seed, stored.uid, "sandbox")
        run = self._pods[stored.uid] = pod_run(stored, pod, self._settings, now, wait)
        node.account.take(stored.uid, typed)
        if runs_already:
            adopt(run, old)
            self._lifecycle.resume(run, now)
        return run

    def _settle(self, run: PodRun, node: NodeRun, now: float) -> None:
        """Bring a pod up to date, write its status, and say when to look again."""
        self._lifecycle.advance(run, node, now)
        if run.has_sandbox and not run.ip:
            run.ip = node.address if run.is_host_network else node.new_address()
        if run.has_news and not self._write(run, node, now):
            self._forget(run.uid)
        elif not is_finished(run):
            due = run.next_due()
            tick = None if due is None else math.ceil(due * TICKS_PER_SECOND) / TICKS_PER_SECOND
            self._steps.set(run.uid, tick)
        else:
            self._forget(run.uid, keep_logs=True)
            if run.is_deleted:
                self._delete(run.namespace, run.name, run.uid, now)

    def _write(self, run: PodRun, node: NodeRun, now: float) -> bool:
        """Write a pod's status where it changed; False where the pod is gone."""
        run.has_news = False
        pod = self._client.get(PODS, run.namespace, run.name)
        if pod is None or pod["metadata"]["uid"] != run.uid:
            return False
        status = pod_status(run, pod, node.address, now)
        if status == pod.get("status"):
            return True
        return self._write_status(pod, status, now, run)

    def _write_status(
        self, pod: JsonObject, status: JsonObject, now: float, run: PodRun | None = None
    ) -> bool:
        before = int(pod["metadata"]["resourceVersion"])
        pod["status"] = status
        try:
            written = self._client.update_status(PODS, pod, now)
        except StatusError:
            return False
        # A write upon what is yet to be seen leaves it to be seen.
        if run is not None and run.seen == before:
            run.seen = int(written["metadata"]["resourceVersion"])
        return True

    def _reject(
        self, pod: JsonObject, node: NodeRun, reason: str, message: str, now: float
    ) -> None:
        self._events.of_rejected(pod, reason, message, node.name, now)
        self._write_status(pod, rejected_status(pod, reason, message, now), now)

    def _delete(self, namespace: str, name: str, uid: str, now: float) -> None:
        try:
            self._client.delete(PODS, namespace, name, now, uid=uid, grace_period_seconds=0)
        except StatusError:
            return  # someone else was faster

    def _forget(self, uid: str, *, keep_logs: bool = False) -> None:
        """Stop to play a pod."""
        if not keep_logs:
            self.logs.forget(uid)
        run = self._pods.pop(uid, None)
        if run is None:
            return
        self._steps.set(uid, None)
        for container in run.containers:
            if container.is_process:
                self.processes.stop(run, container, 0.0)
        if (node := self._nodes.get(run.node_name)) is not None:
            node.account.release(uid)

    def _leave(self, name: str) -> None:
        """Stop to play a node that is gone; its pods wait for one of the same name."""
        if (node := self._nodes.get(name)) is not None:
            for uid in list(node.account.pods):
                run = self._pods[uid]
                self._put_aside(name, run.namespace, run.name)
                self._forget(uid, keep_logs=True)
        self._nodes.forget(name)

    def _put_aside(self, node_name: str, namespace: str, name: str) -> None:
        self._aside.setdefault(node_name, set()).add((namespace, name))

    def _put_back(self, gone: Stored) -> None:
        """Let a pod that is gone wait no longer."""
        node_name = gone.selectable[_NODE_NAME]
        if (waiting := self._aside.get(node_name)) is not None:
            waiting.discard((gone.namespace, gone.name))
            if not waiting:
                del self._aside[node_name]

    def _take_up(self, node_name: str) -> None:
        """Look anew at the pods that waited for their node, in a fixed order."""
        keys = sorted(self._aside.pop(node_name, ()))
        found = [self._client.store.get(PODS.storage, *key) for key in keys]
        waiting = _running_first(filter(None, found))
        self._unseen.extend((pod.namespace, pod.name) for pod in waiting)


def _running_first(pods: Iterable[Stored]) -> list[Stored]:
    """Order pods so that those that run, and so have their share of a node, keep it."""
    return sorted(pods, key=lambda pod: pod.selectable[_PHASE] != RUNNING)
