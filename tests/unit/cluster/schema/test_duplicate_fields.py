import pytest

from pilotfish.cluster.schema import duplicate_fields


def test_fields_that_are_named_twice_are_found_at_any_depth() -> None:
    text = b'{"a": 1, "b": [{"c": 1, "d": {"e": 1, "e": 2}, "c": 3}], "a": 4}'
    assert duplicate_fields(text) == {"a", "b[0].c", "b[0].d.e"}


def test_what_the_second_of_two_fields_hides_is_not_found() -> None:
    assert duplicate_fields(b'{"a": {"b": 1, "b": 2}, "a": 3}') == {"a"}


def test_same_name_in_two_objects_is_no_duplicate() -> None:
    assert duplicate_fields(b'[{"a": 1}, {"a": {"a": null}}]') == frozenset()


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_nothing_is_said_of_what_is_no_json_or_too_deep(text: bytes) -> None:
    assert duplicate_fields(text) == frozenset()


def test_many_duplicates_take_no_longer_than_many_fields() -> None:
    assert duplicate_fields(b'{"a":1,' + b'"a":1,' * 100_000 + b'"b":2}') == {"a"}
    different = b",".join(b'"%d":1' % i for i in range(20_000))
    assert duplicate_fields(b"{" + different + b"," + different + b"}") != frozenset()
