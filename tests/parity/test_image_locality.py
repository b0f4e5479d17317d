"""ImageLocality rule by rule, as kubernetes v1.36.3 has it.

The plugin and its tests are pkg/scheduler/framework/plugins/imagelocality/image_locality.go and
image_locality_test.go. Nodes: a has `big` (300 MiB) and `shared` (200 MiB), b has `shared` and
`huge` (4000 MiB), c has nothing. What counts lies between 23 MiB and 1000 MiB for each container,
init containers included; an image counts with its size times the share of nodes that have it.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

import make
from pilotfish.plugins.image_locality import ImageLocality
from unit.plugins.deciding import cluster, scores

MEBIBYTE: Final = 1 << 20
SHARED: Final = {"shared:v1": 200 * MEBIBYTE}
WORLD: Final = cluster(
    [
        make.node("a", images=SHARED | {"big:latest": 300 * MEBIBYTE}),
        make.node("b", images=SHARED | {"reg:5000/huge:v2": 4000 * MEBIBYTE}),
        make.node("c", images={"tiny:v1": 60 * MEBIBYTE}),
    ]
)
PRIORITY, NAMES = "TestImageLocalityPriority", "TestNormalizedImageName"


def init(image: str) -> dict[str, Any]:
    return {"init_containers": [{"name": "i", "image": image}]}


def volume(reference: str) -> dict[str, Any]:
    return {"volumes": [{"name": "v", "image": {"reference": reference}}]}


@pytest.mark.parametrize(
    ("source", "images", "spec", "expected"),
    [
        pytest.param(PRIORITY, ["nowhere:v1"], {}, (0, 0, 0), id="an image that no node has"),
        pytest.param(PRIORITY, ["big:latest"], {}, (7, 0, 0), id="a third of 300 MiB, less 23"),
        pytest.param(PRIORITY, ["shared:v1"], {}, (11, 11, 0), id="two thirds of 200 MiB"),
        pytest.param(PRIORITY, ["tiny:v1"], {}, (0, 0, 0), id="less than 23 MiB count nothing"),
        pytest.param(
            PRIORITY, ["reg:5000/huge:v2"], {}, (0, 100, 0), id="1000 MiB are enough for one"
        ),
        pytest.param(
            PRIORITY, ["big:latest", "shared:v1"], {}, (10, 5, 0), id="images of a pod add up"
        ),
        pytest.param(
            PRIORITY,
            ["reg:5000/huge:v2", "nowhere:v1"],
            {},
            (0, 66, 0),
            id="with more containers more is needed",
        ),
        pytest.param(
            PRIORITY, ["nowhere:v1"], init("big:latest"), (3, 0, 0), id="init containers count"
        ),
        pytest.param(
            PRIORITY,
            ["nowhere:v1"],
            volume("big:latest"),
            (7, 0, 0),
            id="image volumes count, but are no containers",
        ),
        pytest.param(
            PRIORITY, ["big:latest", "big:latest"], {}, (8, 0, 0), id="an image counts each time"
        ),
        pytest.param(NAMES, ["big"], {}, (7, 0, 0), id="without a tag it is the latest"),
        pytest.param(
            NAMES, ["reg:5000/huge"], {}, (0, 0, 0), id="the port of a registry is no tag"
        ),
    ],
)
def test_nodes_that_hold_the_images_are_better(
    source: str, images: list[str], spec: dict[str, Any], expected: tuple[int, ...]
) -> None:
    found = scores(ImageLocality(), make.pod("p", images=images, **spec), WORLD)
    assert found == dict(zip("abc", expected, strict=True)), source
