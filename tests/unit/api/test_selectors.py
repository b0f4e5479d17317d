import re

import msgspec
import pytest

from pilotfish.api.selectors import (
    FieldRequirement,
    FieldSelector,
    LabelSelector,
    LabelSelectorRequirement,
    MalformedSelectorError,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    parse_field_selector,
)

IN_A = LabelSelectorRequirement("k", "In", ("a", "b"))
NOT_IN_A = LabelSelectorRequirement("k", "NotIn", ("a", "b"))
EXISTS = LabelSelectorRequirement("k", "Exists")
ABSENT = LabelSelectorRequirement("k", "DoesNotExist")


@pytest.mark.parametrize(
    ("requirement", "labels", "matches"),
    [
        (IN_A, {"k": "a"}, True),
        (IN_A, {"k": "c"}, False),
        (IN_A, {}, False),
        (NOT_IN_A, {"k": "a"}, False),
        (NOT_IN_A, {"k": "c"}, True),
        (NOT_IN_A, {}, True),
        (EXISTS, {"k": ""}, True),
        (EXISTS, {"other": "a"}, False),
        (ABSENT, {"k": ""}, False),
        (ABSENT, {"other": "a"}, True),
    ],
)
def test_label_requirement_table(
    requirement: LabelSelectorRequirement, labels: dict[str, str], *, matches: bool
) -> None:
    assert requirement.matches(labels) is matches
    as_node = NodeSelectorRequirement(requirement.key, requirement.operator, requirement.values)
    assert as_node.matches(labels) is matches


@pytest.mark.parametrize(
    ("operator", "value", "label", "matches"),
    [
        ("Gt", "5", "6", True),
        ("Gt", "5", "5", False),
        ("Gt", "5", "10", True),
        ("Lt", "5", "4", True),
        ("Lt", "5", "5", False),
        ("Lt", "5", "-7", True),
        ("Lt", "5", "007", False),
        ("Gt", "5", "six", False),
        ("Lt", "5", "", False),
        ("Lt", "5", None, False),
        ("Gt", "5", "9223372036854775808", False),
        ("Gt", "five", "6", False),
        ("Lt", "five", "6", False),
    ],
)
def test_comparison_table(operator: str, value: str, label: str | None, *, matches: bool) -> None:
    content = {"key": "k", "operator": operator, "values": [value]}
    requirement = msgspec.convert(content, NodeSelectorRequirement)
    assert requirement.matches({} if label is None else {"k": label}) is matches


def test_empty_label_selector_matches_everything() -> None:
    assert LabelSelector().matches({})
    assert LabelSelector().matches({"k": "a"})


def test_label_selector_needs_every_label_and_every_expression() -> None:
    selector = LabelSelector({"app": "web"}, (EXISTS,))
    assert selector.matches({"app": "web", "k": "x"})
    assert not selector.matches({"app": "web"})
    assert not selector.matches({"app": "db", "k": "x"})
    assert not selector.matches({"k": "x"})


def test_an_empty_value_is_not_an_absent_label() -> None:
    assert LabelSelector({"k": ""}).matches({"k": ""})
    assert not LabelSelector({"k": ""}).matches({})


def test_equal_label_selectors_are_one_dictionary_key() -> None:
    one = LabelSelector({"a": "1", "b": "2"}, (EXISTS,))
    two = LabelSelector({"b": "2", "a": "1"}, (EXISTS,))
    assert {one: "x"}[two] == "x"
    assert LabelSelector({"a": "1"}) not in {one: "x"}


def test_empty_node_selector_term_matches_nothing() -> None:
    assert not NodeSelectorTerm().matches({"k": "a"}, "n1")
    assert not NodeSelector((NodeSelectorTerm(),)).matches({"k": "a"}, "n1")


def test_node_selector_without_terms_matches_nothing() -> None:
    assert not NodeSelector().matches({"k": "a"}, "n1")


def test_one_node_selector_term_suffices() -> None:
    a = NodeSelectorTerm((NodeSelectorRequirement("k", "In", ("a",)),))
    b = NodeSelectorTerm((NodeSelectorRequirement("k", "In", ("b",)),))
    selector = NodeSelector((a, b))
    assert selector.matches({"k": "b"}, "n1")
    assert not selector.matches({"k": "c"}, "n1")


def test_node_selector_term_needs_expressions_and_fields() -> None:
    term = NodeSelectorTerm(
        (NodeSelectorRequirement("k", "Exists"),),
        (NodeSelectorRequirement("metadata.name", "In", ("n1",)),),
    )
    assert term.matches({"k": ""}, "n1")
    assert not term.matches({"k": ""}, "n2")
    assert not term.matches({}, "n1")


def test_node_selector_term_can_exclude_a_name() -> None:
    term = NodeSelectorTerm((), (NodeSelectorRequirement("metadata.name", "NotIn", ("n1",)),))
    assert term.matches({}, "n2")
    assert not term.matches({}, "n1")


def test_fields_other_than_the_name_read_as_empty() -> None:
    term = NodeSelectorTerm((), (NodeSelectorRequirement("spec.other", "In", ("n1",)),))
    assert not term.matches({}, "n1")
    term = NodeSelectorTerm((), (NodeSelectorRequirement("spec.other", "NotIn", ("n1",)),))
    assert term.matches({}, "n1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"key": "k", "operator": "In"}, "the operator In needs at least one value"),
        ({"key": "k", "operator": "NotIn", "values": []}, "the operator NotIn needs at least one"),
        (
            {"key": "k", "operator": "Exists", "values": ["a"]},
            "the operator Exists takes no values",
        ),
        (
            {"key": "k", "operator": "DoesNotExist", "values": ["a"]},
            "the operator DoesNotExist takes no values",
        ),
        ({"key": "k", "operator": "Gt"}, "the operator Gt needs exactly one value"),
        ({"key": "k", "operator": "Lt", "values": ["1", "2"]}, "the operator Lt needs exactly one"),
        ({"key": "k", "operator": "Near", "values": ["1"]}, "Invalid enum value 'Near'"),
    ],
)
def test_values_that_do_not_go_with_the_operator_are_refused(
    content: dict[str, object], message: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(content, NodeSelectorRequirement)


@pytest.mark.parametrize(
    "field",
    [
        {"key": "metadata.name", "operator": "Exists"},
        {"key": "metadata.name", "operator": "In", "values": ["a", "b"]},
        {"key": "metadata.name", "operator": "Gt", "values": ["1"]},
    ],
)
def test_field_conditions_take_in_or_not_in_and_one_value(field: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"matchFields of .* need"):
        msgspec.convert({"matchFields": [field]}, NodeSelectorTerm)


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", []),
        ("spec.nodeName=", [("spec.nodeName", "", True)]),
        (
            "spec.nodeName=n1,status.phase!=Failed",
            [("spec.nodeName", "n1", True), ("status.phase", "Failed", False)],
        ),
        ("a==b,,", [("a", "b", True)]),
        (r"a=b\,c\=d\\", [("a", r"b,c=d" + "\\", True)]),
    ],
)
def test_field_selector_text(text: str, requirements: list[tuple[str, str, bool]]) -> None:
    assert parse_field_selector(text) == FieldSelector(
        tuple(FieldRequirement(*requirement) for requirement in requirements)
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=\b", r"invalid field selector: invalid escape sequence: \b"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_malformed_field_selector_text_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(MalformedSelectorError, match=f"^{re.escape(why)}$"):
        parse_field_selector(text)


def test_field_selector_takes_an_absent_field_for_empty() -> None:
    unbound = parse_field_selector("spec.nodeName=")
    assert unbound.matches({})
    assert not unbound.matches({"spec.nodeName": "n1"})
    bound = parse_field_selector("spec.nodeName!=")
    assert bound.matches({"spec.nodeName": "n1"})
    assert not bound.matches({})
