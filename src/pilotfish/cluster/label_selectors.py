"""The text of label selectors, as `kubectl -l` takes it, read and refused as upstream does.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/labels/selector.go.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from pilotfish.api.selectors import NodeSelectorRequirement, int64
from pilotfish.cluster.errors import StatusError, bad_request
from pilotfish.cluster.field_errors import FieldError, aggregate, field_invalid
from pilotfish.cluster.validation.names import label_value, qualified_name

OPERATORS: Final = "in, notin, =, ==, !=, gt, lt"

_TOKEN = re.compile(r"==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+")
_SYMBOLS: Final = frozenset(("==", "!=", *"=!(),<>", ""))
_END: Final = ""


class TextSelector(msgspec.Struct, frozen=True):
    """Conditions on labels, all of which must hold; unlike those in objects they may compare."""

    requirements: tuple[NodeSelectorRequirement, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether the labels meet every condition."""
        return all(requirement.matches(labels) for requirement in self.requirements)


def parse_label_selector(text: str) -> TextSelector:
    """Read a label selector such as `a in (b,c),!d,e!=f,g>1`.

    Raises:
        StatusError: 400: it is none.
    """
    return TextSelector(tuple(_Parser(text).requirements()))


class _Parser:
    """Recursive descent over the tokens of a label selector."""

    def __init__(self, text: str) -> None:
        self._tokens: deque[str] = deque((*_TOKEN.findall(text), _END))

    def requirements(self) -> Iterator[NodeSelectorRequirement]:
        if self._tokens[0] == _END:
            return
        wanted = "!, identifier, or 'end of string'"
        while True:
            if self._tokens[0] != "!" and self._tokens[0] in _SYMBOLS:
                raise bad_request(f"found '{self._tokens[0]}', expected: {wanted}")
            yield self._requirement()
            match self._tokens.popleft():
                case "":
                    return
                case ",":
                    wanted = "identifier after ','"
                case other:
                    raise bad_request(f"found '{other}', expected: ',' or 'end of string'")

    def _requirement(self) -> NodeSelectorRequirement:
        if is_negated := self._tokens[0] == "!":
            self._tokens.popleft()
        key = self._word()
        if problems := qualified_name(key):
            raise _refused(field_invalid("<nil>", key, "; ".join(problems)).text)
        if is_negated:
            return NodeSelectorRequirement(key, "DoesNotExist")
        if self._tokens[0] in (_END, ","):
            return NodeSelectorRequirement(key, "Exists")
        match self._tokens.popleft():
            case "=" | "==":
                requirement = NodeSelectorRequirement(key, "In", self._value())
            case "!=":
                requirement = NodeSelectorRequirement(key, "NotIn", self._value())
            case ">":
                requirement = NodeSelectorRequirement(key, "Gt", self._value())
            case "<":
                requirement = NodeSelectorRequirement(key, "Lt", self._value())
            case "in":
                requirement = NodeSelectorRequirement(key, "In", self._values())
            case "notin":
                requirement = NodeSelectorRequirement(key, "NotIn", self._values())
            case other:
                raise _refused(f"found '{other}', expected: {OPERATORS}")
        if errors := list(_value_errors(requirement)):
            raise _refused(aggregate(errors))
        return requirement

    def _word(self) -> str:
        if (token := self._tokens.popleft()) in _SYMBOLS:
            raise _refused(f"found '{token}', expected: identifier")
        return token

    def _value(self) -> tuple[str]:
        return ("",) if self._tokens[0] in (_END, ",") else (self._word(),)

    def _values(self) -> tuple[str, ...]:
        """Read a list in parentheses, in which a value may be left out: each once, in order."""
        values: set[str] = set()
        wanted = "',', ')' or identifier"
        if (found := self._tokens.popleft()) != "(":
            raise _refused(f"found '{found}' expected: '('")
        while True:
            if self._tokens[0] in (",", ")"):
                values.add("")
            elif self._tokens[0] in _SYMBOLS:
                raise _refused(f"found '{self._tokens[0]}', expected: {wanted}")
            else:
                values.add(self._tokens.popleft())
            match self._tokens.popleft():
                case ")":
                    return tuple(sorted(values))
                case ",":
                    wanted = "',', or identifier"
                case other:
                    raise _refused(f"found '{other}', expected: ',' or ')'")


def _value_errors(requirement: NodeSelectorRequirement) -> Iterator[FieldError]:
    if requirement.operator in ("Gt", "Lt") and int64(requirement.values[0]) is None:
        detail = "for 'Gt', 'Lt' operators, the value must be an integer"
        yield field_invalid("values[0]", requirement.values[0], detail)
    for i, value in enumerate(requirement.values):
        if problems := label_value(value):
            yield field_invalid(f"values[{i}][{requirement.key}]", value, "; ".join(problems))


def _refused(why: str) -> StatusError:
    return bad_request(f"unable to parse requirement: {why}")
