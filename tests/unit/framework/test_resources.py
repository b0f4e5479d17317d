"""What a pod requests; the expected sums are worked out by hand."""

from typing import Any

import pytest

import make
from pilotfish.api.pod import Pod
from pilotfish.framework.pod_info import HostPort
from pilotfish.framework.resources import (
    ANY_ADDRESS,
    host_ports,
    non_zero_requests,
    pod_requests,
    scored_requests,
)

MEBIBYTE = 1 << 20


def container(name: str = "c", /, **requests: str) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": requests}}


def sidecar(name: str = "c", /, **requests: str) -> dict[str, Any]:
    return {**container(name, **requests), "restartPolicy": "Always"}


def pod(*containers: dict[str, Any], **rest: Any) -> Pod:
    return make.pod("p", containers=list(containers), **rest)


def status(name: str, allocated: dict[str, str], actual: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "allocatedResources": allocated,
        "resources": {"requests": actual},
    }


def test_requests_of_containers_add_up() -> None:
    both = pod(container(cpu="250m", memory="1Ki"), container(cpu="1", **{"example.com/gpu": "2"}))
    assert pod_requests(both) == {"cpu": 1250, "memory": 1024, "example.com/gpu": 2}


def test_amounts_are_rounded_up_once_after_summing() -> None:
    thrice = pod(*[container(cpu="0.3m", memory="400m")] * 3)
    assert pod_requests(thrice) == {"cpu": 1, "memory": 2}


def test_limits_count_for_nothing() -> None:
    """The API server copies them into the requests where these are absent."""
    limited = pod({"name": "c", "resources": {"limits": {"cpu": "1"}}})
    assert pod_requests(limited) == {}


def test_largest_init_container_counts_where_it_exceeds_the_sum() -> None:
    inits = [container(cpu="3", memory="1Ki"), container(cpu="2", memory="4Ki")]
    both = pod(container(cpu="1", memory="2Ki"), container(cpu="1"), init_containers=inits)
    assert pod_requests(both) == {"cpu": 3000, "memory": 4096}


def test_init_container_runs_beside_the_sidecars_before_it_only() -> None:
    before = [sidecar(cpu="1"), container(cpu="3")]
    after = [container(cpu="3"), sidecar(cpu="1")]
    assert pod_requests(pod(container(cpu="1"), init_containers=before)) == {"cpu": 4000}
    assert pod_requests(pod(container(cpu="1"), init_containers=after)) == {"cpu": 3000}


def test_sidecars_run_beside_the_containers() -> None:
    sidecars = [sidecar(cpu="1"), sidecar(cpu="2")]
    assert pod_requests(pod(container(cpu="1"), init_containers=sidecars)) == {"cpu": 4000}


def test_overhead_is_added_to_whatever_else_counts() -> None:
    overhead = {"cpu": "10m", "memory": "1Ki"}
    assert pod_requests(pod(container(cpu="1"), overhead=overhead)) == {"cpu": 1010, "memory": 1024}
    whole = pod(container(cpu="1"), overhead=overhead, resources={"requests": {"cpu": "2"}})
    assert pod_requests(whole) == {"cpu": 2010, "memory": 1024}


def test_requests_of_the_pod_stand_in_place_of_its_containers() -> None:
    whole = pod(
        container(cpu="3", memory="1Ki", **{"example.com/gpu": "1"}),
        resources={"requests": {"cpu": "2", "hugepages-2Mi": "4Mi", "example.com/gpu": "9"}},
    )
    assert pod_requests(whole) == {
        "cpu": 2000,
        "memory": 1024,
        "hugepages-2Mi": 4 * MEBIBYTE,
        "example.com/gpu": 1,
    }


def test_resized_container_counts_with_the_largest_of_spec_allocated_and_actual() -> None:
    resized = pod(
        container("c", cpu="2", memory="1Ki"),
        status={
            "containerStatuses": [
                status("c", {"cpu": "1", "memory": "3Ki"}, {"cpu": "1", "memory": "2Ki"})
            ]
        },
    )
    assert pod_requests(resized) == {"cpu": 2000, "memory": 3072}


@pytest.mark.parametrize(("reason", "milli_cpu"), [("Infeasible", 1000), ("Deferred", 2000)])
def test_spec_of_an_infeasible_resize_does_not_count(reason: str, milli_cpu: int) -> None:
    """A deferred resize may still happen; an infeasible one will not."""
    pending = {"type": "PodResizePending", "status": "True", "reason": reason}
    resized = pod(
        container("c", cpu="2"),
        status={
            "conditions": [pending],
            "containerStatuses": [status("c", {"cpu": "1"}, {"cpu": "500m"})],
        },
    )
    assert pod_requests(resized) == {"cpu": milli_cpu}


def test_status_without_resources_says_nothing() -> None:
    told = {"name": "c", "allocatedResources": {"cpu": "9"}}
    running = pod(container("c", cpu="1"), status={"containerStatuses": [told]})
    assert pod_requests(running) == {"cpu": 1000}


def test_status_of_a_sidecar_counts_and_of_an_init_container_does_not() -> None:
    told = {"initContainerStatuses": [status("i", {"cpu": "5"}, {"cpu": "5"})]}
    resized = pod(container(), init_containers=[sidecar("i", cpu="1")], status=told)
    ended = pod(container(), init_containers=[container("i", cpu="1")], status=told)
    assert pod_requests(resized) == {"cpu": 5000}
    assert pod_requests(ended) == {"cpu": 1000}


def test_resized_pod_level_requests_count_with_the_largest() -> None:
    resized = pod(
        container(cpu="1"),
        resources={"requests": {"cpu": "2"}},
        status={"resources": {"requests": {"cpu": "3"}}, "allocatedResources": {"cpu": "2500m"}},
    )
    assert pod_requests(resized) == {"cpu": 3000}


def test_each_container_without_a_request_counts_with_the_default() -> None:
    assert non_zero_requests(pod(container(), container(cpu="1"))) == (1100, 400 * MEBIBYTE)


def test_request_of_zero_is_a_request() -> None:
    assert non_zero_requests(pod(container(cpu="0", memory="0"))) == (0, 0)


def test_default_of_a_pod_with_requests_counts_only_where_nobody_names_the_resource() -> None:
    def whole(*containers: dict[str, Any], **rest: Any) -> tuple[int, int]:
        return non_zero_requests(pod(*containers, resources={"requests": {"cpu": "2"}}, **rest))

    assert whole(container()) == (2000, 200 * MEBIBYTE)
    assert whole(container(memory="1Mi"), container()) == (2000, MEBIBYTE)
    assert whole(container(), overhead={"memory": "3Mi"}) == (2000, 3 * MEBIBYTE)


def test_score_ignores_requests_of_the_pod_and_its_status() -> None:
    whole = pod(
        container("c", cpu="1"),
        overhead={"cpu": "5m"},
        resources={"requests": {"cpu": "7"}},
        status={"containerStatuses": [status("c", {"cpu": "9"}, {"cpu": "9"})]},
    )
    assert scored_requests(whole) == {"cpu": 1005, "memory": 200 * MEBIBYTE}


def test_host_ports_have_defaults_and_are_distinct() -> None:
    ports = [{"hostPort": 80}, {"hostPort": 80, "protocol": "TCP"}, {"containerPort": 9}]
    other = {"hostPort": 80, "protocol": "UDP", "hostIP": "10.0.0.1"}
    asking = pod({"name": "a", "ports": ports}, {"name": "b", "ports": [other]})
    assert host_ports(asking) == (HostPort(ANY_ADDRESS, "TCP", 80), HostPort("10.0.0.1", "UDP", 80))


def test_sidecars_take_host_ports_and_init_containers_do_not() -> None:
    inits = [
        {"name": "s", "restartPolicy": "Always", "ports": [{"hostPort": 1}]},
        {"name": "i", "ports": [{"hostPort": 2}]},
    ]
    asking = pod(container(), init_containers=inits)
    assert [port.port for port in host_ports(asking)] == [1]


def test_updated_pod_is_summed_anew() -> None:
    """The sums are remembered by uid and content, not by uid alone."""
    assert pod_requests(make.pod("same", cpu="1")) == {"cpu": 1000}
    assert pod_requests(make.pod("same", cpu="2")) == {"cpu": 2000}
