"""Who may do what: RBAC as upstream's, decided from the roles and bindings in the store."""

from pilotfish.cluster.rbac.aggregation import RoleAggregation
from pilotfish.cluster.rbac.attributes import (
    Attributes,
    PathAttributes,
    ResourceAttributes,
    request_attributes,
)
from pilotfish.cluster.rbac.authorizer import Authorizer, Decision
from pilotfish.cluster.rbac.bootstrap import bootstrap_objects
from pilotfish.cluster.rbac.escalation import EscalationCheck
from pilotfish.cluster.rbac.impersonation import impersonated
from pilotfish.cluster.rbac.reviews import Reviews
from pilotfish.cluster.rbac.validation import (
    binding_errors,
    binding_update_errors,
    role_errors,
)

__all__ = [
    "Attributes",
    "Authorizer",
    "Decision",
    "EscalationCheck",
    "PathAttributes",
    "ResourceAttributes",
    "Reviews",
    "RoleAggregation",
    "binding_errors",
    "binding_update_errors",
    "bootstrap_objects",
    "impersonated",
    "request_attributes",
    "role_errors",
]
