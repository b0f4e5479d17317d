"""Images: their full names, ids and sizes, and whether a node has one or can pull it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from typing import Final

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.settings import MEBIBYTE, NodeGroup

PAUSE: Final = "registry.k8s.io/pause:"
PAUSE_BYTES: Final = 321_520  # of 3.9; made up, it would draw pods to the nodes that have it
MAX_REPORTED: Final = 50  # upstream nodeStatusMaxImages


@lru_cache(maxsize=4096)
def full_name(image: str) -> str:
    """Complete a name as container runtimes do: `nginx` is `docker.io/library/nginx:latest`.

    Source: github.com/distribution/reference, normalize.go (ParseDockerRef).
    """
    host, slash, rest = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif "." not in host and ":" not in host and host != "localhost":
        image = f"docker.io/{image}"
    elif host == "docker.io" and "/" not in rest:
        image = f"docker.io/library/{rest}"
    has_tag = "@" in image or ":" in image.rpartition("/")[2]
    return image if has_tag else f"{image}:latest"


@lru_cache(maxsize=4096)
def digest_name(image: str) -> str:
    """Give the name by content that a simulated image has."""
    name = full_name(image)
    if "@" in name:
        return name
    return f"{name.rpartition(':')[0]}@sha256:{sha256(name.encode()).hexdigest()}"


@lru_cache(maxsize=4096)
def made_up_size(image: str) -> int:
    """Give a size between 20 and 400 MiB; the image of all examples has its own."""
    if full_name(image).startswith(PAUSE):
        return PAUSE_BYTES
    digest = sha256(full_name(image).encode()).digest()
    return (20 + int.from_bytes(digest[:4]) % 380) * MEBIBYTE + int.from_bytes(digest[4:6])


def node_images(images: Mapping[str, int]) -> list[JsonObject]:
    """Write images, by full name, into a node's status: the largest first, at most 50."""
    largest = sorted(images.items(), key=lambda item: (-item[1], item[0]))[:MAX_REPORTED]
    return [
        {"names": list(dict.fromkeys((digest_name(n), n))), "sizeBytes": size}
        for n, size in largest
    ]


def given_images(group: NodeGroup) -> dict[str, int]:
    """Give the images of a group's nodes by full name."""
    return {full_name(n): size or made_up_size(n) for n, size in group.images.items()}


def reported_images(status: JsonObject) -> dict[str, int]:
    """Read the images of a node's status, by full name."""
    return {
        full_name(name): image.get("sizeBytes", 0)
        for image in status.get("images") or ()
        for name in image.get("names") or ()
        if "@" not in name
    }


def is_pullable(image: str, patterns: tuple[str, ...] | None) -> bool:
    """Say whether a registry would have an image; patterns may be written short or in full."""
    if patterns is None:
        return True
    full = full_name(image)
    return any(
        fnmatchcase(image, pattern) or fnmatchcase(full, full_name(pattern)) for pattern in patterns
    )


def pull_error(image: str) -> str:
    """Word what a runtime says of an image that no registry has."""
    name = full_name(image)
    return (
        f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": '
        f"{name}: not found"
    )
