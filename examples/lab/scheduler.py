"""The lab's scheduler with the official client alone: a solution for teachers.

A round lists pods and nodes once, counts what is taken, and places all pods of ours that wait. The
next one begins after `--interval` seconds (polling), or when a watch has news of such a pod. Rounds
are a tenth of a second apart at least, so that lists do not grow with the number of pods.
"""

import argparse
import os
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from functools import reduce

from kubernetes import client, config, watch
from kubernetes.utils import parse_quantity


def numbers(amounts):
    """Turn quantities into numbers."""
    return Counter({name: parse_quantity(amount) for name, amount in (amounts or {}).items()})


def requests(pod):
    """Add up what a pod asks for; its init containers run before the others."""
    first = [
        numbers(one.resources and one.resources.requests) for one in pod.spec.init_containers or []
    ]
    then = [numbers(one.resources and one.resources.requests) for one in pod.spec.containers]
    most = reduce(Counter.__or__, first, sum(then, Counter(pods=1)))
    return most + numbers(pod.spec.overhead)


def tolerates(pod, taint):
    """Say whether a taint does not keep a pod away."""
    return taint.effect == "PreferNoSchedule" or any(
        (not one.key or one.key == taint.key)
        and (not one.effect or one.effect == taint.effect)
        and (one.operator == "Exists" or (one.value or "") == (taint.value or ""))
        for one in pod.spec.tolerations or []
    )


def requires(pod, labels):
    """Say whether a node with these labels is one that a pod requires."""

    def holds(one):
        has, is_in = one.key in labels, labels.get(one.key) in (one.values or [])
        claims = {"In": is_in, "NotIn": not is_in, "Exists": has, "DoesNotExist": not has}
        return claims.get(one.operator, False)

    affinity = pod.spec.affinity and pod.spec.affinity.node_affinity
    required = affinity and affinity.required_during_scheduling_ignored_during_execution
    terms = [one.match_expressions for one in required.node_selector_terms] if required else []
    is_one = not required or any(term and all(map(holds, term)) for term in terms)
    return is_one and (pod.spec.node_selector or {}).items() <= labels.items()


def why_not(pod, node, used):
    """Say why a node cannot take a pod; None if it can."""
    if node.spec.unschedulable:
        return "node(s) were unschedulable"
    if not all(tolerates(pod, taint) for taint in node.spec.taints or []):
        return "node(s) had untolerated taint(s)"
    if not requires(pod, node.metadata.labels or {}):
        return "node(s) didn't match Pod's node affinity/selector"
    room = numbers(node.status.allocatable)
    lacks = [name for name, more in requests(pod).items() if used[name] + more > room[name]]
    return f"Insufficient {lacks[0]}" if lacks else None


def place(api, pod, nodes, used):
    """Bind a pod to the node with the fewest pods that can take it, or say why there is none."""
    reasons = {name: why_not(pod, node, used[name]) for name, node in nodes.items()}
    feasible = [name for name, reason in reasons.items() if not reason]
    if not feasible:
        counts = ", ".join(f"{n} {why}" for why, n in sorted(Counter(reasons.values()).items()))
        return tell(api, pod, "FailedScheduling", f"0/{len(nodes)} nodes are available: {counts}.")
    node = min(feasible, key=lambda name: used[name]["pods"])
    name, where, target = pod.metadata.name, pod.metadata.namespace, {"kind": "Node", "name": node}
    binding = {"metadata": {"name": name, "uid": pod.metadata.uid}, "target": target}
    # Not decoded: the server answers a Status, and this client would look for a Binding in it.
    api.create_namespaced_binding(where, binding, _preload_content=False)
    used[node] += requests(pod)
    print(f"Bound {where}/{name} -> {node}", flush=True)
    return tell(api, pod, "Scheduled", f"Successfully assigned {where}/{name} to {node}")


def tell(api, pod, reason, message):
    """Say what came of a pod where `kubectl describe pod` and autoscalers look."""
    meta, now, event_type = pod.metadata, datetime.now(UTC).isoformat(), "Normal"
    if reason == "FailedScheduling":
        event_type, why = "Warning", {"reason": "Unschedulable", "message": message}
        status = {"conditions": [{"type": "PodScheduled", "status": "False"} | why]}
        api.patch_namespaced_pod_status(meta.name, meta.namespace, {"status": status})
    about = {"kind": "Pod", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid}
    event = {"metadata": {"generateName": f"{meta.name}-"}, "involvedObject": about, "count": 1}
    event |= {"type": event_type, "reason": reason, "message": message}
    event |= {"firstTimestamp": now, "lastTimestamp": now}
    event |= {"source": {"component": pod.spec.scheduler_name}}
    api.create_namespaced_event(meta.namespace, event)


def waits(pod, name):
    """Say whether a pod is ours and needs a node."""
    is_there = pod.status.phase == "Pending" and not pod.metadata.deletion_timestamp
    is_free = not pod.spec.node_name and not pod.spec.scheduling_gates
    return is_there and is_free and pod.spec.scheduler_name == name


def schedule(api, pods, name, pauses):
    """Try every pod that waits, unless it failed a moment ago: the pauses grow."""
    nodes, used = {one.metadata.name: one for one in api.list_node().items}, defaultdict(Counter)
    for pod in pods:
        if pod.spec.node_name and pod.status.phase not in ("Succeeded", "Failed"):
            used[pod.spec.node_name] += requests(pod)
    ready = [pod for pod in pods if waits(pod, name)]
    for gone in pauses.keys() - {pod.metadata.uid for pod in ready}:
        del pauses[gone]
    for pod in ready:
        pause, until = pauses.get(pod.metadata.uid, (1, 0))
        if time.monotonic() < until:
            continue
        print(f"Detected Pending Pod {pod.metadata.namespace}/{pod.metadata.name}", flush=True)
        pauses[pod.metadata.uid] = min(2 * pause, 60), time.monotonic() + pause
        try:
            place(api, pod, nodes, used)
        except client.ApiException as error:  # nothing is counted, and it is tried again
            print(f"{pod.metadata.name}: {error.status} {error.reason}", flush=True)


def wait_for_news(api, version, name):
    """Return when there is news of a pod of ours that waits; after five seconds in any case."""
    list_pods, options = api.list_pod_for_all_namespaces, {"timeout_seconds": 5}
    for event in watch.Watch().stream(list_pods, resource_version=version, **options):
        if event["type"] != "DELETED" and waits(event["object"], name):
            meta, is_new = event["object"].metadata, event["type"] == "ADDED"
            print(
                f"Pod {'added' if is_new else 'updated'} {meta.namespace}/{meta.name}", flush=True
            )
            return


def main():
    """Schedule for ever."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scheduler-name", default="my-scheduler")
    parser.add_argument("--kubeconfig", help="else the one of the environment")
    parser.add_argument("--mode", choices=("watch", "polling"), default="watch")
    parser.add_argument("--interval", type=float, default=2.0, help="of polling, in seconds")
    given = parser.parse_args()
    if given.kubeconfig or not os.environ.get("KUBERNETES_SERVICE_HOST"):
        config.load_kube_config(given.kubeconfig)
    else:
        config.load_incluster_config()
    api, name, pauses = client.CoreV1Api(), given.scheduler_name, {}
    print(f"[{given.mode}] scheduler starting… name={name}", flush=True)
    while True:
        try:
            pods = api.list_pod_for_all_namespaces()
            schedule(api, pods.items, name, pauses)
            time.sleep(given.interval if given.mode == "polling" else 0.1)
            if given.mode == "watch":
                wait_for_news(api, pods.metadata.resource_version, name)
        except Exception as error:  # a cut, lost history, a server that restarts: a new round
            print(f"{type(error).__name__}: starting over in a second", flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()
