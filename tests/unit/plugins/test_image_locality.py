"""Scores by the images that a node holds."""

import make
from pilotfish.plugins.image_locality import ImageLocality
from unit.plugins.deciding import cluster, scores

LOCALITY = ImageLocality()
MEBIBYTE = 1 << 20


def test_score_grows_with_the_bytes_at_hand() -> None:
    """(400/2 - 23) of (1000 - 23) MiB is 18 %, since half of the nodes have it."""
    nodes = [make.node("n", images={"app:v1": 400 * MEBIBYTE}), make.node("m")]
    asking = make.pod("p", images=["app:v1"])
    assert scores(LOCALITY, asking, cluster(nodes)) == {"n": 18, "m": 0}


def test_image_that_every_node_has_counts_fully() -> None:
    nodes = [make.node(name, images={"app:v1": 2000 * MEBIBYTE}) for name in ("n", "m")]
    asking = make.pod("p", images=["app:v1"])
    assert scores(LOCALITY, asking, cluster(nodes)) == {"n": 100, "m": 100}


def test_small_images_count_nothing() -> None:
    nodes = [make.node(name, images={"app:v1": 23 * MEBIBYTE}) for name in ("n", "m")]
    asking = make.pod("p", images=["app:v1"])
    assert scores(LOCALITY, asking, cluster(nodes)) == {"n": 0, "m": 0}


def test_image_that_no_node_has_scores_zero_and_is_not_skipped() -> None:
    nodes = [make.node("n"), make.node("m")]
    asking = make.pod("p", images=["app:v1"])
    assert scores(LOCALITY, asking, cluster(nodes)) == {"n": 0, "m": 0}


def test_each_container_may_have_as_many_bytes() -> None:
    """Two containers of one image of 1000 MiB: (2000 - 23) of (2000 - 23) MiB."""
    nodes = [make.node(name, images={"app:v1": 1000 * MEBIBYTE}) for name in ("n", "m")]
    twice = make.pod("p", images=["app:v1", "app:v1"])
    beside = make.pod("q", images=["app:v1", "other:v1"])
    assert scores(LOCALITY, twice, cluster(nodes)) == {"n": 100, "m": 100}
    assert scores(LOCALITY, beside, cluster(nodes)) == {"n": 49, "m": 49}


def test_image_volumes_and_init_containers_count() -> None:
    """Bytes of both; the limit grows with the init container and not with the volume."""
    images = {"init:v1": 500 * MEBIBYTE, "data:v1": 500 * MEBIBYTE}
    nodes = [make.node(name, images=images) for name in ("n", "m")]
    asking = make.pod(
        "p",
        images=["app:v1"],
        init_containers=[{"name": "i", "image": "init:v1"}],
        volumes=[{"name": "v", "image": {"reference": "data:v1"}}],
    )
    assert scores(LOCALITY, asking, cluster(nodes)) == {"n": 49, "m": 49}


def test_missing_tag_is_latest_and_a_port_is_no_tag() -> None:
    images = {"registry:5000/app:latest": 1000 * MEBIBYTE}
    nodes = [make.node(name, images=images) for name in ("n", "m")]
    asking = make.pod("p", images=["registry:5000/app"])
    assert scores(LOCALITY, asking, cluster(nodes)) == {"n": 100, "m": 100}
