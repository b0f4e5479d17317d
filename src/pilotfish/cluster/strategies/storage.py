"""PersistentVolumes and their claims, StorageClasses.

Source: kubernetes v1.36 pkg/registry/core/persistentvolume/strategy.go,
    pkg/registry/core/persistentvolumeclaim/strategy.go, pkg/apis/core/validation/validation.go and
    pkg/apis/storage/validation/validation.go. differs: sources of volumes are not checked beyond
    their shape.
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
from pilotfish.cluster.strategies.pod_update import difference
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.timestamps import timestamp
from pilotfish.cluster.validation.claims import (
    VOLUME_MODES,
    access_errors,
    amount_errors,
    claim_spec_errors,
    class_errors,
)
from pilotfish.cluster.validation.metadata import (
    IMMUTABLE,
    driver_errors,
    label_key_errors,
    required_name_errors,
)
from pilotfish.cluster.validation.names import qualified_name
from pilotfish.cluster.validation.placement import node_selector_errors
from pilotfish.cluster.validation.pod_warnings import byte_warnings, node_term_warnings

RECLAIM_POLICIES: Final = ("Delete", "Recycle", "Retain")
BINDING_MODES: Final = ("Immediate", "WaitForFirstConsumer")
DATA_SOURCES: Final = (
    ("", "PersistentVolumeClaim"),
    ("snapshot.storage.k8s.io", "VolumeSnapshot"),
)
_NO_SOURCE: Final = frozenset(
    (
        "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity",
        "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName",
        "volumeMode",
    )
)  # fmt: skip


class PersistentVolumeStrategy(Strategy):
    """The rules of volumes."""

    returns_deleted_object = True

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Begin pending."""
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": timestamp(now)}

    def prepare_for_status_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Note when the phase changed."""
        super().prepare_for_status_update(new, old, now)
        if new["status"].get("phase") != old["status"].get("phase"):
            new["status"]["lastPhaseTransitionTime"] = timestamp(now)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a volume."""
        spec = obj["spec"]
        yield from access_errors(spec)
        capacity = spec.get("capacity") or {}
        if not capacity:
            yield field_required("spec.capacity")
        if capacity.keys() != {"storage"}:
            yield field_not_supported("spec.capacity", capacity, ("storage",))
        for name, text in capacity.items():
            yield from amount_errors(text, f"spec.capacity[{name}]")
        sources = [field for field in spec if field not in _NO_SOURCE]
        if not sources:
            yield field_required("spec", "must specify a volume type")
        for source in sources[1:]:
            yield field_forbidden(f"spec.{source}", "may not specify more than 1 volume type")
        policy = spec.get("persistentVolumeReclaimPolicy")
        if policy not in (None, *RECLAIM_POLICIES):
            yield field_not_supported(
                "spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES
            )
        yield from _place_errors(spec)
        yield from class_errors(spec)
        if (volume_mode := spec.get("volumeMode")) not in VOLUME_MODES:
            yield field_not_supported("spec.volumeMode", volume_mode, VOLUME_MODES)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: the source stays."""
        yield from self.validate(new)
        sources = [
            {field: spec[field] for field in spec if field not in _NO_SOURCE}
            for spec in (old["spec"], new["spec"])
        ]
        if sources[0] != sources[1]:
            detail = "spec.persistentvolumesource is immutable after creation"
            shown = difference(*sources)
            yield field_forbidden("spec.persistentvolumesource", f"{detail}\n{shown}")
        yield from _mode_errors(new["spec"], old["spec"])

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what is odd about where a new volume is."""
        path = "spec.nodeAffinity.required.nodeSelectorTerms"
        required = (obj["spec"].get("nodeAffinity") or {}).get("required") or {}
        for i, term in enumerate(required.get("nodeSelectorTerms") or ()):
            yield from node_term_warnings(term, f"{path}[{i}]")


class PersistentVolumeClaimStrategy(Strategy):
    """The rules of claims."""

    returns_deleted_object = True

    def initial_status(self) -> JsonObject:
        """Begin pending."""
        return {"phase": "Pending"}

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Say both ways what the volume is filled from."""
        super().prepare_for_create(obj, now)
        _align_sources(obj["spec"], {})

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Say both ways what the volume is filled from."""
        super().prepare_for_update(new, old, now)
        _align_sources(new["spec"], old["spec"])

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a claim."""
        yield from claim_spec_errors(obj["spec"], "spec")

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what is odd about the amounts of a new claim."""
        for kind, amounts in (obj["spec"].get("resources") or {}).items():
            yield from byte_warnings(amounts, f"spec.resources.{kind}")

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: little may change, and more once it is bound."""
        yield from self.validate(new)
        spec, known = new["spec"], old["spec"]
        is_bound = old["status"].get("phase") == "Bound"
        changeable = {"storageClassName"} if "storageClassName" not in known else set()
        if not known.get("volumeName"):
            changeable.add("volumeName")
        if is_bound:
            changeable |= {"resources", "volumeAttributesClassName"}
        kept, was = (
            {field: each[field] for field in each if field not in changeable}
            for each in (spec, known)
        )
        if kept != was:
            detail = (
                "spec is immutable after creation except resources.requests and "
                f"volumeAttributesClassName for bound claims\n{difference(known, spec)}"
            )
            yield field_forbidden("spec", detail)
        size, before = _size(spec), _size(known)
        granted = Quantity.parse((old["status"].get("capacity") or {}).get("storage", "0"))
        if size < before and not granted < size:
            detail = "field can not be less than status.capacity"
            yield field_forbidden("spec.resources.requests.storage", detail)
        yield from _mode_errors(spec, known)


class StorageClassStrategy(Strategy):
    """The rules of StorageClasses."""

    returns_deleted_object = True

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a StorageClass."""
        provisioner = obj.get("provisioner", "").lower()
        yield from required_name_errors(provisioner, qualified_name, "provisioner")
        policy, mode = obj.get("reclaimPolicy"), obj.get("volumeBindingMode")
        if policy not in (None, "Delete", "Retain"):
            yield field_not_supported("reclaimPolicy", policy, ("Delete", "Retain"))
        if mode not in BINDING_MODES:
            yield field_not_supported("volumeBindingMode", mode, BINDING_MODES)
        for i, term in enumerate(obj.get("allowedTopologies") or ()):
            path = f"allowedTopologies[{i}].matchLabelExpressions"
            yield from _topology_errors(term.get("matchLabelExpressions") or [], path)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: what volumes were made by stays."""
        yield from self.validate(new)
        for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
            if new.get(field) != old.get(field):
                yield field_invalid(field, new.get(field), IMMUTABLE)


def _place_errors(spec: JsonObject) -> Iterator[FieldError]:
    """Give what is wrong with where a volume is, and with what it is."""
    path, affinity = "spec.nodeAffinity", spec.get("nodeAffinity")
    if affinity is None:
        if spec.get("local") is not None:
            yield field_required(path, "Local volume requires node affinity")
    elif (required := affinity.get("required")) is None:
        yield field_required(f"{path}.required", "must specify required node constraints")
    else:
        yield from node_selector_errors(required, f"{path}.required")
    for source in ("hostPath", "local"):
        if spec.get(source) is not None and not spec[source].get("path"):
            yield field_required(f"spec.{source}.path")
    if (csi := spec.get("csi")) is not None:
        yield from driver_errors(csi.get("driver", ""), "spec.csi.driver")
        if not csi.get("volumeHandle"):
            yield field_required("spec.csi.volumeHandle")


def _topology_errors(expressions: list[JsonObject], path: str) -> Iterator[FieldError]:
    keys = set()
    for i, expression in enumerate(expressions):
        at, key, values = f"{path}[{i}]", expression.get("key", ""), expression.get("values") or []
        if not values:
            yield field_required(f"{at}.values")
        for j, value in enumerate(values):
            if value in values[:j]:
                yield field_duplicate(f"{at}.values[{j}]", value)
        yield from label_key_errors(key, f"{at}.key")
        if key in keys:
            yield field_duplicate(f"{at}.key", key)
        keys.add(key)


def _align_sources(spec: JsonObject, old: JsonObject) -> None:
    """Have dataSource and dataSourceRef say the same, and only what upstream takes there.

    Source: kubernetes v1.36 pkg/api/persistentvolumeclaim/util.go.
    """
    if (spec.get("dataSourceRef") or {}).get("namespace") and not old.get("dataSourceRef"):
        del spec["dataSourceRef"]  # upstream's CrossNamespaceVolumeDataSource is off
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None and not old.get("dataSource"):
        named = (source.get("apiGroup") or "", source.get("kind"))
        if named not in DATA_SOURCES:
            del spec["dataSource"]
            return
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = dict(reference)


def _mode_errors(new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
    if (mode := new.get("volumeMode")) != old.get("volumeMode"):
        yield field_invalid("volumeMode", mode, IMMUTABLE)


def _size(spec: JsonObject) -> Quantity:
    requests = (spec.get("resources") or {}).get("requests") or {}
    return Quantity.parse(requests.get("storage", "0"))
