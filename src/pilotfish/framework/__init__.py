"""What a plugin author imports. Pure: a plugin reads only its arguments and never waits."""

from pilotfish.api.node import Node, Taint
from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import (
    MAX_NODE_SCORE,
    Amounts,
    Ids,
    Mask,
    Scores,
    any_per_node,
    count_per_node,
    lookup,
)
from pilotfish.framework.binding import Allow, Assume, Deny, Patch, PreBind, Wait, WaitingPod
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.errors import BindingError, FrameworkError, PluginError, ProfileError
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_info import NodeInfo
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.per_node import PerNodePlugin
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.registry import Registry
from pilotfish.framework.rejection import SKIP, NodeSubset, Reject, Rejection, Skip
from pilotfish.framework.resources import pod_requests
from pilotfish.framework.scores import fewest_is_best, most_is_best

__all__ = [
    "MAX_NODE_SCORE",
    "SKIP",
    "Allow",
    "Amounts",
    "Assume",
    "BindingError",
    "Cluster",
    "ClusterEvent",
    "Deny",
    "EnabledPlugin",
    "FrameworkError",
    "Ids",
    "Mask",
    "Node",
    "NodeInfo",
    "NodeSubset",
    "NodeTable",
    "Patch",
    "PerNodePlugin",
    "Plugin",
    "PluginError",
    "Pod",
    "PodInfo",
    "PreBind",
    "Profile",
    "ProfileError",
    "Registry",
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
