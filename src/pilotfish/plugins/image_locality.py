"""ImageLocality: a pod starts sooner where its images are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import MAX_NODE_SCORE, Scores
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin

MIN_BYTES: Final = 23 << 20  # upstream minThreshold: below it an image counts nothing
MAX_BYTES_A_CONTAINER: Final = 1000 << 20  # upstream maxContainerThreshold


class ImageLocality(Plugin):
    """Prefer nodes that hold much of the pod's images, in bytes.

    A size is scaled by the share of nodes that hold the image, so that a rare image does not draw
    all pods to one node.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/imagelocality/image_locality.go.
    """

    name = "ImageLocality"
    is_verified = True

    def score(self, pod: Pod, nodes: NodeTable) -> Scores:
        """Score nodes by the bytes that they need not pull."""
        held = np.zeros(len(nodes), dtype=np.int64)
        known = [image for image in _images(pod) if image in nodes.image_bytes]
        if not known:
            return held
        for image in known:
            has_image = nodes.images.mask_of(image)
            share = int(np.count_nonzero(has_image)) / len(nodes)
            held += has_image * int(nodes.image_bytes[image] * share)
        spec = pod.spec
        most = MAX_BYTES_A_CONTAINER * (len(spec.containers) + len(spec.init_containers))
        return MAX_NODE_SCORE * (held.clip(MIN_BYTES, most) - MIN_BYTES) // (most - MIN_BYTES)


def _images(pod: Pod) -> Iterator[str]:
    """Yield the pod's images as nodes name them, each as often as the pod names it."""
    for container in (*pod.spec.init_containers, *pod.spec.containers):
        yield _with_tag(container.image)
    for volume in pod.spec.volumes:
        if volume.image is not None:
            yield _with_tag(volume.image.reference)


def _with_tag(image: str) -> str:
    has_tag = image.rfind(":") > image.rfind("/")  # else it is the port of a registry
    return image if has_tag else f"{image}:latest"
