"""Why a patch cannot be applied.

PatchError
├── MalformedPatchError    the patch is none of its kind: 400
└── InapplicablePatchError it does not fit the object: 422, in words that say nothing
"""


class PatchError(Exception):
    """A patch cannot be applied; the message is upstream's where clients see it."""


class MalformedPatchError(PatchError):
    """The patch breaks the rules of its kind."""


class InapplicablePatchError(PatchError):
    """A JSON patch, well formed, that does not fit the object, or whose test failed."""
