import pytest
import yaml

from pilotfish.apiserver.json_and_yaml import (
    MAX_DEPTH,
    MalformedTextError,
    decode_json,
    decode_yaml,
    encode_yaml,
)


def test_yaml_means_what_json_can_say() -> None:
    [document] = decode_yaml("{day: 2026-11-22, time: 1:30, on: yes, n: 0x10, 5: null, f: 1.5}")
    assert document == {
        "day": "2026-11-22",
        "time": "1:30",
        "true": True,
        "n": 16,
        "5": None,
        "f": 1.5,
    }


def test_several_documents_are_read_and_empty_ones_left_out() -> None:
    assert decode_yaml("a: 1\n---\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: .nan",
        "a: !!set {x}",
        "? [x]\n: y",
        "a: !!python/object:os.system x",
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
    ],
)
def test_yaml_that_json_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(MalformedTextError):
        decode_yaml(text)


def test_few_aliases_cannot_stand_for_billions_of_nodes() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(MalformedTextError, match="excessive aliasing"):
        decode_yaml("\n".join(lines))


def test_few_merge_keys_cannot_stand_for_billions_of_fields() -> None:
    fields = ", ".join(f"k{n}: 1" for n in range(2000))
    many = ", ".join(["{<<: *a}"] * 20_000)
    with pytest.raises(MalformedTextError, match="excessive aliasing"):
        decode_yaml(f"a: &a {{{fields}}}\nb: [{many}]")


def test_merge_keys_are_written_out() -> None:
    [document] = decode_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}")
    assert document["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b"[" * 100_000, "exceeded max depth"),
        (b"NaN", "invalid"),
    ],
)
def test_malformed_json_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(MalformedTextError, match=why):
        decode_json(text)


def test_written_yaml_reads_the_same_and_repeats_what_is_shared() -> None:
    shared = {"x": "yes"}
    obj = {"b": shared, "a": shared, "long": "word " * 99 + "word"}
    text = encode_yaml(obj)
    assert yaml.safe_load(text) == obj
    assert text.startswith(b"a:\n  x: 'yes'\nb:\n  x: 'yes'\nlong: word")
    assert text.count(b"\n") == 5
