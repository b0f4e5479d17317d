"""Types of the kinds that are served. Law: facts come from the derived table, rules from functions.

`Schema.load()` gives the shipped table; `check` reads an object as the real API server does,
`apply_defaults` fills in what it fills in, `openapi` describes the types to kubectl.
"""

from pilotfish.cluster.schema.duplicate_fields import duplicate_fields
from pilotfish.cluster.schema.schema import Decoded, FieldValidation, Gvk, Kind, Schema
from pilotfish.cluster.schema.table import Field, TypeInfo

__all__ = [
    "Decoded",
    "Field",
    "FieldValidation",
    "Gvk",
    "Kind",
    "Schema",
    "TypeInfo",
    "duplicate_fields",
]
