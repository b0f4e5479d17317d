"""What a pod requests: exact sums over its containers, as the scheduler counts them.

Three questions look alike and have different answers:

- `pod_requests`: what the pod takes from its node; filters and the account of a node use it.
- `non_zero_requests`: the same with a default for CPU and memory that nobody names; the account of
  a node for scoring.
- `scored_requests`: what NodeResourcesFit scores a pending pod by: its containers with the
  defaults, whatever the pod as a whole or its status says.

A container in place counts with the largest of what its spec wants, what it was allocated and what
it runs with, since a resize may be under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import Final, TypeAlias

from pilotfish.api.pod import Container, ContainerStatus, Pod
from pilotfish.api.quantity import MAX_INT64, Quantity
from pilotfish.framework.pod_info import HostPort

DEFAULT_MILLI_CPU: Final = 100  # upstream DefaultMilliCPURequest
DEFAULT_MEMORY_BYTES: Final = 200 * 1024 * 1024  # upstream DefaultMemoryRequest
ANY_ADDRESS: Final = str(IPv4Address(0))  # what an empty host IP stands for

REMEMBERED_PODS: Final = 32  # a pod is asked about several times within its cycle, and kept alive

_Nanos: TypeAlias = dict[str, int]  # exact amounts in units of 1n, by resource name
_NANO_PER_MILLI: Final = 10**6
_NANO_PER_UNIT: Final = 10**9
_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_DEFAULTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "cpu": DEFAULT_MILLI_CPU * _NANO_PER_MILLI,
        "memory": DEFAULT_MEMORY_BYTES * _NANO_PER_UNIT,
    }
)


@lru_cache(maxsize=REMEMBERED_PODS)
def pod_requests(pod: Pod) -> Mapping[str, int]:
    """Sum what a pod takes from its node: milli-CPU, bytes or counts, by resource name.

    Source: kubernetes v1.36 staging/src/k8s.io/component-helpers/resource/helpers.go (PodRequests),
        pkg/scheduler/framework/types.go (CalculateResource).
    """
    return _rounded(_requests(pod, _NONE))


@lru_cache(maxsize=REMEMBERED_PODS)
def non_zero_requests(pod: Pod) -> tuple[int, int]:
    """Sum milli-CPU and memory bytes with the scoring defaults.

    A container that does not name a resource counts with the default; in a pod with requests of
    its own, only if nobody names the resource: neither the pod, nor a container, nor its overhead.

    Source: kubernetes v1.36 pkg/scheduler/framework/types.go (getNonMissingContainerRequests).
    """
    defaults = _DEFAULTS
    if _pod_level_requests(pod):
        named = _requests(pod, _NONE)
        defaults = {name: amount for name, amount in _DEFAULTS.items() if name not in named}
    requests = _rounded(_requests(pod, defaults))
    return requests.get("cpu", 0), requests.get("memory", 0)


@lru_cache(maxsize=REMEMBERED_PODS)
def scored_requests(pod: Pod) -> Mapping[str, int]:
    """Sum what NodeResourcesFit scores a pending pod by; units as `pod_requests`.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/noderesources/resource_allocation.go.
    """
    total = _of_containers(pod, {}, _DEFAULTS)
    _add(total, _nanos(pod.spec.overhead))
    return _rounded(total)


@lru_cache(maxsize=REMEMBERED_PODS)
def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """List the distinct ports that a pod takes on its node; init containers that end take none.

    Source: kubernetes v1.36 pkg/scheduler/util/utils.go (GetHostPorts).
    """
    sidecars = (c for c in pod.spec.init_containers if _is_sidecar(c))
    return tuple(dict.fromkeys(_ports_of((*sidecars, *pod.spec.containers))))


def is_extended(resource: str) -> bool:
    """Say whether a resource is none of Kubernetes' own.

    Source: kubernetes v1.36 pkg/apis/core/v1/helper/helpers.go (IsExtendedResourceName).
    """
    return "/" in resource and "kubernetes.io/" not in resource


def _requests(pod: Pod, defaults: Mapping[str, int]) -> _Nanos:
    status = pod.status
    given = {s.name: s for s in (*status.container_statuses, *status.init_container_statuses)}
    total = _of_containers(pod, given, defaults)
    total |= _pod_level_requests(pod)
    _add(total, _nanos(pod.spec.overhead))
    return total


def _of_containers(
    pod: Pod, given: Mapping[str, ContainerStatus], defaults: Mapping[str, int]
) -> _Nanos:
    """Take, for each resource, the larger of what runs in the end and the peak while initialising.

    In the end run all containers and sidecars. While an init container initialises, the sidecars
    before it run beside it.
    """
    total: _Nanos = {}
    for container in pod.spec.containers:
        _add(total, _of_container(pod, container, given, defaults))
    sidecars: _Nanos = {}
    peak: _Nanos = {}
    for container in pod.spec.init_containers:
        if _is_sidecar(container):
            requests = _of_container(pod, container, given, defaults)
            _add(total, requests)
            _add(sidecars, requests)
            _raise(peak, sidecars)
        else:
            requests = _of_container(pod, container, {}, defaults)  # it cannot be resized
            _add(requests, sidecars)
            _raise(peak, requests)
    _raise(total, peak)
    return total


def _of_container(
    pod: Pod,
    container: Container,
    given: Mapping[str, ContainerStatus],
    defaults: Mapping[str, int],
) -> _Nanos:
    requests = _nanos(container.resources.requests)
    status = given.get(container.name)
    if status is not None and status.resources is not None:
        actual = _nanos(status.resources.requests)
        requests = _effective(pod, requests, actual, _nanos(status.allocated_resources))
    return {**defaults, **requests}


def _pod_level_requests(pod: Pod) -> _Nanos:
    """Give what the pod as a whole requests; it stands in place of the sum of its containers."""
    if pod.spec.resources is None:
        return {}
    wanted = _nanos(pod.spec.resources.requests)
    named = [name for name in wanted if _may_be_pod_level(name)]
    status = pod.status
    if status.resources is not None:
        actual = _nanos(status.resources.requests)
        wanted = _effective(pod, wanted, actual, _nanos(status.allocated_resources))
    return {name: wanted.get(name, 0) for name in named}


def _effective(pod: Pod, wanted: _Nanos, actual: _Nanos, allocated: _Nanos) -> _Nanos:
    """Take the largest of each; what is wanted does not count once its resize is infeasible."""
    largest: _Nanos = {} if _is_resize_infeasible(pod) else wanted.copy()
    _raise(largest, actual)
    _raise(largest, allocated)
    return largest


def _is_resize_infeasible(pod: Pod) -> bool:
    for condition in pod.status.conditions:
        if condition.type == "PodResizePending":
            return condition.reason == "Infeasible"
    return False


def _may_be_pod_level(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def _is_sidecar(container: Container) -> bool:
    return container.restart_policy == "Always"


def _ports_of(containers: Iterable[Container]) -> Iterator[HostPort]:
    for container in containers:
        for port in container.ports:
            if port.host_port > 0:
                yield HostPort(port.host_ip or ANY_ADDRESS, port.protocol or "TCP", port.host_port)


def _nanos(quantities: Mapping[str, Quantity]) -> _Nanos:
    return {name: quantity.nano for name, quantity in quantities.items()}


def _add(total: _Nanos, more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise(largest: _Nanos, other: Mapping[str, int]) -> None:
    for name, amount in other.items():
        if name not in largest or amount > largest[name]:
            largest[name] = amount


def _rounded(total: Mapping[str, int]) -> dict[str, int]:
    """Round up to milli-CPU, bytes and counts, once, after summing."""
    return {
        name: min(-(-nano // (_NANO_PER_MILLI if name == "cpu" else _NANO_PER_UNIT)), MAX_INT64)
        for name, nano in total.items()
    }
