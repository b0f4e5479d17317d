"""Selectors: what is parsed evaluates as its parts say."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.api.selectors import (
    LabelSelector,
    LabelSelectorRequirement,
    NodeSelectorRequirement,
    parse_field_selector,
)
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.label_selectors import parse_label_selector

KEYS = ("a", "in", "x.io/b")
VALUES = ("", "1", "2", "notin")

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
keys = st.sampled_from(KEYS)
values = st.sets(st.sampled_from(VALUES), min_size=1, max_size=3).map(sorted).map(tuple)
requirements = st.one_of(
    st.builds(LabelSelectorRequirement, keys, st.sampled_from(("In", "NotIn")), values),
    st.builds(LabelSelectorRequirement, keys, st.sampled_from(("Exists", "DoesNotExist"))),
)


def _text(requirement: LabelSelectorRequirement | NodeSelectorRequirement) -> str:
    match requirement.operator:
        case "Exists":
            return requirement.key
        case "DoesNotExist":
            return f"!{requirement.key}"
        case "Gt" | "Lt" as operator:
            return f"{requirement.key}{'<>'[operator == 'Gt']}{requirement.values[0]}"
        case operator:
            return f"{requirement.key} {operator.lower()} ({','.join(requirement.values)})"


@given(st.lists(requirements, max_size=4))
def test_label_selector_text_reads_back(parts: list[LabelSelectorRequirement]) -> None:
    found = parse_label_selector(",".join(map(_text, parts))).requirements
    assert [(r.key, r.operator, r.values) for r in found] == [
        (r.key, r.operator, r.values) for r in parts
    ]


@given(st.lists(requirements, max_size=4), labels)
def test_label_selector_is_the_conjunction_of_its_requirements(
    parts: list[LabelSelectorRequirement], found: dict[str, str]
) -> None:
    expected = all(
        {
            "In": found.get(part.key) in part.values,
            "NotIn": part.key not in found or found[part.key] not in part.values,
            "Exists": part.key in found,
            "DoesNotExist": part.key not in found,
        }[part.operator]
        for part in parts
    )
    assert LabelSelector(match_expressions=tuple(parts)).matches(found) is expected


@given(requirements, labels)
def test_operators_come_in_opposites(part: LabelSelectorRequirement, found: dict[str, str]) -> None:
    opposite = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}
    content = {"key": part.key, "operator": opposite[part.operator], "values": part.values}
    negated = msgspec.convert(content, LabelSelectorRequirement)
    assert part.matches(found) is not negated.matches(found)


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
def test_comparisons_are_those_of_int64(actual: int, bound: int) -> None:
    in_range = all(-(2**63) <= n < 2**63 for n in (actual, bound))
    greater = NodeSelectorRequirement("k", "Gt", (str(bound),))
    assert greater.matches({"k": str(actual)}) is (in_range and actual > bound)
    less = NodeSelectorRequirement("k", "Lt", (str(bound),))
    assert less.matches({"k": str(actual)}) is (in_range and actual < bound)


@given(st.text(alphabet="ab1 =!(),<>in", max_size=12))
def test_any_label_selector_that_is_read_can_be_written_and_read_again(text: str) -> None:
    try:
        selector = parse_label_selector(text)
    except StatusError:
        return
    assert parse_label_selector(",".join(map(_text, selector.requirements))) == selector


@given(
    fields=st.dictionaries(st.sampled_from(("spec.a", "b")), st.text("x,=\\ ", max_size=5)),
    equal=st.booleans(),
)
def test_field_selector_of_escaped_values_matches_them(
    fields: dict[str, str], *, equal: bool
) -> None:
    operator = "=" if equal else "!="
    text = ",".join(f"{key}{operator}{_escape(value)}" for key, value in fields.items())
    assert parse_field_selector(text).matches(fields) is (equal or not fields)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
