"""NodeResourcesFit's filter rule by rule, as kubernetes v1.36.3 has it.

The plugin and its tests are pkg/scheduler/framework/plugins/noderesources/fit.go and fit_test.go;
what a pod requests is added up in staging/src/k8s.io/component-helpers/resource/helpers.go. The
node offers 10 CPU, 10Gi, 10 GPUs, 8Mi of huge pages, 20Gi of disk and 2 pods; a pod in place takes
5 CPU, 5Gi, 5 GPUs and 5Gi of disk.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import pytest

import make
from pilotfish.api.pod import Pod
from pilotfish.plugins.node_resources_fit import NodeResourcesFit
from unit.plugins.deciding import cluster, rejected

Requests: TypeAlias = dict[str, str]

GPU, HUGE, OWN, DISK = (
    "example.com/gpu",
    "hugepages-2Mi",
    "kubernetes.io/thing",
    "ephemeral-storage",
)
OFFERED: Final[dict[str, Any]] = {GPU: "10", HUGE: "8Mi", DISK: "20Gi"}
NODE: Final = make.node("n", cpu="10", memory="10Gi", pods=2, **OFFERED)
TAKEN: Final = {GPU: "5", DISK: "5Gi"}
PLACED: Final = make.pod("placed", cpu="5", memory="5Gi", requests=TAKEN, node_name="n")
ENOUGH, INITS = "TestEnoughRequests", "TestEnoughRequests, init containers"
SIDECARS, STORAGE = "TestRestartableInitContainers", "TestStorageRequests"
POD_LEVEL, OVERHEAD = "TestEnoughRequests, pod-level resources", "TestEnoughRequests, overhead"
ADDED_UP: Final = "helpers.go AggregateContainerRequests"


def cpu(amount: str) -> Requests:
    return {"cpu": amount}


def pod(*each: Requests, **spec: Any) -> Pod:
    """Make a pod of containers with these requests."""
    containers = [_container(f"c{i}", requests) for i, requests in enumerate(each)]
    return make.pod("p", **({"containers": containers or [_container("c", {})]} | spec))


def inits(*each: Requests) -> dict[str, Any]:
    return {"init_containers": [_container(f"i{i}", one) for i, one in enumerate(each)]}


def sidecar_then(sidecar: Requests, *rest: Requests) -> dict[str, Any]:
    """Make a sidecar, and init containers after it."""
    first = _container("s", sidecar) | {"restartPolicy": "Always"}
    return {"init_containers": [first, *inits(*rest)["init_containers"]]}


def whole(**requests: str) -> dict[str, Any]:
    """Make the requests of a pod as a whole."""
    return {"resources": {"requests": requests}}


def _container(name: str, requests: Requests) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": requests}}


def short(*resources: str, for_ever: bool = False) -> list[tuple[str, bool]]:
    """List the reasons; `for_ever`: more is asked for than the node could ever offer."""
    return [(f"Insufficient {one}", not for_ever) for one in resources]


@pytest.mark.parametrize(
    ("source", "asked", "expected"),
    [
        pytest.param(ENOUGH, pod(), [], id="nothing requested always fits"),
        pytest.param(ENOUGH, pod(cpu("5")), [], id="what is left may be taken exactly"),
        pytest.param(ENOUGH, pod(cpu("5001m")), short("cpu"), id="and no more"),
        pytest.param(
            ENOUGH, pod({"memory": "6Gi"}), short("memory"), id="each resource counts for itself"
        ),
        pytest.param(
            ENOUGH, pod({"cpu": "6", "memory": "6Gi"}), short("cpu", "memory"), id="all are told"
        ),
        pytest.param(
            ENOUGH, pod(cpu("11")), short("cpu", for_ever=True), id="more than the node has"
        ),
        pytest.param(
            "fit.go Filter",
            pod({"cpu": "6", "memory": "11Gi"}),
            short("cpu", "memory", for_ever=True),
            id="one such resource makes all of the node unresolvable",
        ),
        pytest.param(ADDED_UP, pod(cpu("3"), cpu("3")), short("cpu"), id="containers add up"),
        pytest.param(INITS, pod(cpu("1"), **inits(cpu("6"))), short("cpu"), id="so much at first"),
        pytest.param(
            INITS, pod(cpu("3"), **inits(cpu("3"), cpu("3"))), [], id="init containers take turns"
        ),
        pytest.param(
            INITS,
            pod(cpu("1"), **inits(cpu("2"), cpu("6"))),
            short("cpu"),
            id="the largest of them counts",
        ),
        pytest.param(
            SIDECARS, pod(cpu("3"), **sidecar_then(cpu("3"))), short("cpu"), id="sidecars add up"
        ),
        pytest.param(
            SIDECARS,
            pod(cpu("1"), **sidecar_then(cpu("2"), cpu("4"))),
            short("cpu"),
            id="init containers run beside the sidecars before them",
        ),
        pytest.param(
            SIDECARS, pod(cpu("1"), **sidecar_then(cpu("2"), cpu("3"))), [], id="if there is room"
        ),
        pytest.param(OVERHEAD, pod(cpu("4"), overhead=cpu("1")), [], id="overhead adds up"),
        pytest.param(
            OVERHEAD, pod(cpu("4"), overhead=cpu("1001m")), short("cpu"), id="and may be too much"
        ),
        pytest.param(POD_LEVEL, pod(cpu("6"), **whole(cpu="5")), [], id="the pod's own wins"),
        pytest.param(
            POD_LEVEL, pod(cpu("1"), **whole(cpu="6")), short("cpu"), id="also if it is more"
        ),
        pytest.param(
            POD_LEVEL,
            pod({"cpu": "1", "memory": "6Gi"}, **whole(cpu="2")),
            short("memory"),
            id="what it does not name is that of its containers",
        ),
        pytest.param(
            POD_LEVEL, pod(**whole(**{HUGE: "8Mi"})), [], id="huge pages may be the pod's own"
        ),
        pytest.param(
            POD_LEVEL,
            pod(cpu("1"), **(whole(cpu="4") | {"overhead": cpu("2")})),
            short("cpu"),
            id="overhead is added to the pod's own",
        ),
        pytest.param(ENOUGH, pod({GPU: "5"}), [], id="an extended resource fits"),
        pytest.param(ENOUGH, pod({GPU: "6"}), short(GPU), id="or not"),
        pytest.param(
            ENOUGH, pod(**inits({GPU: "6"})), short(GPU), id="in an init container as well"
        ),
        pytest.param(
            ENOUGH,
            pod({"example.com/none": "1"}),
            short("example.com/none", for_ever=True),
            id="a resource that the node does not have",
        ),
        pytest.param(
            ENOUGH, pod({OWN: "1"}), short(OWN, for_ever=True), id="one of Kubernetes' own"
        ),
        pytest.param(
            ENOUGH, pod({"example.com/none": "0"}), [], id="of which nothing may be requested"
        ),
        pytest.param(
            ENOUGH, pod({HUGE: "10Mi"}), short(HUGE, for_ever=True), id="huge pages are counted"
        ),
        pytest.param(STORAGE, pod({DISK: "15Gi"}), [], id="so is the disk"),
        pytest.param(STORAGE, pod({DISK: "16Gi"}), short(DISK), id="which may be full"),
    ],
)
def test_requests_must_fit(source: str, asked: Pod, expected: list[tuple[str, bool]]) -> None:
    found = rejected(NodeResourcesFit(), asked, cluster([NODE], [PLACED]))
    assert found.get("n", []) == expected, source


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(pod(), [("Too many pods", True)], id="a full node takes no pod at all"),
        pytest.param(
            pod(cpu("6")), [("Too many pods", True), *short("cpu")], id="both reasons are told"
        ),
        pytest.param(
            pod(cpu("11")),
            [("Too many pods", False), *short("cpu", for_ever=True)],
            id="which are unresolvable together",
        ),
    ],
)
def test_a_node_has_room_for_a_number_of_pods(asked: Pod, expected: list[tuple[str, bool]]) -> None:
    """TestNotEnoughRequests."""
    placed = [PLACED, make.pod("other", node_name="n")]
    assert rejected(NodeResourcesFit(), asked, cluster([NODE], placed)) == {"n": expected}


@pytest.mark.parametrize(
    ("ignored", "asked", "expected"),
    [
        pytest.param({"resources": [GPU]}, pod({GPU: "6"}), [], id="an ignored resource"),
        pytest.param({"groups": ["example.com"]}, pod({GPU: "6"}), [], id="an ignored group"),
        pytest.param({"resources": [GPU]}, pod({GPU: "6"} | cpu("6")), short("cpu"), id="others"),
        pytest.param(
            {"groups": ["example"]}, pod({GPU: "6"}), short(GPU), id="a group is matched as a whole"
        ),
        pytest.param(
            {"resources": ["cpu"]}, pod(cpu("6")), short("cpu"), id="cpu cannot be ignored"
        ),
        pytest.param(
            {"resources": [HUGE]},
            pod({HUGE: "10Mi"}),
            short(HUGE, for_ever=True),
            id="nor can huge pages",
        ),
        pytest.param(
            {"groups": ["kubernetes.io"]},
            pod({OWN: "1"}),
            short(OWN, for_ever=True),
            id="nor can a group of Kubernetes' own",
        ),
    ],
)
def test_extended_resources_may_be_ignored(
    ignored: dict[str, list[str]], asked: Pod, expected: list[tuple[str, bool]]
) -> None:
    """TestEnoughRequests, with ignoredResources and ignoredResourceGroups."""
    lenient = NodeResourcesFit(
        ignored_resources=ignored.get("resources", ()),
        ignored_resource_groups=ignored.get("groups", ()),
    )
    assert rejected(lenient, asked, cluster([NODE], [PLACED])).get("n", []) == expected
