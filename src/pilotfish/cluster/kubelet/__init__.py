"""The simulated kubelets of all nodes: one object, one timer heap.

Pure: no I/O, no clocks, no randomness but seeds. Processes of local images are effects that whoever
holds the cluster executes.
"""

from pilotfish.cluster.kubelet.kubelets import Kubelets, kubelets_of

__all__ = ["Kubelets", "kubelets_of"]
