"""Least loaded: pods go where the least CPU and memory is taken.

Load is what pods ask for; where metrics.k8s.io answers, it is the mean of that and of what the node
uses right now: new pods count at once, and wrong requests not for ever. Without metrics requests
count alone. Use it against hot nodes; it trades away packing, and usage is 15 seconds old.
"""

from pilotfish import NodeInfo, PerNodePlugin, Pod


class LeastLoaded(PerNodePlugin):
    name = "LeastLoaded"
    reads = {"nodes.metrics.k8s.io"}

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        requested = node.requested
        usage = node.usage or requested  # without metrics: requests alone
        loads = [
            (requested[name] + usage.get(name, 0)) / (2 * max(1, node.allocatable[name]))
            for name in ("cpu", "memory")
        ]
        return max(0, round(100 * (1 - max(loads))))
