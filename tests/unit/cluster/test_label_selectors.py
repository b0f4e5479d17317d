"""The text of label selectors: what it means, and what is said to one that means nothing."""

import pytest

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.label_selectors import parse_label_selector

NO_INTEGER = "for 'Gt', 'Lt' operators, the value must be an integer"


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", []),
        ("  ", []),
        ("a", [("a", "Exists", ())]),
        ("!a", [("a", "DoesNotExist", ())]),
        ("a=b", [("a", "In", ("b",))]),
        ("a==b", [("a", "In", ("b",))]),
        ("a!=b", [("a", "NotIn", ("b",))]),
        ("a=", [("a", "In", ("",))]),
        ("a in (b, c)", [("a", "In", ("b", "c"))]),
        ("a notin (b)", [("a", "NotIn", ("b",))]),
        ("a in ()", [("a", "In", ("",))]),
        ("a in (,b)", [("a", "In", ("", "b"))]),
        ("in in (in,notin)", [("in", "In", ("in", "notin"))]),
        ("x.y/z = 1 , !b", [("x.y/z", "In", ("1",)), ("b", "DoesNotExist", ())]),
        ("a > 1", [("a", "Gt", ("1",))]),
        ("a<2", [("a", "Lt", ("2",))]),
        ("a in (c,b,c,)", [("a", "In", ("", "b", "c"))]),
        (
            "a in (b,c),!d,e!=f",
            [("a", "In", ("b", "c")), ("d", "DoesNotExist", ()), ("e", "NotIn", ("f",))],
        ),
    ],
)
def test_label_selector_text(text: str, requirements: list[object]) -> None:
    found = parse_label_selector(text).requirements
    assert [(r.key, r.operator, r.values) for r in found] == requirements


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
    ],
)
def test_malformed_label_selector_says_what_was_expected(text: str, why: str) -> None:
    with pytest.raises(StatusError) as caught:
        parse_label_selector(text)
    assert (caught.value.code, caught.value.message) == (400, why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "found '', expected: identifier"),
        ("a=!b", "found '!', expected: identifier"),
        ("a in b", "found 'b' expected: '('"),
        ("a in (", "found '', expected: ',', ')' or identifier"),
        ("a in (b", "found '', expected: ',' or ')'"),
        ("a in (b,", "found '', expected: ',', or identifier"),
        ("a in (b c)", "found 'c', expected: ',' or ')'"),
        ("/a", '<nil>: Invalid value: "/a": prefix part must be non-empty'),
        ("a<b", f'values[0]: Invalid value: "b": {NO_INTEGER}'),
        (
            "a in (b," + "x" * 64 + ")",
            f'values[1][a]: Invalid value: "{"x" * 64}": must be no more than 63 bytes',
        ),
    ],
)
def test_malformed_requirement_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(StatusError) as caught:
        parse_label_selector(text)
    assert caught.value.message == f"unable to parse requirement: {why}"
