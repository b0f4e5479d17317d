import pytest
import yaml

from pilotfish.apiserver.json_text import MalformedTextError
from pilotfish.apiserver.yaml_text import MAX_DEPTH, decode_yaml, encode_yaml


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("[y, No, on, 'on', TRUE, yEs]", [True, False, True, "on", True, "yEs"]),
        ("[~, null, '', !!str null]", [None, None, "", "null"]),
        ("[0, -7, +7, 1_000, 0x1F, 0o17, 017, 0b11]", [0, -7, 7, 1000, 31, 15, 15, 3]),
        ("[08, 1., .5, -1.5e3, 1e3, 99999999999999999999]", [8.0, 1.0, 0.5, -1500.0, 1000.0, 1e20]),
        (
            "[2026-11-22, 1:30, 1:30.5, 500m, 0x, 1e999, -, .]",
            ["2026-11-22", "1:30", "1:30.5", "500m", "0x", "1e999", "-", "."],
        ),
        ("[18446744073709551615, !!float 1, !!int '3']", [2**64 - 1, 1.0, 3]),
        (
            "{on: 1, 5: 2, 1.5: 3, '<<': 4, a: <<}",
            {"true": 1, "5": 2, "1.5": 3, "<<": 4, "a": "<<"},
        ),
        ("{a: 1, a: 2}", {"a": 2}),
        ("- >\n folded\n text\n- |\n kept\n text\n", ["folded text\n", "kept\ntext\n"]),
        ('"\\u00e4\\t"', "\u00e4\t"),
    ],
)
def test_yaml_means_what_kubectl_takes_it_for(text: str, meaning: object) -> None:
    [document] = decode_yaml(text)
    assert repr(document) == repr(meaning)  # 1 is not 1.0 here


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
        "a: !!map [x]",
        "a: !!int x",
        "a: -.INF",
        "~: x",
        "a: *b",
        "a: &b [*b]",
        "a: &b x\n---\na: *b",
        "<<: x",
        "<<: [x]",
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


def test_merge_keys_are_written_out_and_yield_to_what_is_said() -> None:
    [document] = decode_yaml(
        "a: &a {p: 1, q: 2}\nb: {<<: *a, q: 3}\nc: {z: 0, <<: [{z: 1, q: 4}, *a]}"
    )
    assert document["b"] == {"p": 1, "q": 3}
    assert document["c"] == {"p": 1, "q": 4, "z": 0}


def test_what_is_shared_can_be_changed_in_one_place() -> None:
    [document] = decode_yaml("a: &a {x: [1]}\nb: *a\nc: {<<: *a}")
    document["b"]["x"].append(2)
    document["c"]["x"].append(3)
    assert document == {"a": {"x": [1]}, "b": {"x": [1, 2]}, "c": {"x": [1, 3]}}


def test_mistake_is_named_with_its_line() -> None:
    with pytest.raises(MalformedTextError, match=r"^yaml: line 3: unknown anchor 'x' referenced$"):
        decode_yaml("a: 1\nb:\n  c: *x\n")


def test_written_yaml_reads_the_same_and_repeats_what_is_shared() -> None:
    shared = {"x": "yes"}
    obj = {"b": shared, "a": shared, "long": "word " * 99 + "word"}
    text = encode_yaml(obj)
    assert yaml.safe_load(text) == obj
    assert text.startswith(b"a:\n  x: 'yes'\nb:\n  x: 'yes'\nlong: word")
    assert text.count(b"\n") == 5


@pytest.mark.parametrize(
    "text", ["y", "N", "1e3", "0o17", "0x1f", "+1", "1:30", "<<", "~", "-", ""]
)
def test_written_text_is_read_as_text(text: str) -> None:
    assert decode_yaml(encode_yaml({"a": text})) == [{"a": text}]
