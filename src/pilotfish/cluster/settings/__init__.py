"""How a cluster, its simulated nodes and their kubelets are set up: values, each with a default."""

from pilotfish.cluster.settings.cluster_settings import ClusterSettings
from pilotfish.cluster.settings.kubelet_settings import (
    MEBIBYTE,
    Amount,
    Delay,
    KubeletSettings,
    NodeFault,
    NodeGroup,
    PodFault,
    PodRule,
)

__all__ = [
    "MEBIBYTE",
    "Amount",
    "ClusterSettings",
    "Delay",
    "KubeletSettings",
    "NodeFault",
    "NodeGroup",
    "PodFault",
    "PodRule",
]
