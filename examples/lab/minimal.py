"""The lab's scheduler as short as can be, with none of its known defects and no policy of its own.

Round by round: list pods and nodes once, place what waits, watch until there is news. A refusal
ends the round, and the refused pod is left alone for a while. `python minimal.py [SCHEDULER_NAME]`.
"""

import sys
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
    groups = pod.spec.init_containers or [], pod.spec.containers
    first, then = ([numbers(c.resources and c.resources.requests) for c in one] for one in groups)
    return reduce(Counter.__or__, first, sum(then, Counter(pods=1))) + numbers(pod.spec.overhead)


def tolerates(pod, taint):
    """Say whether a taint does not keep a pod away."""
    return taint.effect == "PreferNoSchedule" or any(
        (not one.key or one.key == taint.key)
        and (not one.effect or one.effect == taint.effect)
        and (one.operator == "Exists" or (one.value or "") == (taint.value or ""))
        for one in pod.spec.tolerations or []
    )


def can_take(node, pod, used):
    """Say whether a node can take a pod."""
    room = numbers(node.status.allocatable)
    fits = all(used[name] + more <= room[name] for name, more in requests(pod).items())
    return fits and all(tolerates(pod, taint) for taint in node.spec.taints or [])


def waits(pod, name):
    """Say whether a pod is ours and needs a node."""
    is_there = pod.status.phase == "Pending" and not pod.metadata.deletion_timestamp
    is_free = not pod.spec.node_name and not pod.spec.scheduling_gates
    return is_there and is_free and pod.spec.scheduler_name == name


def place(api, pod, nodes, used):
    """Bind a pod to the node with the fewest pods that can take it, or say that there is none."""
    meta, now = pod.metadata, datetime.now(UTC).isoformat()
    feasible = [one.metadata.name for one in nodes if can_take(one, pod, used[one.metadata.name])]
    reason, message = "FailedScheduling", f"no room on any of {len(nodes)} nodes"
    if feasible:
        node = min(feasible, key=lambda name: used[name]["pods"])
        target = {"metadata": {"name": meta.name, "uid": meta.uid}, "target": {"name": node}}
        api.create_namespaced_binding(meta.namespace, target, _preload_content=False)
        used[node] += requests(pod)
        reason, message = "Scheduled", f"Bound {meta.namespace}/{meta.name} -> {node}"
    else:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        status = {"status": {"conditions": [condition | {"message": message}]}}
        api.patch_namespaced_pod_status(meta.name, meta.namespace, status)
    print(message, flush=True)
    about = {"kind": "Pod", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid}
    event = {"metadata": {"generateName": f"{meta.name}-"}, "involvedObject": about}
    event |= {
        "type": "Normal" if feasible else "Warning",
        "reason": reason,
        "message": message,
        "firstTimestamp": now,
        "lastTimestamp": now,
    }
    api.create_namespaced_event(meta.namespace, event)


def schedule(api, pods, name, pauses):
    """Try every pod that waits, unless it failed a moment ago: the pauses grow."""
    nodes, used = api.list_node().items, defaultdict(Counter)
    for pod in pods:
        if pod.spec.node_name and pod.status.phase not in ("Succeeded", "Failed"):
            used[pod.spec.node_name] += requests(pod)
    for pod in (pod for pod in pods if waits(pod, name)):
        pause, until = pauses.get(pod.metadata.uid, (1, 0))
        if time.monotonic() >= until:
            pauses[pod.metadata.uid] = min(2 * pause, 60), time.monotonic() + pause
            place(api, pod, nodes, used)


def main():
    """Schedule for ever."""
    name, pauses = (*sys.argv[1:], "my-scheduler")[0], {}
    config.load_kube_config()
    api = client.CoreV1Api()
    while True:
        try:
            pods = api.list_pod_for_all_namespaces()
            schedule(api, pods.items, name, pauses)
            time.sleep(0.1)  # pods that come together share the lists of a round
            stream, options = watch.Watch().stream, {"timeout_seconds": 5}
            since = pods.metadata.resource_version
            for event in stream(api.list_pod_for_all_namespaces, resource_version=since, **options):
                if waits(event["object"], name):
                    break
        except Exception as error:  # a cut, lost history, a server that restarts: a new round
            print(f"{type(error).__name__}: starting over in a second", flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()
