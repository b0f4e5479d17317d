"""What every Kubernetes object carries."""

from __future__ import annotations

import msgspec


class ApiStruct(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    """A part of a Kubernetes object: immutable, camelCase in JSON, defaults left out."""


class OwnerReference(ApiStruct, frozen=True):
    """Who made this object."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    controller: bool | None = None


class ObjectMeta(ApiStruct, frozen=True):
    """The part of `metadata` that scheduling reads. Times are RFC 3339 text, as sent."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: tuple[OwnerReference, ...] = ()


class KubernetesObject(ApiStruct, frozen=True):
    """Anything with `metadata`."""

    metadata: ObjectMeta = ObjectMeta()

    def __hash__(self) -> int:
        """Hash by identity, which is the uid; equality stays structural."""
        return hash(self.metadata.uid)

    @property
    def uid(self) -> str:
        """The object's identity."""
        return self.metadata.uid

    @property
    def name(self) -> str:
        """The object's name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """The object's namespace; empty for cluster-scoped kinds."""
        return self.metadata.namespace

    @property
    def labels(self) -> dict[str, str]:
        """The object's labels."""
        return self.metadata.labels

    @property
    def key(self) -> str:
        """`namespace/name`, or the name alone for cluster-scoped kinds."""
        meta = self.metadata
        return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name
