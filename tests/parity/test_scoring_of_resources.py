"""The scores by requests rule by rule, as kubernetes v1.36.3 has them.

NodeResourcesFit with its three strategies and NodeResourcesBalancedAllocation; both, and their
tests, are in pkg/scheduler/framework/plugins/noderesources. What is not requested counts as 100m
and 200Mi for NodeResourcesFit, and as nothing for NodeResourcesBalancedAllocation.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

import make
from config_text import of_args
from pilotfish.api.pod import Pod
from pilotfish.framework import Plugin
from pilotfish.plugins.default import default_registry
from pilotfish.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from pilotfish.plugins.profiles import profiles_of
from unit.plugins.deciding import cluster, scores

GPU: Final = "example.com/gpu"
FOUR_GPUS: Final[dict[str, Any]] = {GPU: "4"}
LEAST, MOST = "least_allocated_test.go", "most_allocated_test.go"
RATIO, SHAPE = "requested_to_capacity_ratio_test.go", "TestBrokenLinearFunction"
PACK: Final = ((0, 0), (100, 10))


def fit(kind: str, *shape: tuple[int, int], **weights: int) -> Plugin:
    """Make the plugin as a configuration file does."""
    names = {name.replace("gpu", GPU): weight for name, weight in weights.items()}
    strategy: dict[str, Any] = {"type": kind}
    strategy["resources"] = [{"name": name, "weight": w} for name, w in names.items()]
    if shape:
        points = [{"utilization": x, "score": y} for x, y in shape]
        strategy["requestedToCapacityRatio"] = {"shape": points}
    (profile,) = profiles_of(
        of_args("NodeResourcesFit", scoringStrategy=strategy), default_registry()
    )[1]
    return next(one.plugin for one in profile.enabled if one.plugin.name == "NodeResourcesFit")


def pod(cpu: str | None = None, memory: str | None = None, **rest: Any) -> Pod:
    return make.pod("p", cpu=cpu, memory=memory, **rest)


def gpus(count: str) -> dict[str, Any]:
    return {"requests": {GPU: count}}


ASKS: Final = pod("1", "512Mi")
WORLD: Final = cluster(
    [make.node("a", cpu="4", memory="8Gi", **FOUR_GPUS), make.node("b", cpu="2", memory="2Gi")],
    [make.pod("placed", cpu="1", memory="3Gi", node_name="a")],
)


@pytest.mark.parametrize(
    ("source", "plugin", "asked", "expected"),
    [
        pytest.param(LEAST, fit("LeastAllocated"), ASKS, (53, 62), id="least: what is left"),
        pytest.param(MOST, fit("MostAllocated"), ASKS, (46, 37), id="most: what is taken"),
        pytest.param(
            LEAST, fit("LeastAllocated"), pod("1", "0"), (56, 75), id="least: the mean of both"
        ),
        pytest.param(
            MOST, fit("MostAllocated"), pod("1", "0"), (43, 25), id="most: each share cut off"
        ),
        pytest.param(
            LEAST,
            fit("LeastAllocated", cpu=3, memory=1),
            pod("1", "0"),
            (53, 62),
            id="least: weights",
        ),
        pytest.param(
            MOST, fit("MostAllocated", cpu=1, memory=3), pod("1", "0"), (40, 12), id="most: weights"
        ),
        pytest.param(
            LEAST, fit("LeastAllocated"), pod("3", "0"), (31, 50), id="least: too much counts zero"
        ),
        pytest.param(
            MOST, fit("MostAllocated"), pod("3", "0"), (68, 50), id="most: too much counts as all"
        ),
        pytest.param(
            LEAST, fit("LeastAllocated"), pod(), (66, 92), id="least: a pod without requests"
        ),
        pytest.param(
            "resource_allocation.go",
            fit("LeastAllocated"),
            pod(resources={"requests": {"cpu": "2", "memory": "2Gi"}}),
            (66, 92),
            id="the pod's own requests do not count, its containers' do",
        ),
        pytest.param(
            LEAST,
            fit("LeastAllocated"),
            pod("1", "0", overhead={"cpu": "500m"}),
            (49, 62),
            id="least: overhead counts",
        ),
        pytest.param(
            LEAST, fit("LeastAllocated", cpu=1, gpu=1), pod("1"), (50, 50), id="no GPU is asked for"
        ),
        pytest.param(
            LEAST,
            fit("LeastAllocated", cpu=1, gpu=1),
            pod("1", **gpus("1")),
            (62, 50),
            id="a resource that a node lacks does not count there",
        ),
        pytest.param(
            RATIO,
            fit("RequestedToCapacityRatio", (0, 10), (100, 0)),
            ASKS,
            (54, 63),
            id="ratio: falling; halves are rounded up",
        ),
        pytest.param(
            RATIO,
            fit("RequestedToCapacityRatio", *PACK),
            pod("1", "0"),
            (44, 50),
            id="ratio: rising; what scores nothing has no weight",
        ),
        pytest.param(
            RATIO,
            fit("RequestedToCapacityRatio", *PACK, cpu=3, memory=1),
            pod("1", "0"),
            (47, 50),
            id="ratio: weights",
        ),
        pytest.param(
            RATIO,
            fit("RequestedToCapacityRatio", *PACK),
            pod("3", "0"),
            (69, 100),
            id="ratio: too much counts as all",
        ),
        pytest.param(
            SHAPE,
            fit("RequestedToCapacityRatio", (40, 2), (60, 8), cpu=1),
            pod("1"),
            (50, 50),
            id="shape: on the line between two points",
        ),
        pytest.param(
            SHAPE,
            fit("RequestedToCapacityRatio", (60, 3), (80, 9), cpu=1),
            pod("1"),
            (30, 30),
            id="shape: level before the first point",
        ),
        pytest.param(
            SHAPE,
            fit("RequestedToCapacityRatio", (10, 3), (40, 7), cpu=1),
            pod("1"),
            (70, 70),
            id="shape: level behind the last one",
        ),
    ],
)  # fmt: skip
def test_fit_scores_by_what_is_requested(
    source: str, plugin: Plugin, asked: Pod, expected: tuple[int, int]
) -> None:
    assert list(plugin.score(asked, WORLD.nodes)) == list(expected), source


@pytest.mark.parametrize(
    ("resources", "asked", "expected"),
    [
        pytest.param("cpu memory", ASKS, (76, 68), id="the change of the balance, 75 for none"),
        pytest.param("cpu memory", pod("1", "0"), (75, 62), id="one side of a free node alone"),
        pytest.param("cpu memory", pod("3", "0"), (62, 50), id="too much counts as all"),
        pytest.param("cpu memory", pod(), None, id="a pod without requests is skipped"),
        pytest.param("cpu memory", pod("0", "0"), None, id="so is one that requests nothing"),
        pytest.param("cpu memory", pod(**gpus("1")), None, id="or nothing of these"),
        pytest.param(
            "cpu memory",
            pod(resources={"requests": {"cpu": "1", "memory": "512Mi"}}),
            (76, 68),
            id="the pod's own requests count",
        ),
        pytest.param("cpu", ASKS, (75, 75), id="one resource is always balanced"),
        pytest.param(
            f"cpu memory {GPU}",
            pod("1", "0", **gpus("1")),
            (77, 62),
            id="three go by their standard deviation, two by half their distance",
        ),
        pytest.param(
            f"cpu memory {GPU}", pod("1", "0"), (75, 62), id="no GPU is asked for, none counts"
        ),
    ],
)
def test_balance_is_scored_by_its_change(
    resources: str, asked: Pod, expected: tuple[int, int] | None
) -> None:
    """TestNodeResourcesBalancedAllocation."""
    plugin = NodeResourcesBalancedAllocation(resources.split())
    assert scores(plugin, asked, WORLD) == (expected and dict(zip("ab", expected, strict=True)))
