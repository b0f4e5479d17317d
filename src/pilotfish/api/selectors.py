"""Label, field and node selectors with upstream's matching rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from pilotfish.api.meta import ApiStruct

NODE_NAME_FIELD: Final = "metadata.name"  # the only field of a node that can be selected on

_INTEGER = re.compile(r"[+-]?[0-9]{1,63}")  # a label value has at most 63 characters
_NOT_FIELD_VALUE = re.compile(r"(?:[^\\,=]|\\[\\,=])*+(\\.?|[,=])", re.DOTALL)
_FIELD_TERM = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL)


class MalformedSelectorError(ValueError):
    """A selector that upstream would refuse."""


class LabelSelectorRequirement(ApiStruct, frozen=True):
    """One condition on one label."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_values(self.operator, self.values)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether the labels meet the condition.

        `NotIn` and `DoesNotExist` are met where the label is absent.

        Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/labels/selector.go.
        """
        return _meets(labels, self.key, self.operator, self.values)


class LabelSelector(ApiStruct, frozen=True):
    """Conditions on labels, all of which must hold.

    The empty selector matches everything. An absent one, None, matches nothing: its holder says so.
    """

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()

    def __hash__(self) -> int:
        return hash((frozenset(self.match_labels.items()), self.match_expressions))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether the labels meet every condition.

        Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go.
        """
        for key, value in self.match_labels.items():
            if labels.get(key) != value:
                return False
        return all(requirement.matches(labels) for requirement in self.match_expressions)


class NodeSelectorRequirement(ApiStruct, frozen=True):
    """One condition on one label, or field, of a node."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_values(self.operator, self.values)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether the labels meet the condition.

        `Gt` and `Lt` compare int64s; where the label or the value is none, they are not met.

        Source: as `LabelSelectorRequirement.matches`. differs: `Gt` and `Lt` of a value that is no
            integer make upstream refuse a pod that has them in a preferred term.
        """
        if self.operator not in ("Gt", "Lt"):
            return _meets(labels, self.key, self.operator, self.values)
        actual, bound = int64(labels.get(self.key, "")), int64(self.values[0])
        if actual is None or bound is None:
            return False
        return actual > bound if self.operator == "Gt" else actual < bound

    def matches_name(self, name: str) -> bool:
        """Say whether a node of this name meets the condition, read as one on a field.

        Fields other than the name read as empty.

        Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/fields/selector.go.
        """
        actual = name if self.key == NODE_NAME_FIELD else ""
        return (actual == self.values[0]) is (self.operator == "In")


class NodeSelectorTerm(ApiStruct, frozen=True):
    """Conditions on a node, all of which must hold; without any the term matches nothing.

    That an empty term matches nothing holds for required and for preferred terms.

    Source: kubernetes v1.36
        staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go.
    """

    match_expressions: tuple[NodeSelectorRequirement, ...] = ()
    match_fields: tuple[NodeSelectorRequirement, ...] = ()

    def __post_init__(self) -> None:
        for requirement in self.match_fields:
            if requirement.operator not in ("In", "NotIn") or len(requirement.values) != 1:
                raise MalformedSelectorError(
                    f"matchFields of {requirement.key} need the operator In or NotIn and one value"
                )

    def matches(self, labels: Mapping[str, str], name: str) -> bool:
        """Say whether a node with these labels and this name meets every condition."""
        if not self.match_expressions and not self.match_fields:
            return False
        return all(r.matches(labels) for r in self.match_expressions) and all(
            r.matches_name(name) for r in self.match_fields
        )


class NodeSelector(ApiStruct, frozen=True):
    """Terms of which one must match; without any the selector matches nothing.

    Source: as `NodeSelectorTerm`. differs: a malformed term is an error of the whole pod when it
        is decoded; upstream passes over it, and the API server admits none.
    """

    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()

    def matches(self, labels: Mapping[str, str], name: str) -> bool:
        """Say whether a node with these labels and this name meets one of the terms."""
        return any(term.matches(labels, name) for term in self.node_selector_terms)


class FieldRequirement(ApiStruct, frozen=True):
    """One condition on one field: its text equals the value, or differs from it."""

    field: str
    value: str
    equal: bool = True


class FieldSelector(ApiStruct, frozen=True):
    """Conditions on fields, all of which must hold."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Say whether the fields, by path, meet every condition; an absent field reads as empty."""
        return all((fields.get(r.field, "") == r.value) is r.equal for r in self.requirements)


def parse_field_selector(text: str) -> FieldSelector:
    r"""Read a field selector such as `spec.nodeName=,status.phase!=Failed`.

    In values, `\\`, `\,` and `\=` stand for the second character.

    Raises:
        MalformedSelectorError: The text is no field selector.

    Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/fields/selector.go.
    """
    requirements = []
    for part in filter(None, _split_field_terms(text)):
        match = _FIELD_TERM.fullmatch(part)
        if match is None:
            raise MalformedSelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        field, operator, value = match.groups()
        if field or value:  # upstream drops a lone operator
            requirements.append(FieldRequirement(field, _plain(value), operator != "!="))
    return FieldSelector(tuple(requirements))


def _plain(value: str) -> str:
    """Take the backslashes out of the value of a field."""
    bad = _NOT_FIELD_VALUE.match(value)
    if bad is not None:
        if bad[1].startswith("\\"):
            raise MalformedSelectorError(
                f"invalid field selector: invalid escape sequence: {bad[1]}"
            )
        code = ord(bad[1])  # as upstream writes it
        raise MalformedSelectorError(
            f"invalid field selector: unescaped character in value: {code}"
        )
    return re.sub(r"\\(.)", r"\1", value)


def _split_field_terms(text: str) -> Iterator[str]:
    """Split at the commas that no backslash precedes."""
    start, escaped = 0, False
    for position, character in enumerate(text):
        if character == "," and not escaped:
            yield text[start:position]
            start = position + 1
        escaped = character == "\\" and not escaped
    yield text[start:]


def _meets(labels: Mapping[str, str], key: str, operator: str, values: tuple[str, ...]) -> bool:
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _check_values(operator: str, values: tuple[str, ...]) -> None:
    """Refuse values that do not go with the operator, as the API server does.

    What it lets pass must be decoded: a pod that runs counts, whatever its selectors say.

    Source: kubernetes v1.36 pkg/apis/core/validation/validation.go.
    """
    match operator:
        case "In" | "NotIn":
            if not values:
                raise MalformedSelectorError(f"the operator {operator} needs at least one value")
        case "Exists" | "DoesNotExist":
            if values:
                raise MalformedSelectorError(f"the operator {operator} takes no values")
        case "Gt" | "Lt":
            if len(values) != 1:
                raise MalformedSelectorError(f"the operator {operator} needs exactly one value")


def int64(text: str) -> int | None:
    """Read a whole number in decimal, such as `Gt` and `Lt` compare; None where it is none."""
    if _INTEGER.fullmatch(text) is None:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
