"""What roles and bindings add to the life of objects: their own validation."""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.cluster.field_errors import FieldError
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac.validation import binding_errors, binding_update_errors, role_errors
from pilotfish.cluster.strategies.plain import RbacStrategy


class RoleStrategy(RbacStrategy):
    """Roles and ClusterRoles."""

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the rules and the aggregation."""
        return role_errors(obj, namespaced=self.resource.namespaced)


class RoleBindingStrategy(RbacStrategy):
    """RoleBindings and ClusterRoleBindings."""

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the role's reference and the subjects."""
        return binding_errors(obj, namespaced=self.resource.namespaced)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield the same, and that the role may not change."""
        yield from self.validate(new)
        yield from binding_update_errors(new, old)
