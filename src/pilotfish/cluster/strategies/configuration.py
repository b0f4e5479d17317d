"""ConfigMaps and Secrets.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go and
    pkg/registry/core/secret/strategy.go.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_required,
    field_too_long,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy, copy_field
from pilotfish.cluster.validation.metadata import IMMUTABLE
from pilotfish.cluster.validation.names import config_key

MAX_BYTES: Final = 1024 * 1024
SERVICE_ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"
REQUIRED_KEYS: Final = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""By type of Secret: what its data must have."""


class ConfigMapStrategy(Strategy):
    """The rules of ConfigMaps."""

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a ConfigMap."""
        data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        yield from _key_errors(data, "data")
        for key in data:
            if key in binary:
                detail = "duplicate of key present in binaryData"
                yield field_invalid(f"data[{key}]", key, detail)
        yield from _key_errors(binary, "binaryData")
        size = sum(len(text.encode()) for text in data.values())
        if size + sum(_decoded_size(text) for text in binary.values()) > MAX_BYTES:
            yield field_too_long("[]", MAX_BYTES)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: an immutable one stays as it is."""
        yield from _immutable_errors(new, old, ("data", "binaryData"))
        yield from self.validate(new)


class SecretStrategy(Strategy):
    """The rules of Secrets; stringData is for writing only."""

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Put stringData into data."""
        del now
        _encode_strings(obj)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Put stringData into data; an update that leaves out the type keeps it."""
        del now
        _encode_strings(new)
        if not new.get("type"):
            copy_field("type", old, new)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a Secret."""
        data, kind = obj.get("data") or {}, obj.get("type", "")
        yield from _key_errors(data, "data")
        if sum(_decoded_size(text) for text in data.values()) > MAX_BYTES:
            yield field_too_long("data", MAX_BYTES)
        annotations = obj["metadata"].get("annotations") or {}
        if kind == "kubernetes.io/service-account-token" and not annotations.get(
            SERVICE_ACCOUNT_NAME
        ):
            yield field_required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]")
        if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
            yield field_required("data[username]")
            yield field_required("data[password]")
        for key in REQUIRED_KEYS.get(kind, ()):
            if key not in data:
                yield field_required(f"data[{key}]")

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: the type stays, an immutable one wholly."""
        if new.get("type") != old.get("type"):
            yield field_invalid("type", new.get("type", ""), IMMUTABLE)
        yield from _immutable_errors(new, old, ("data",))
        yield from self.validate(new)


def _encode_strings(secret: JsonObject) -> None:
    if strings := secret.pop("stringData", None):
        encoded = {key: b64encode(text.encode()).decode() for key, text in strings.items()}
        secret["data"] = (secret.get("data") or {}) | encoded


def _key_errors(data: JsonObject, path: str) -> Iterator[FieldError]:
    for key in data:
        for problem in config_key(key):
            yield field_invalid(f"{path}[{key}]", key, problem)


def _immutable_errors(
    new: JsonObject, old: JsonObject, fields: tuple[str, ...]
) -> Iterator[FieldError]:
    if not old.get("immutable"):
        return
    detail = "field is immutable when `immutable` is set"
    if not new.get("immutable"):
        yield field_forbidden("immutable", detail)
    for field in fields:
        if new.get(field) != old.get(field):
            yield field_forbidden(field, detail)


def _decoded_size(text: str) -> int:
    try:
        return len(b64decode(text, validate=True))
    except binascii.Error:
        return len(text)
