"""Validation of the volumes of pods.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: sources of outside storage
    are not checked beyond their shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.api.quantity import Quantity
from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.claims import claim_spec_errors
from pilotfish.cluster.validation.metadata import driver_errors, template_metadata_errors
from pilotfish.cluster.validation.names import dns_label, dns_subdomain
from pilotfish.cluster.validation.references import (
    IN_VOLUMES,
    amount_reference_errors,
    field_reference_errors,
)

MAX_MODE: Final = 0o777
MODE_WORDS: Final = "must be a number between 0 and 0777 (octal), both inclusive"
REFERENCES: Final = {
    "configMap": "name",
    "hostPath": "path",
    "persistentVolumeClaim": "claimName",
    "secret": "secretName",
}
"""By source: the field without which it refers to nothing."""
SOURCES: Final = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs",
    "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte",
    "downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume",
    "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO",
    "csi", "ephemeral", "image",
)  # fmt: skip
"""In the order in which upstream looks: the first is meant, the others are too many."""
HOST_PATH_TYPES: Final = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
MIN_TOKEN_SECONDS: Final = 600


def volume_errors(
    volumes: list[JsonObject] | None, path: str
) -> tuple[list[FieldError], dict[str, JsonObject]]:
    """Give what is wrong with the volumes of a pod, and those that are sound, by name."""
    errors: list[FieldError] = []
    sound: dict[str, JsonObject] = {}
    for i, volume in enumerate(volumes or ()):
        at, name = f"{path}[{i}]", volume.get("name", "")
        own = list(_own_errors(volume, at))
        if name in sound:
            own.append(field_duplicate(f"{at}.name", name))
        errors += own
        if not own:
            sound[name] = volume
    return errors, sound


def descending_path_errors(text: str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a path that must not lead out of where it begins."""
    if text.startswith("/"):
        yield field_invalid(path, text, "must be a relative path")
    if ".." in text.split("/"):
        yield field_invalid(path, text, "must not contain '..'")


def _own_errors(volume: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with one volume, but for a name that another one has."""
    name = volume.get("name", "")
    yield from _source_errors(volume, path)
    if not name:
        yield field_required(f"{path}.name")
    for problem in dns_label(name) if name else ():
        yield field_invalid(f"{path}.name", name, problem)


def _source_errors(volume: JsonObject, path: str) -> Iterator[FieldError]:
    sources = [source for source in SOURCES if source in volume]
    if not sources:
        yield field_required(path, "must specify a volume type")
        return
    yield from _content_errors(sources[0], volume[sources[0]] or {}, f"{path}.{sources[0]}")
    for source in sources[1:]:
        shown = "cephFS" if source == "cephfs" else source  # upstream's slip
        yield field_forbidden(f"{path}.{shown}", "may not specify more than 1 volume type")


def _content_errors(source: str, content: JsonObject, path: str) -> Iterator[FieldError]:
    reference = REFERENCES.get(source)
    if reference and not content.get(reference):
        yield field_required(f"{path}.{reference}")
    yield from _mode_errors(content.get("defaultMode"), f"{path}.defaultMode")
    match source:
        case "emptyDir":
            size = content.get("sizeLimit", "0")
            if Quantity.parse(size).nano < 0:
                yield field_forbidden(
                    f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity"
                )
        case "hostPath" if host := content.get("path"):
            if ".." in host.split("/"):
                yield field_invalid(f"{path}.path", host, "must not contain '..'")
            if (kind := content.get("type", "")) not in HOST_PATH_TYPES:
                yield field_not_supported(f"{path}.type", kind, HOST_PATH_TYPES)
        case "nfs":
            yield from nfs_errors(content, path)
        case "csi":
            yield from driver_errors(content.get("driver", ""), f"{path}.driver")
            if (secret := content.get("nodePublishSecretRef")) is not None:
                if not (name := secret.get("name", "")):
                    yield field_required(f"{path}.nodePublishSecretRef.name")
                for problem in dns_subdomain(name) if name else ():
                    yield field_invalid(f"{path}.name", name, problem)  # upstream's slip
        case "ephemeral":
            at = f"{path}.volumeClaimTemplate"
            if (template := content.get("volumeClaimTemplate")) is None:
                yield field_required(at)
            else:
                yield from template_metadata_errors(template.get("metadata"), f"{at}.metadata")
                yield from claim_spec_errors(template.get("spec") or {}, f"{at}.spec")
        case "image" if (policy := content.get("pullPolicy", "")) not in PULL_POLICIES:
            yield field_not_supported(f"{path}.pullPolicy", policy, PULL_POLICIES)
        case "configMap" | "secret":
            yield from _item_errors(content.get("items"), f"{path}.items")
        case "downwardAPI":
            for file in content.get("items") or ():
                yield from _file_errors(file, path)
        case "projected":
            for i, projection in enumerate(content.get("sources") or ()):
                yield from _projection_errors(projection, f"{path}.sources[{i}]", path)


def nfs_errors(content: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a volume of NFS."""
    for field in ("server", "path"):
        if not content.get(field):
            yield field_required(f"{path}.{field}")
    if not (place := content.get("path", "")).startswith("/"):
        yield field_invalid(f"{path}.path", place, "must be an absolute path")


def _projection_errors(projection: JsonObject, path: str, above: str) -> Iterator[FieldError]:
    for source in ("secret", "configMap"):
        if (content := projection.get(source)) is not None:
            if not content.get("name"):
                yield field_required(f"{path}.{source}.name")
            yield from _item_errors(content.get("items"), f"{path}.{source}.items")
    for file in (projection.get("downwardAPI") or {}).get("items") or ():
        yield from _file_errors(file, f"{path}.downwardAPI")
    if (token := projection.get("serviceAccountToken")) is not None:
        seconds = token.get("expirationSeconds", 0)
        if seconds < MIN_TOKEN_SECONDS:
            detail = "may not specify a duration less than 10 minutes"
            at = f"{path}.serviceAccountToken.expirationSeconds"
            yield field_invalid(at, seconds, detail)
        if not token.get("path"):
            yield field_required(f"{above}.path")
    if len(projection) > 1:
        yield field_forbidden(path, "may not specify more than 1 volume type per source")


def _item_errors(items: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    for i, item in enumerate(items or ()):
        at = f"{path}[{i}]"
        if not item.get("key"):
            yield field_required(f"{at}.key")
        yield from _place_errors(item, at)
        yield from _mode_errors(item.get("mode"), f"{at}.mode")


def _file_errors(file: JsonObject, path: str) -> Iterator[FieldError]:
    yield from _place_errors(file, path)
    field, amount = file.get("fieldRef"), file.get("resourceFieldRef")
    if field is not None:
        yield from field_reference_errors(field, IN_VOLUMES, f"{path}.fieldRef")
        if amount is not None:
            detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield field_invalid(path, "resource", detail)
    elif amount is not None:
        yield from amount_reference_errors(amount, f"{path}.resourceFieldRef", in_volume=True)
    else:
        yield field_required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _mode_errors(file.get("mode"), f"{path}.mode")


def _place_errors(item: JsonObject, path: str) -> Iterator[FieldError]:
    place = item.get("path", "")
    if not place:
        yield field_required(f"{path}.path")
    yield from descending_path_errors(place, f"{path}.path")
    if place.startswith("..") and not place.startswith("../"):
        yield field_invalid(f"{path}.path", place, "must not start with '..'")


def _mode_errors(mode: int | None, path: str) -> Iterator[FieldError]:
    if mode is not None and not 0 <= mode <= MAX_MODE:
        yield field_invalid(path, mode, MODE_WORDS)
