"""KubeSchedulerConfiguration, version v1 of group kubescheduler.config.k8s.io.

None and zero values stand for what a file leaves out; `pilotfish.config.defaults` fills them in.

Source: kubernetes v1.36 staging/src/k8s.io/kube-scheduler/config/v1/types.go,
    staging/src/k8s.io/component-base/config/v1alpha1/types.go.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec

API_VERSION: Final = "kubescheduler.config.k8s.io/v1"
KIND: Final = "KubeSchedulerConfiguration"

Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class ConfigStruct(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a configuration: immutable, camelCase in files."""


class LeaderElection(ConfigStruct, frozen=True):
    """How one of several replicas becomes the active one; durations as in `15s`."""

    leader_elect: bool | None = None
    lease_duration: str = ""
    renew_deadline: str = ""
    retry_period: str = ""
    resource_lock: str = ""
    resource_name: str = ""
    resource_namespace: str = ""


class ClientConnection(ConfigStruct, frozen=True):
    """How the API server is spoken to. A negative qps is no limit."""

    kubeconfig: str = ""
    accept_content_types: str = ""
    content_type: str = ""
    qps: float = 0.0
    burst: Int32 = 0


class PluginEntry(ConfigStruct, frozen=True):
    """A plugin by name; a weight of 0 counts as 1."""

    name: str
    weight: Int32 = 0


class PluginSet(ConfigStruct, frozen=True):
    """What is enabled beside the defaults of an extension point, and what of them is disabled."""

    enabled: tuple[PluginEntry, ...] = ()
    disabled: tuple[PluginEntry, ...] = ()


class Plugins(ConfigStruct, frozen=True):
    """A plugin set for each extension point, and one for all points that a plugin has."""

    multi_point: PluginSet = PluginSet()
    pre_enqueue: PluginSet = PluginSet()
    queue_sort: PluginSet = PluginSet()
    pre_filter: PluginSet = PluginSet()
    filter: PluginSet = PluginSet()
    post_filter: PluginSet = PluginSet()
    pre_score: PluginSet = PluginSet()
    score: PluginSet = PluginSet()
    reserve: PluginSet = PluginSet()
    permit: PluginSet = PluginSet()
    pre_bind: PluginSet = PluginSet()
    bind: PluginSet = PluginSet()
    post_bind: PluginSet = PluginSet()
    placement_generate: PluginSet = PluginSet()
    placement_score: PluginSet = PluginSet()


class PluginConfig(ConfigStruct, frozen=True):
    """The arguments of a plugin: a Struct for upstream's types, a mapping for others."""

    name: str
    args: Any = None


class SchedulerProfile(ConfigStruct, frozen=True):
    """The plugins for the pods that name one scheduler."""

    scheduler_name: str = ""
    percentage_of_nodes_to_score: Int32 | None = None
    plugins: Plugins = Plugins()
    plugin_config: tuple[PluginConfig, ...] = ()


class KubeSchedulerConfiguration(ConfigStruct, frozen=True):
    """The whole file."""

    api_version: str = API_VERSION
    kind: str = KIND
    parallelism: Int32 | None = None
    leader_election: LeaderElection = LeaderElection()
    client_connection: ClientConnection = ClientConnection()
    enable_profiling: bool | None = None
    enable_contention_profiling: bool | None = None
    percentage_of_nodes_to_score: Int32 | None = None
    pod_initial_backoff_seconds: Int64 | None = None
    pod_max_backoff_seconds: Int64 | None = None
    profiles: tuple[SchedulerProfile, ...] = ()
    extenders: tuple[Any, ...] = ()
    delay_cache_until_active: bool | None = None


EXTENSION_POINTS: Final = tuple(
    field for field in Plugins.__struct_fields__ if field != "multi_point"
)
"""Fields of Plugins, without `multi_point`."""


def camel(field: str) -> str:
    """Return the name that a field of Plugins has in a file."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)
