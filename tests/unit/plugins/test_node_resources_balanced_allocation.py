"""Scores by the change of the balance."""

import pytest

import make
from pilotfish.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from unit.plugins.deciding import GPU, cluster, gpus, scores

BALANCED = NodeResourcesBalancedAllocation()


@pytest.mark.parametrize(
    ("taken", "asked", "score"),
    [
        (("0", "0"), ("500m", "500Mi"), 75),  # even before and after
        (("0", "0"), ("1", "0"), 50),  # 100 before, 50 after
        (("1", "0"), ("0", "1000Mi"), 100),  # 50 before, 100 after
        (("0", "0"), ("30m", "0"), 74),  # 98.5 truncates to 98: 50 + (50 - 2) / 2
        (("0", "0"), ("10m", "0"), 74),  # 99.5 truncates to 99: 50 + 49 / 2 truncates
    ],
)
def test_score_is_the_change_of_the_balance(
    taken: tuple[str, str], asked: tuple[str, str], score: int
) -> None:
    nodes = [make.node(name, cpu="1", memory="1000Mi") for name in ("n", "m")]
    on_n = make.pod("a", cpu=taken[0], memory=taken[1], node_name="n")
    found = scores(BALANCED, make.pod("p", cpu=asked[0], memory=asked[1]), cluster(nodes, [on_n]))
    assert found is not None
    assert found["n"] == score


def test_pod_that_requests_nothing_is_skipped() -> None:
    nodes = [make.node("n"), make.node("m")]
    asking = make.pod("p", requests={GPU: "1"})
    assert scores(BALANCED, asking, cluster(nodes)) is None


def test_requests_of_the_pod_as_a_whole_count() -> None:
    """Unlike in the score of NodeResourcesFit."""
    nodes = [make.node(name, cpu="1", memory="1000Mi") for name in ("n", "m")]
    whole = make.pod("p", resources={"requests": {"cpu": "1"}})
    assert scores(BALANCED, whole, cluster(nodes)) == {"n": 50, "m": 50}


def test_use_beyond_what_a_node_offers_counts_as_all_of_it() -> None:
    nodes = [make.node(name, cpu="1", memory="1000Mi") for name in ("n", "m")]
    taken = [make.pod("a", cpu="3", memory="0", node_name="n")]
    found = scores(BALANCED, make.pod("p", memory="1000Mi"), cluster(nodes, taken))
    assert found == {"n": 100, "m": 50}


def test_node_with_one_of_the_resources_is_always_balanced() -> None:
    nodes = [make.node("n", cpu="1", memory="0"), make.node("m", cpu="1", memory="0")]
    assert scores(BALANCED, make.pod("p", cpu="500m"), cluster(nodes)) == {"n": 75, "m": 75}


def test_three_resources_are_balanced_by_their_standard_deviation() -> None:
    """Fractions 1, 0, 0: deviation sqrt(2)/3 = 0.471, balance 52; before it 100."""
    nodes = [make.node(name, cpu="1", memory="1Gi", **gpus("2")) for name in ("n", "m")]
    three = NodeResourcesBalancedAllocation(["cpu", "memory", GPU])
    asking = make.pod("p", requests={GPU: "2"})
    assert scores(three, asking, cluster(nodes)) == {"n": 51, "m": 51}


def test_extended_resource_that_the_pod_does_not_request_is_left_out() -> None:
    nodes = [make.node(name, cpu="1", memory="1000Mi", **gpus("2")) for name in ("n", "m")]
    taken = [make.pod("a", requests={GPU: "2"}, node_name="n")]
    three = NodeResourcesBalancedAllocation(["cpu", "memory", GPU])
    asking = make.pod("p", cpu="1", memory="1000Mi")
    assert scores(three, asking, cluster(nodes, taken)) == {"n": 75, "m": 75}
