"""Patches of objects. Law: functions of values; no argument is changed.

`apply_patch` is what a PATCH request comes to; each of the three kinds can be applied by itself.
"""

from pilotfish.cluster.patches.apply import apply_patch, check_patch_type
from pilotfish.cluster.patches.errors import (
    InapplicablePatchError,
    MalformedPatchError,
    PatchError,
)
from pilotfish.cluster.patches.json_patch import json_patch
from pilotfish.cluster.patches.merge_patch import merge_patch
from pilotfish.cluster.patches.strategic import strategic_merge_patch

__all__ = [
    "InapplicablePatchError",
    "MalformedPatchError",
    "PatchError",
    "apply_patch",
    "check_patch_type",
    "json_patch",
    "merge_patch",
    "strategic_merge_patch",
]
