"""NodeResourcesFit's scoring strategies, by upstream's formulas.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins/noderesources/most_allocated.go,
    requested_to_capacity_ratio.go, pkg/scheduler/framework/plugins/helper/shape_score.go.
"""

import numpy as np
import pytest

import make
from pilotfish.plugins.node_resources_fit import NodeResourcesFit
from pilotfish.plugins.scoring_strategies import MostAllocated, RequestedToCapacityRatio
from unit.plugins.deciding import GPU, cluster, gpus, scores

MOST = NodeResourcesFit(strategy=MostAllocated())


def shares(ratio: RequestedToCapacityRatio, *utilizations: int) -> list[int]:
    requested = np.array(utilizations, dtype=np.int64)
    found: list[int] = ratio.share(requested, np.full_like(requested, 100)).tolist()
    return found


def test_most_allocated_prefers_what_is_fuller() -> None:
    """300m + 100m of 1 and 400Mi + 200Mi of 1000Mi on n; 10 % and 20 % on m."""
    nodes = [make.node(name, cpu="1", memory="1000Mi") for name in ("n", "m")]
    taken = [make.pod("a", cpu="300m", memory="400Mi", node_name="n")]
    assert scores(MOST, make.pod("p"), cluster(nodes, taken)) == {"n": 50, "m": 15}


def test_most_allocated_counts_more_than_all_as_all() -> None:
    """The defaults of pods without requests may exceed what a node has."""
    nodes = [make.node(name, cpu="50m", memory="100Mi") for name in ("n", "m")]
    assert scores(MOST, make.pod("p"), cluster(nodes)) == {"n": 100, "m": 100}


def test_line_is_followed_between_the_points_and_level_beyond_them() -> None:
    ratio = RequestedToCapacityRatio([(10, 2), (50, 10), (90, 0)])
    assert shares(ratio, 0, 10, 30, 50, 70, 90, 100) == [20, 20, 60, 100, 50, 0, 0]


def test_falling_line_loses_its_fractions_towards_the_point_before() -> None:
    """100 * u / 42 less than 100, of which the fraction is dropped: 2.38, 4.76, 80.9, 97.6."""
    falling = RequestedToCapacityRatio([(0, 10), (42, 0)])
    assert shares(falling, 1, 2, 34, 41) == [98, 96, 20, 3]


def test_more_requested_than_there_is_counts_as_full() -> None:
    assert shares(RequestedToCapacityRatio([(0, 0), (100, 7)]), 250) == [70]


def test_resource_that_scores_nothing_is_left_out_of_the_mean() -> None:
    """The CPU is at 50 % and counts alone; the memory, at 0 %, is not averaged in."""
    ratio = RequestedToCapacityRatio([(0, 0), (100, 10)])
    fit = NodeResourcesFit(resources={"cpu": 1, "memory": 3}, strategy=ratio)
    nodes = [make.node(name, cpu="1", memory="1000Gi") for name in ("n", "m")]
    asking = make.pod("p", cpu="500m", memory="1Mi")
    assert scores(fit, asking, cluster(nodes)) == {"n": 50, "m": 50}


def test_mean_is_rounded_half_up() -> None:
    """(20 + 25) / 2 = 22.5."""
    ratio = RequestedToCapacityRatio([(0, 0), (100, 10)])
    fit = NodeResourcesFit(strategy=ratio)
    nodes = [make.node(name, cpu="1", memory="1000Mi") for name in ("n", "m")]
    asking = make.pod("p", cpu="200m", memory="250Mi")
    assert scores(fit, asking, cluster(nodes)) == {"n": 23, "m": 23}


def test_extended_resource_counts_only_where_it_is_requested_and_offered() -> None:
    fit = NodeResourcesFit(resources={"cpu": 1, GPU: 1}, strategy=MostAllocated())
    nodes = [make.node("n", cpu="1", **gpus("4")), make.node("m", cpu="1", **gpus("1"))]
    plain = make.pod("p", cpu="500m")
    asking = make.pod("p", cpu="500m", requests={GPU: "1"})
    assert scores(fit, plain, cluster(nodes)) == {"n": 50, "m": 50}
    assert scores(fit, asking, cluster(nodes)) == {"n": 37, "m": 75}


def test_shape_without_points_is_refused() -> None:
    with pytest.raises(ValueError, match="a shape of one point or more"):
        RequestedToCapacityRatio([])
