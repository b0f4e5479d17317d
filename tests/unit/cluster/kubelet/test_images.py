import pytest

from pilotfish.cluster.kubelet.images import (
    digest_name,
    full_name,
    is_pullable,
    made_up_size,
    node_images,
)
from pilotfish.cluster.settings import MEBIBYTE


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("user/app", "docker.io/user/app:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("app@sha256:ab", "docker.io/library/app@sha256:ab"),
    ],
)
def test_name_is_completed_as_container_runtimes_do(image: str, full: str) -> None:
    assert full_name(image) == full


def test_the_image_of_all_examples_is_too_small_to_draw_pods() -> None:
    """ImageLocality counts from 23 MiB on: pods that came at once went where the image was."""
    assert made_up_size("registry.k8s.io/pause:3.9") < MEBIBYTE < made_up_size("nginx")


def test_same_image_by_two_names_has_one_digest() -> None:
    assert digest_name("nginx") == digest_name("docker.io/library/nginx:latest")
    assert digest_name("nginx") != digest_name("nginx:1.27")
    assert made_up_size("nginx") == made_up_size("nginx:latest")


@pytest.mark.parametrize(
    ("image", "patterns", "can"),
    [
        ("anything", None, True),
        ("nginx", (), False),
        ("nginx:1.27", ("nginx*",), True),
        ("nginx", ("docker.io/library/nginx:*",), True),
        ("redis", ("nginx*",), False),
    ],
)
def test_patterns_say_what_can_be_pulled(
    image: str, patterns: tuple[str, ...] | None, *, can: bool
) -> None:
    assert is_pullable(image, patterns) is can


def test_node_reports_its_fifty_largest_images() -> None:
    images = {f"docker.io/library/i{n}:latest": n for n in range(60)}
    reported = node_images(images)
    assert len(reported) == 50
    assert reported[0]["sizeBytes"] == 59
    assert "docker.io/library/i59:latest" in reported[0]["names"]
