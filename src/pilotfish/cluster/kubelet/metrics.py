"""Usage of simulated pods and nodes, as metrics.k8s.io serves it.

Usage is a function of requests, seed and time: a container without requests uses a little, others a
share of what they ask for, in waves of a minute.

Source: sigs.k8s.io/metrics-server for the shape of the objects.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pilotfish.api.quantity import MalformedQuantityError, Quantity
from pilotfish.cluster.errors import not_found
from pilotfish.cluster.kinds import NODES, PODS
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.kubelet.behavior import rule_of, share
from pilotfish.cluster.kubelet.nodes import Nodes
from pilotfish.cluster.label_selectors import parse_label_selector
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.requests import ApiAnswer, ApiRequest
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.settings import MEBIBYTE, KubeletSettings
from pilotfish.cluster.timestamps import timestamp

WINDOW: Final = "15s"
WAVE_SECONDS: Final = 60.0
NANO_PER_MILLI: Final = 10**6
IDLE_MILLI_CPU: Final = 5.0
IDLE_MEBIBYTES: Final = 24
NODE_MILLI_CPU: Final = 40.0
NODE_MEBIBYTES: Final = 400
_NODE_NAME: Final = TABLE.column(PODS, "spec.nodeName")


class Metrics:
    """Computes NodeMetrics and PodMetrics when they are read."""

    def __init__(self, client: LoopbackClient, settings: KubeletSettings, nodes: Nodes) -> None:
        self._client = client
        self._settings = settings
        self._nodes = nodes

    def answer(self, request: ApiRequest, now: float) -> ApiAnswer:
        """Answer a get or a list.

        Raises:
            StatusError: There are no metrics of that name.
        """
        resource = request.resource
        of_kind = self._of_pods if resource.namespaced else self._of_nodes
        items = of_kind(request, now)
        named: JsonObject = {"kind": resource.kind, "apiVersion": resource.api_version}
        if request.verb == "get":
            item = next(items, None)
            if item is None:
                raise not_found(resource, request.name)
            content = named | item
        else:
            content = {
                "kind": resource.list_kind,
                "apiVersion": resource.api_version,
                "metadata": {},
                "items": [named | item for item in items],
            }
        return ApiAnswer(code=200, resource=resource, body=msgspec.json.encode(content))

    def _of_pods(self, request: ApiRequest, now: float) -> Iterator[JsonObject]:
        for stored in self._selected(PODS.storage, request):
            pod = stored.decode()
            if containers := self._containers(pod, now):
                yield _metadata(stored, now) | {
                    "containers": [
                        {"name": name, "usage": _usage(*used)} for name, used in containers.items()
                    ]
                }

    def _of_nodes(self, request: ApiRequest, now: float) -> Iterator[JsonObject]:
        selected = list(self._selected(NODES.storage, request))
        used = self._used_by_node({stored.name for stored in selected}, now)
        for stored in selected:
            node = self._nodes.get(stored.name)
            if node is None or node.fault == "Silent":
                continue
            cpu, memory = used.get(stored.name, (0.0, 0.0))
            usage = _usage(cpu + NODE_MILLI_CPU, memory + NODE_MEBIBYTES * MEBIBYTE)
            yield _metadata(stored, now) | {"usage": usage}

    def _selected(self, storage: str, request: ApiRequest) -> Iterator[Stored]:
        store = self._client.store
        if request.verb == "get":
            found = store.get(storage, request.namespace, request.name)
            yield from () if found is None else (found,)
            return
        selector = parse_label_selector(request.options.label_selector)
        for stored in store.list(storage, request.namespace).items:
            if selector.matches(stored.labels):
                yield stored

    def _used_by_node(self, names: AbstractSet[str], now: float) -> dict[str, tuple[float, float]]:
        used: dict[str, tuple[float, float]] = {}
        for stored in self._client.store.list(PODS.storage).items:
            name = stored.selectable[_NODE_NAME]
            if name not in names:
                continue
            for cpu, memory in self._containers(stored.decode(), now).values():
                old = used.get(name, (0.0, 0.0))
                used[name] = (old[0] + cpu, old[1] + memory)
        return used

    def _containers(self, pod: JsonObject, now: float) -> dict[str, tuple[float, float]]:
        """Give milli-CPU and bytes of each container that runs on a node that answers."""
        node = self._nodes.get(pod["spec"].get("nodeName", ""))
        if node is None or node.fault == "Silent":
            return {}
        statuses = (pod.get("status") or {}).get("containerStatuses") or ()
        running = {s["name"] for s in statuses if "running" in (s.get("state") or {})}
        specs = [c for c in pod["spec"]["containers"] if c["name"] in running]
        return {c["name"]: self._container(pod, c, now) for c in specs}

    def _container(self, pod: JsonObject, container: JsonObject, now: float) -> tuple[float, float]:
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        about = (pod["metadata"]["uid"], container["name"])
        seed = self._settings.seed
        wave = 1 + 0.1 * math.sin(2 * math.pi * (now / WAVE_SECONDS + share(seed, *about, "wave")))
        asked = _milli(requests.get("cpu"))
        part = self._cpu_share(pod)
        if part is None:
            part = 0.2 + 0.6 * share(seed, *about, "cpu")
        cpu = (asked * part if asked else IDLE_MILLI_CPU * (0.2 + part)) * wave
        if limits.get("cpu"):
            cpu = min(cpu, _milli(limits["cpu"]))
        memory = _milli(requests.get("memory")) / 1000 or 2.0 * IDLE_MEBIBYTES * MEBIBYTE
        return cpu, memory * (0.4 + 0.5 * share(seed, *about, "memory"))

    def _cpu_share(self, pod: JsonObject) -> float | None:
        said = (pod["metadata"].get("annotations") or {}).get(keys.CPU)
        return keys.read_number(said) if said else rule_of(pod, self._settings).cpu


def _metadata(stored: Stored, now: float) -> JsonObject:
    metadata: JsonObject = {"name": stored.name}
    if stored.namespace:
        metadata["namespace"] = stored.namespace
    metadata["creationTimestamp"] = timestamp(now)
    if stored.labels:
        metadata["labels"] = stored.labels
    return {"metadata": metadata, "timestamp": timestamp(now), "window": WINDOW}


def _usage(milli_cpu: float, memory_bytes: float) -> JsonObject:
    return {
        "cpu": f"{int(milli_cpu * NANO_PER_MILLI)}n",
        "memory": f"{int(memory_bytes) // 1024}Ki",
    }


def _milli(text: str | None) -> float:
    try:
        return float(Quantity.parse(str(text)).milli_value()) if text else 0.0
    except MalformedQuantityError:
        return 0.0
