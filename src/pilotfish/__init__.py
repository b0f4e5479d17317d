"""The Kubernetes scheduler that people extend in Python.

What the author of a policy needs can be imported from here; it is loaded at first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilotfish.framework import (
        MAX_NODE_SCORE,
        SKIP,
        Allow,
        Assume,
        BindingError,
        Cluster,
        ClusterEvent,
        Deny,
        Mask,
        NodeInfo,
        NodeSubset,
        NodeTable,
        Patch,
        PerNodePlugin,
        Plugin,
        Pod,
        PodInfo,
        PreBind,
        Reject,
        Rejection,
        Scores,
        Skip,
        Taint,
        Wait,
        WaitingPod,
        any_per_node,
        count_per_node,
        fewest_is_best,
        lookup,
        most_is_best,
        pod_requests,
    )

__version__ = "0.1.0"

__all__ = [
    "MAX_NODE_SCORE",
    "SKIP",
    "Allow",
    "Assume",
    "BindingError",
    "Cluster",
    "ClusterEvent",
    "Deny",
    "Mask",
    "NodeInfo",
    "NodeSubset",
    "NodeTable",
    "Patch",
    "PerNodePlugin",
    "Plugin",
    "Pod",
    "PodInfo",
    "PreBind",
    "Reject",
    "Rejection",
    "Scores",
    "Skip",
    "Taint",
    "Wait",
    "WaitingPod",
    "any_per_node",
    "count_per_node",
    "fewest_is_best",
    "lookup",
    "most_is_best",
    "pod_requests",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the plugin interface, which `import pilotfish` alone does not need."""
        if name in __all__:
            return getattr(import_module("pilotfish.framework"), name)
        raise AttributeError(f"module 'pilotfish' has no attribute {name!r}")
