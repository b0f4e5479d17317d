"""Rejections and scores by requests."""

import make
from pilotfish.plugins.node_resources_fit import NodeResourcesFit
from unit.plugins.deciding import GPU, cluster, gpus, rejected, scores

FIT = NodeResourcesFit()


def test_pod_that_fills_a_node_exactly_fits() -> None:
    nodes = [make.node("n", cpu="2", memory="1Gi", pods=2)]
    taken = [make.pod("a", cpu="1", memory="512Mi", node_name="n")]
    assert rejected(FIT, make.pod("p", cpu="1", memory="512Mi"), cluster(nodes, taken)) == {}


def test_each_thing_that_does_not_fit_is_a_reason() -> None:
    nodes = [make.node("n", cpu="2", memory="1Gi", pods=1, **gpus("1"))]
    taken = [make.pod("a", cpu="1500m", requests={GPU: "1"}, node_name="n")]
    asking = make.pod("p", cpu="1", memory="512Mi", requests={GPU: "1"})
    assert rejected(FIT, asking, cluster(nodes, taken))["n"] == [
        ("Too many pods", True),
        ("Insufficient cpu", True),
        (f"Insufficient {GPU}", True),
    ]


def test_node_is_hopeless_for_all_its_reasons_once_one_request_exceeds_what_it_offers() -> None:
    """Upstream gives a node one status: evictions cannot help if they cannot help with all."""
    nodes = [make.node("n", cpu="2", memory="1Gi"), make.node("m", cpu="2", memory="4Gi")]
    taken = [make.pod(name, cpu="2", node_name=name) for name in ("n", "m")]
    found = rejected(FIT, make.pod("p", cpu="1", memory="2Gi"), cluster(nodes, taken))
    assert found["n"] == [("Insufficient cpu", False), ("Insufficient memory", False)]
    assert found["m"] == [("Insufficient cpu", True)]


def test_resource_that_no_node_has_does_not_fit_anywhere() -> None:
    asking = make.pod("p", requests={GPU: "1"})
    found = rejected(FIT, asking, cluster([make.node("n")]))
    assert found == {"n": [(f"Insufficient {GPU}", False)]}


def test_request_of_zero_fits_even_an_overfilled_node() -> None:
    nodes = [make.node("n", cpu="1")]
    taken = [make.pod("a", cpu="2", node_name="n")]
    asking = make.pod("p", cpu="0", requests={GPU: "0"})
    assert rejected(FIT, asking, cluster(nodes, taken)) == {}


def test_ignored_resources_need_not_fit() -> None:
    asking = make.pod("p", requests={GPU: "1", "example.com/a": "1", "example.com/b": "1"})
    lenient = NodeResourcesFit(ignored_resources=[GPU], ignored_resource_groups=["example.com"])
    assert rejected(lenient, asking, cluster([make.node("n")])) == {}


def test_score_is_the_mean_percentage_left() -> None:
    """Pod without requests: 100m of 1 and 200Mi of 1000Mi; with the pod in place 60 % and 40 %."""
    nodes = [make.node("n", cpu="1", memory="1000Mi"), make.node("m", cpu="1", memory="1000Mi")]
    taken = [make.pod("a", cpu="300m", memory="400Mi", node_name="n")]
    assert scores(FIT, make.pod("p"), cluster(nodes, taken)) == {"n": 50, "m": 85}


def test_each_resource_is_truncated_before_the_mean() -> None:
    """33.3 % and 66.7 % left make (33 + 66) / 2."""
    nodes = [make.node(name, cpu="3", memory="3Gi") for name in ("n", "m")]
    asking = make.pod("p", cpu="2", memory="1Gi")
    assert scores(FIT, asking, cluster(nodes)) == {"n": 49, "m": 49}


def test_resource_that_a_node_lacks_does_not_count_in_its_score() -> None:
    nodes = [make.node("n", cpu="1", memory="0"), make.node("m", cpu="1", memory="1Gi")]
    asking = make.pod("p", cpu="500m", memory="0")
    assert scores(FIT, asking, cluster(nodes)) == {"n": 50, "m": 75}


def test_weights_of_resources_are_heeded() -> None:
    nodes = [make.node(name, cpu="1", memory="1Gi", **gpus("4")) for name in ("n", "m")]
    weighted = NodeResourcesFit(resources={"cpu": 3, "memory": 1, GPU: 6})
    plain = make.pod("p", cpu="1", memory="0")
    assert scores(weighted, plain, cluster(nodes)) == {"n": 25, "m": 25}
    asking = make.pod("p", cpu="1", memory="0", requests={GPU: "1"})
    assert scores(weighted, asking, cluster(nodes)) == {"n": 55, "m": 55}
