"""Does it bind its own pods, all of them, and no others?"""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Final

from pilotfish.compare.cluster_access import NAMESPACES
from pilotfish.lab.findings import Finding
from pilotfish.lab.subject import Subject

STRANGER: Final = "nobody-answers-to-this"
BURST: Final = 12
CROWDED: Final = 0.8  # this share of a burst on one node is no accident
ENOUGH_NODES: Final = 2
IN_A_ROW: Final = 4
GATE: Final = "pilotfish.dev/lab-check"


async def one_pod_is_bound(subject: Subject) -> Finding:
    """A pod that names the scheduler is bound, and runs."""
    pod = await subject.create("first")
    if not await subject.is_bound(pod) or pod.bound is None:
        why = f"the pod was not bound within {subject.patience_seconds:g} s"
        hint = f"is a scheduler running that answers to {subject.scheduler_name}?"
        if subject.process and subject.process.ended:
            hint = subject.process.ended
        return Finding("failed", f"{why}; {hint}")
    took = f"first -> {pod.node} after {pod.bound - pod.created:.2f} s"
    if not await subject.runs(pod):
        return Finding("failed", f"{took}, but it does not run there")
    return Finding("passed", took)


async def the_next_pods_are_bound(subject: Subject) -> Finding:
    """A scheduler that takes its first success for an error stops, or reports errors."""
    for number in range(1, IN_A_ROW + 1):
        pod = await subject.create(f"next-{number}")
        if not await subject.is_bound(pod):
            why = f"pod {number + 1} was not bound, though the first was"
            if subject.process and subject.process.ended:
                why += f": {subject.process.ended}"
            return Finding("failed", why)
    return Finding("passed", f"{IN_A_ROW} more, each bound")


async def pods_of_others_are_left_alone(subject: Subject) -> Finding:
    """A pod that names another scheduler stays unbound."""
    pod = await subject.create("of-another", schedulerName=STRANGER)
    await subject.wait_for_nothing()
    await subject.delete("of-another")
    if pod.bound is not None:
        why = f"a pod with schedulerName {STRANGER} was bound to {pod.node}"
        return Finding("failed", why)
    return Finding("passed", f"a pod with schedulerName {STRANGER} was not bound")


async def every_namespace_is_served(subject: Subject) -> Finding:
    """A pod in the namespace `default` is bound, too: the role must not cover one namespace."""
    name = f"lab-check-{secrets.token_hex(3)}"
    await subject.cluster.create_pod("default", subject.manifest(name))

    async def node_name() -> str:
        pod = await subject.get(f"{NAMESPACES}/default/pods/{name}")
        return str(pod.get("spec", {}).get("nodeName", ""))

    try:
        bound = await subject.eventually(node_name)
    finally:
        await subject.cluster.delete_pod("default", name)
    if not bound:
        why = f"a pod in default was not bound, though one in {subject.namespace} was"
        return Finding("failed", f"{why}; look at the role of the scheduler")
    return Finding("passed", f"default/{name} -> {bound}")


async def a_pod_is_tried_again(subject: Subject) -> Finding:
    """A pod that becomes ready to schedule by a change, not by its creation, is bound."""
    pod = await subject.create("gated", schedulingGates=[{"name": GATE}])
    await subject.wait_for_nothing()
    await subject.patch_pod("gated", {"spec": {"schedulingGates": []}})
    if not await subject.is_bound(pod):
        why = "a pod whose scheduling gate was removed was not bound: is only ADDED heard?"
        return Finding("failed", why)
    return Finding("passed", "a pod whose scheduling gate was removed was bound")


async def choices_count_at_once(subject: Subject) -> Finding:
    """Pods that come at the same moment do not all go to the node that was best before them."""
    before = await subject.cluster.count_nodes()
    pods = await subject.create_at_once([f"burst-{number}" for number in range(BURST)])
    if not await subject.is_bound(*pods):
        late = sum(pod.bound is None for pod in pods)
        return Finding("failed", f"{late} of {BURST} pods at once were not bound")
    counts = Counter(pod.node for pod in pods)
    spread = ", ".join(f"{node}: {count}" for node, count in sorted(counts.items()))
    node, most = counts.most_common(1)[0]
    if most >= CROWDED * BURST:
        if min(before, await subject.cluster.count_nodes()) < ENOUGH_NODES:
            return Finding("not judged", "there were not two nodes without a taint all the time")
        why = f"{most} of {BURST} pods at once went to {node}, as if the others did not count"
        return Finding("failed", f"{why} (unless it packs nodes on purpose)")
    return Finding("passed", f"{BURST} pods at once: {spread}")
