"""What the API server knows about kinds, put to use: check, prune, default."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Final, Literal, Protocol, Self

import msgspec

from pilotfish.cluster.errors import bad_request
from pilotfish.cluster.schema.conversion import Converter
from pilotfish.cluster.schema.decoding import DecodeError, Decoder, JsonObject, json_type_of
from pilotfish.cluster.schema.defaults import Defaults
from pilotfish.cluster.schema.table import Table, TypeInfo

FieldValidation = Literal["Strict", "Warn", "Ignore"]

_INTERNAL_PACKAGES: Final = {
    "": "core",
    "events.k8s.io": "core",
    "rbac.authorization.k8s.io": "rbac",
}


class Kind(Protocol):
    """Who has a type: a Resource, or a `Gvk` where a subresource has a type of its own."""

    @property
    def api_version(self) -> str:
        """`v1` or `apps/v1`."""

    @property
    def kind(self) -> str:
        """The name in objects."""


class Gvk(msgspec.Struct, frozen=True):
    """A kind by name alone: `Gvk("policy/v1", "Eviction")`."""

    api_version: str
    kind: str


class Decoded(msgspec.Struct, frozen=True):
    """An object in wire form, and what a strict reader would have refused."""

    object: JsonObject
    strict_errors: tuple[str, ...]


class Schema:
    """The types of all kinds that are served."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._defaults = Defaults(table)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read a table that hack/derive_schema.py wrote."""
        return cls(Table.from_bytes(raw))

    @staticmethod
    @cache
    def load() -> Schema:
        """Return the schema that the package ships.

        The table is part of the code: reading it is an import, once in a process, not I/O that a
        run depends on.
        """
        return Schema.from_bytes(files(__package__).joinpath("table.json.gz").read_bytes())

    def of(self, kind: Kind) -> TypeInfo:
        """Return a kind's type; KeyError for a kind that the table does not have."""
        return self.table.types[self.table.kinds[f"{kind.api_version} {kind.kind}"]]

    def decode(
        self,
        kind: Kind,
        obj: JsonObject,
        duplicates: Collection[str] = (),
        *,
        converts: bool = False,
    ) -> Decoded:
        """Read an object as its kind: prune, drop what is empty, fill what is always written.

        Args:
            kind: whose type it has.
            obj: the object; it is left alone.
            duplicates: paths that its text named twice.
            converts: read as the result of a strategic merge patch, not as JSON text.

        Raises:
            DecodeError: a value has the wrong type.
        """
        decoder = Converter() if converts else Decoder(duplicates)
        found = decoder.decode(self.of(kind), obj)
        return Decoded(found, tuple(decoder.strict_errors))

    def check(
        self,
        kind: Kind,
        obj: JsonObject,
        mode: FieldValidation = "Strict",
        duplicates: Collection[str] = (),
    ) -> tuple[JsonObject, tuple[str, ...]]:
        """Read the body of a create or update; return the object in wire form and the warnings.

        Args:
            kind: what the path is for.
            obj: the body; apiVersion and kind may be absent.
            mode: what to do about unknown and duplicate fields.
            duplicates: paths that the body's text named twice, from `duplicate_fields`.

        Raises:
            StatusError: 400, as upstream words it.
        """
        self._check_readable(kind, obj)
        try:
            self.check_identity(kind, obj)
            decoded = self.decode(kind, obj, duplicates)
        except DecodeError as error:
            raise bad_request(_unhandled(kind, obj, str(error))) from None
        if decoded.strict_errors and mode == "Strict":
            what = f"strict decoding error: {', '.join(decoded.strict_errors)}"
            raise bad_request(_unhandled(kind, obj, what))
        return decoded.object, decoded.strict_errors if mode == "Warn" else ()

    def apply_defaults(self, kind: Kind, obj: JsonObject) -> JsonObject:
        """Fill in what upstream's defaulting does, in place, and return the object.

        It expects what `check` returns. What is set is left alone, so that it may run again.
        """
        self._defaults.apply(self.of(kind), obj)
        return obj

    def check_identity(self, wanted: Kind, obj: JsonObject) -> None:
        """See that an object says no other apiVersion and kind than the path is for.

        Raises:
            DecodeError: it does.
        """
        api_version, kind = _identity(wanted, obj)
        if not (isinstance(api_version, str) and isinstance(kind, str)):
            raise DecodeError("couldn't get version/kind")
        if (api_version, kind) == (wanted.api_version, wanted.kind):
            return
        if f"{api_version} {kind}" not in self.table.kinds:
            raise DecodeError(
                f'no kind "{kind}" is registered for version "{api_version}"'
                ' in scheme "pkg/runtime/scheme.go:111"'
            )
        group = wanted.api_version.rpartition("/")[0]
        package = _INTERNAL_PACKAGES.get(group, group.partition(".")[0])
        version = api_version.rpartition("/")[2]
        raise DecodeError(
            f"converting ({version}.{kind}) to ({package}.{wanted.kind}): unknown conversion"
        )

    def _check_readable(self, wanted: Kind, obj: JsonObject) -> None:
        """Refuse an object without a readable identity, or of another version of its kind."""
        for name in ("apiVersion", "kind"):
            if not isinstance(obj.get(name), str | None):
                raise bad_request(
                    f"the object provided is unrecognized (must be of type {wanted.kind}): couldn't"
                    f" get version/kind; json parse error: json: cannot unmarshal"
                    f" {json_type_of(obj[name])} into Go struct field .{name} of type string"
                )
        api_version, kind = _identity(wanted, obj)
        if kind != wanted.kind or api_version == wanted.api_version:
            return
        if f"{api_version} {kind}" in self.table.kinds:  # events are of two groups
            raise bad_request(
                f"the API version in the data ({api_version}) does not match the expected API"
                f" version ({wanted.api_version})"
            )


def _identity(wanted: Kind, obj: JsonObject) -> tuple[str, str]:
    return obj.get("apiVersion") or wanted.api_version, obj.get("kind") or wanted.kind


def _unhandled(wanted: Kind, obj: JsonObject, why: str) -> str:
    api_version, kind = _identity(wanted, obj)
    version = api_version.rpartition("/")[2]
    return f'{kind} in version "{version}" cannot be handled as a {wanted.kind}: {why}'
