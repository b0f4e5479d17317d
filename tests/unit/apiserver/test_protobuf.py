"""Protobuf bodies, written here by hand as Go clients write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.json_text import MalformedTextError
from pilotfish.apiserver.protobuf import decode_protobuf


def varint(value: int) -> bytes:
    """Write a number."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """Write a field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def message(*fields: tuple[int, int | bytes | str]) -> bytes:
    """Write a message."""
    return b"".join(field(number, value) for number, value in fields)


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    """Write an object in its envelope."""
    names = message((1, api_version), (2, kind))
    return b"k8s\x00" + message((1, names), (2, raw), (3, ""), (4, ""))


def metadata(name: str) -> bytes:
    """Write metadata as Go does: texts and numbers even where they are empty."""
    label = message((1, "app"), (2, "web"))
    return message((1, name), (2, ""), (3, ""), (5, ""), (7, 0), (8, b""), (11, label))


def decoded(api_version: str, kind: str, *fields: tuple[int, int | bytes | str]) -> dict[str, Any]:
    """Write an object and read it."""
    return decode_protobuf(envelope(api_version, kind, message(*fields)))


def test_object_is_read_without_what_json_leaves_out() -> None:
    assert decoded("v1", "ConfigMap", (1, metadata("a")), (2, message((1, "k"), (2, "v")))) == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a", "labels": {"app": "web"}},
        "data": {"k": "v"},
    }


def test_inline_fields_belong_to_the_object_around_them() -> None:
    empty_dir = message((1, "v"), (2, message((2, b""))))
    pod = decoded("v1", "Pod", (2, message((1, empty_dir))))
    assert pod["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_quantities_times_and_ports_have_their_json_forms() -> None:
    request = message((1, "cpu"), (2, message((1, "250m"))))
    probe = message((1, message((2, message((2, message((1, 1), (3, "http"))))))))
    container = message((1, "c"), (8, message((2, request))), (10, probe))
    pod = decoded("v1", "Pod", (2, message((2, container))))["spec"]["containers"][0]
    assert pod["resources"] == {"requests": {"cpu": "250m"}}
    assert pod["livenessProbe"]["httpGet"]["port"] == "http"
    lease = decoded(
        "coordination.k8s.io/v1",
        "Lease",
        (2, message((1, "me"), (2, 15), (4, message((1, 60), (2, 5_000))))),
    )
    assert lease["spec"]["renewTime"] == "1970-01-01T00:01:00.000005Z"
    assert lease["spec"]["leaseDurationSeconds"] == 15


def test_pointer_to_nothing_is_kept() -> None:
    """`storageClassName: ""` is not the same as none."""
    claim = decoded("v1", "PersistentVolumeClaim", (2, message((5, ""))))
    assert claim["spec"] == {"storageClassName": ""}


def test_negative_numbers_are_read() -> None:
    priority = decoded("scheduling.k8s.io/v1", "PriorityClass", (1, metadata("low")), (2, -5))
    assert priority["value"] == -5


def test_bytes_are_base64() -> None:
    secret = decoded("v1", "Secret", (2, message((1, "k"), (2, b"\x00\x01"))))
    assert secret["data"] == {"k": "AAE="}


def test_numbers_that_nobody_knows_are_left_out() -> None:
    assert decoded("v1", "ConfigMap", (1, metadata("a")), (999, 5)).keys() == {
        "kind",
        "apiVersion",
        "metadata",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s\x00",
        b"k8s\x00\x0a\x7f",
        b"k8s\x00" + b"\xff" * 11,
        b"k8s\x00\x0b",
        envelope("v1", "Widget", b""),
        envelope("v1", "ConfigMap", b"\x0a\x05ab"),
        envelope("v1", "ConfigMap", field(1, 7)),
        envelope("v1", "ConfigMap", field(1, field(1, b"\xff\xfe"))),
    ],
)
def test_malformed_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedTextError):
        decode_protobuf(body)


@given(st.binary(max_size=60), st.sampled_from(["Pod", "Node", "ConfigMap", "DeleteOptions"]))
def test_any_bytes_are_read_or_refused(raw: bytes, kind: str) -> None:
    try:
        obj = decode_protobuf(envelope("v1", kind, raw))
    except MalformedTextError:
        return
    assert obj["kind"] == kind
