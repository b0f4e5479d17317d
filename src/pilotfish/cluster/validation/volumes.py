"""Validation of the volumes of pods.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: sources of outside storage
    are not checked beyond their shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.names import dns_label

MAX_MODE: Final = 0o777
MODE_WORDS: Final = "must be a number between 0 and 0777 (octal), both inclusive"
REFERENCES: Final = {
    "configMap": "name",
    "hostPath": "path",
    "persistentVolumeClaim": "claimName",
    "secret": "secretName",
}
"""By source: the field without which it refers to nothing."""


def volume_errors(volumes: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the volumes of a pod."""
    names = set()
    for i, volume in enumerate(volumes or ()):
        at, name = f"{path}[{i}]", volume.get("name", "")
        yield from _source_errors(volume, at)
        if not name:
            yield field_required(f"{at}.name")
        for problem in dns_label(name) if name else ():
            yield field_invalid(f"{at}.name", name, problem)
        if name in names:
            yield field_duplicate(f"{at}.name", name)
        names.add(name)


def _source_errors(volume: JsonObject, path: str) -> Iterator[FieldError]:
    sources = [field for field in volume if field != "name"]
    if not sources:
        yield field_required(path, "must specify a volume type")
    for source in sources[1:]:
        yield field_forbidden(f"{path}.{source}", "may not specify more than 1 volume type")
    for source in sources[:1]:
        content = volume[source] or {}
        reference = REFERENCES.get(source)
        if reference and not content.get(reference):
            yield field_required(f"{path}.{source}.{reference}")
        mode = content.get("defaultMode", 0)
        if not 0 <= mode <= MAX_MODE:
            yield field_invalid(f"{path}.{source}.defaultMode", mode, MODE_WORDS)
