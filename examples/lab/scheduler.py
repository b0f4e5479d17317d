"""The lab's scheduler with the official client alone: a solution for teachers.

It lists once and watches, decides from what it remembers and counts its own choices at once; what
failed is tried again, later and later.
"""

import argparse
import contextlib
import datetime as dt
import os
import queue
import threading
import time
from collections import Counter
from functools import reduce

from kubernetes import client, config, watch
from kubernetes.utils import parse_quantity

known, assumed, pauses, news = {"pods": {}, "nodes": {}}, {}, {}, queue.Queue()


def keep(kind, list_all):
    """Know all objects of a kind, for ever; every change is news."""
    while True:
        try:
            listed = list_all()
            known[kind] = {one.metadata.uid: one for one in listed.items}
            news.put(kind)
            version = listed.metadata.resource_version
            for event in watch.Watch().stream(list_all, resource_version=version):
                known[kind][event["object"].metadata.uid] = event["object"]
                if event["type"] == "DELETED":
                    del known[kind][event["object"].metadata.uid]
                news.put(kind)
        except Exception as error:  # 410, a cut, a server that restarts: list anew
            print(f"watch of {kind} failed ({type(error).__name__}): starting over", flush=True)
            time.sleep(1)


def requests(pod):
    """Add up what a pod asks for; its init containers run before the others."""

    def count(amounts):
        return Counter({name: parse_quantity(amount) for name, amount in (amounts or {}).items()})

    def each(containers):
        return [count(one.resources and one.resources.requests) for one in containers or []]

    at_once = sum(each(pod.spec.containers), Counter(pods=1))
    most = reduce(Counter.__or__, each(pod.spec.init_containers), at_once)
    return most + count(pod.spec.overhead)


def tolerates(pod, taint):
    """Say whether a taint does not keep a pod away."""
    return taint.effect == "PreferNoSchedule" or any(
        (not one.key or one.key == taint.key)
        and (not one.effect or one.effect == taint.effect)
        and (one.operator == "Exists" or (one.value or "") == (taint.value or ""))
        for one in pod.spec.tolerations or []
    )


def why_not(pod, node, used):
    """Say why a node cannot take a pod; None if it can."""
    room = node.status.allocatable or {}
    for name, amount in requests(pod).items():
        if used[name] + amount > parse_quantity(room.get(name, 0)):
            return f"Insufficient {name}"
    if not all(tolerates(pod, taint) for taint in node.spec.taints or []):
        return "node(s) had untolerated taint(s)"
    if not (pod.spec.node_selector or {}).items() <= (node.metadata.labels or {}).items():
        return "node(s) didn't match Pod's node affinity/selector"
    return "node(s) were unschedulable" if node.spec.unschedulable else None


def is_ours(pod, name):
    """Say whether a pod waits for us."""
    waits = pod.status.phase == "Pending" and not pod.metadata.deletion_timestamp
    is_free = not pod.spec.node_name and pod.metadata.uid not in assumed
    return waits and is_free and not pod.spec.scheduling_gates and pod.spec.scheduler_name == name


def place(api, pod, used):
    """Bind a pod to the node with the fewest pods that can take it, or say why there is none."""
    nodes = {one.metadata.name: one for one in list(known["nodes"].values())}
    reasons = {name: why_not(pod, node, used[name]) for name, node in nodes.items()}
    node = min(
        (one for one in nodes if not reasons[one]), key=lambda one: used[one]["pods"], default=""
    )
    meta, uid = client.V1ObjectMeta(name=pod.metadata.name, uid=pod.metadata.uid), pod.metadata.uid
    where = pod.metadata.namespace
    if node:
        target = client.V1ObjectReference(api_version="v1", kind="Node", name=node)
        binding = client.V1Binding(metadata=meta, target=target)
        api.create_namespaced_binding(where, binding, _preload_content=False)  # answers a Status
        assumed[uid], used[node] = node, used[node] + requests(pod)
        print(f"Bound {where}/{meta.name} -> {node}", flush=True)
        return "Normal", "Scheduled", f"Successfully assigned {where}/{meta.name} to {node}"
    counted = ", ".join(f"{n} {why}" for why, n in sorted(Counter(reasons.values()).items()))
    message = f"0/{len(nodes)} nodes are available: {counted}."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    status = {"status": {"conditions": [condition | {"message": message}]}}
    api.patch_namespaced_pod_status(meta.name, where, status)
    return "Warning", "FailedScheduling", message


def record(api, pod, kind, reason, message):
    """Record an Event, for `kubectl describe pod`."""
    now, meta = dt.datetime.now(dt.UTC), pod.metadata
    about = client.V1ObjectReference(
        api_version="v1", kind="Pod", name=meta.name, namespace=meta.namespace, uid=meta.uid
    )
    event = client.CoreV1Event(
        metadata=client.V1ObjectMeta(generate_name=f"{meta.name}-"),
        involved_object=about,
        type=kind,
        reason=reason,
        message=message,
        first_timestamp=now,
        last_timestamp=now,
        count=1,
        source=client.V1EventSource(component=pod.spec.scheduler_name),
    )
    api.create_namespaced_event(meta.namespace, event)


def schedule(api, name):
    """Try each pod that waits for us, unless it failed a moment ago."""
    pods = list(known["pods"].values())
    used = {node.metadata.name: Counter() for node in list(known["nodes"].values())}
    for pod in pods:
        if pod.spec.node_name:
            assumed.pop(pod.metadata.uid, None)
        node = pod.spec.node_name or assumed.get(pod.metadata.uid)
        if node in used and pod.status.phase not in ("Succeeded", "Failed"):
            used[node] += requests(pod)
    for pod in filter(lambda one: is_ours(one, name), pods):
        pause, until = pauses.get(pod.metadata.uid, (0.5, 0))
        if time.monotonic() < until:
            continue
        try:
            told = place(api, pod, used)
            if told[1] == "Scheduled" or pause < 1:
                record(api, pod, *told)
            if told[1] == "Scheduled":
                continue
        except client.ApiException as error:  # refused: nothing is assumed, and it is tried again
            print(f"{pod.metadata.name}: {error.status} {error.reason}", flush=True)
        pauses[pod.metadata.uid] = (min(2 * pause, 10), time.monotonic() + pause)


def main():
    """Schedule for ever."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scheduler-name", default="my-scheduler")
    parser.add_argument("--kubeconfig")
    given = parser.parse_args()
    if given.kubeconfig or not os.environ.get("KUBERNETES_SERVICE_HOST"):
        config.load_kube_config(given.kubeconfig)
    else:
        config.load_incluster_config()
    api = client.CoreV1Api()
    print(f"[watch] scheduler starting… name={given.scheduler_name}", flush=True)
    for kind, list_all in (("pods", api.list_pod_for_all_namespaces), ("nodes", api.list_node)):
        threading.Thread(target=keep, args=(kind, list_all), daemon=True).start()
    while True:
        with contextlib.suppress(queue.Empty):
            news.get(timeout=0.5)
            while True:
                news.get_nowait()
        schedule(api, given.scheduler_name)


if __name__ == "__main__":
    main()
