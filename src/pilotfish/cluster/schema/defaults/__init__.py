"""Upstream's defaulting: constants from the table, rules from the functions of this package.

Each rule is a function of one type's object in wire form, where absent means unset; it changes the
object in place and leaves alone what is set. Rules are found by the name of the type, and run from
the outside in.

Source: kubernetes v1.36 pkg/apis/*/v1/defaults.go and zz_generated.defaults.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pilotfish.cluster.schema.defaults import core, pods, resources, services, workloads
from pilotfish.cluster.schema.table import Field, Table, TypeInfo

JsonObject = dict[str, Any]

RULES: Final[dict[str, Callable[[JsonObject], None]]] = {
    **core.RULES,
    **pods.RULES,
    **resources.RULES,
    **services.RULES,
    **workloads.RULES,
}


class _Plan:
    """What there is to do in objects of one type."""

    __slots__ = ("below", "constants", "rule")

    def __init__(self, info: TypeInfo) -> None:
        self.rule = RULES.get(info.name)
        self.constants: list[tuple[str, str | int]] = [
            (name, field.default)
            for name, field in info.fields.items()
            if isinstance(field.default, str | int) and field.default and field.empty != "fill"
        ]
        self.below: list[tuple[str, Field]] = []

    def __bool__(self) -> bool:
        return bool(self.rule or self.constants or self.below)


class Defaults:
    """Defaulting for the types of a table."""

    def __init__(self, table: Table) -> None:
        self._plans: dict[str, _Plan] = {}
        for info in table.types.values():
            self._find_plan(info)

    def apply(self, info: TypeInfo, obj: JsonObject) -> None:
        """Default an object of a type, in place."""
        if (plan := self._plans.get(info.name)) is not None:
            self._apply(plan, obj)

    def _apply(self, plan: _Plan, obj: JsonObject) -> None:
        if plan.rule is not None:
            plan.rule(obj)
        for name, constant in plan.constants:
            obj.setdefault(name, constant)
        for name, field in plan.below:
            if (value := obj.get(name)) is not None:
                self._descend(field, value)

    def _descend(self, field: Field, value: Any) -> None:
        if field.items is None:
            self._apply(self._plans[field.ref], value)
            return
        for item in value.values() if field.type == "map" else value:
            self._descend(field.items, item)

    def _find_plan(self, info: TypeInfo) -> bool:
        """Keep a type's plan if it has something to do; no type contains itself."""
        if info.name in self._plans:
            return True
        plan = _Plan(info)
        for name, field in info.fields.items():
            inner = field
            while inner.items is not None:
                inner = inner.items
            if inner.info is not None and self._find_plan(inner.info):
                plan.below.append((name, field))
        if plan:
            self._plans[info.name] = plan
        return bool(plan)
