"""Topology and performance: near its users, on its GPU, within one NUMA node.

Pods say what they want by the labels `prefer-zone`, `gpu-model` and `numa: single`; nodes say what
they are by zone, `latency-ms`, `nvidia.com/gpu.product` and `numa-nodes`. Use it for pods that wait
for the network or for memory. These are wishes: the best nodes fill up first, others still count.
"""

from pilotfish import NodeInfo, PerNodePlugin, Pod, pod_requests


class TopologyPerformance(PerNodePlugin):
    name = "TopologyPerformance"

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        wish, has = pod.labels, node.labels
        score = 30 * (wish.get("prefer-zone", "") == has.get("topology.kubernetes.io/zone"))
        score += 30 * (wish.get("gpu-model", "") == has.get("nvidia.com/gpu.product"))
        milli_cpu = node.allocatable["cpu"] // int(has.get("numa-nodes", 1))
        fits = pod_requests(pod).get("cpu", 0) <= milli_cpu
        score += 20 * (fits or wish.get("numa") != "single")
        return score + max(0, 20 - int(has.get("latency-ms", 20)))
