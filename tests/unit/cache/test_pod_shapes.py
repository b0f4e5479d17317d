import gc

from make import pod
from pilotfish.cache.pod_shapes import LARGEST_REQUEST, PodShapes


def test_equal_shapes_are_one_object() -> None:
    shapes = PodShapes()
    one = shapes.pod_info(pod("one", cpu="100m", host_ports=[80]), "a")
    other = shapes.pod_info(pod("other", cpu="0.1", host_ports=[80], labels={"a": "b"}), "b")
    assert one.shape is other.shape


def test_different_shapes_differ() -> None:
    shapes = PodShapes()
    pods = [
        pod("p", cpu="100m"),
        pod("p", cpu="200m"),
        pod("p", cpu="100m", memory="1Mi"),
        pod("p", cpu="100m", host_ports=[80]),
    ]
    infos = [shapes.pod_info(one, "a") for one in pods]
    assert len({id(info.shape) for info in infos}) == len(pods)


def test_a_shape_goes_with_its_last_pod() -> None:
    shapes = PodShapes()
    one, other = (shapes.pod_info(pod(name, cpu="1"), "a") for name in ("one", "other"))
    del one
    assert len(shapes) == 1
    del other
    gc.collect()
    assert len(shapes) == 0


def test_a_pod_is_described_as_it_is() -> None:
    terminating = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    info = PodShapes().pod_info(
        pod(
            "p",
            namespace="red",
            labels={"app": "x"},
            priority=7,
            metadata=terminating,
            status={"startTime": "2025-01-01T00:00:00Z"},
        ),
        "a",
    )
    assert (info.key, info.uid, info.node_name) == ("red/p", "uid-p", "a")
    assert (info.labels, info.priority) == ({"app": "x"}, 7)
    assert (info.start_time, info.is_terminating) == ("2025-01-01T00:00:00Z", True)


def test_an_absurd_request_cannot_overflow_the_sum_of_a_node() -> None:
    info = PodShapes().pod_info(pod("p", cpu="9E", memory="8Ei"), "a")
    assert info.shape.requests == {"cpu": LARGEST_REQUEST, "memory": LARGEST_REQUEST}
    assert info.shape.non_zero_milli_cpu == LARGEST_REQUEST
    assert info.shape.non_zero_memory_bytes == LARGEST_REQUEST
