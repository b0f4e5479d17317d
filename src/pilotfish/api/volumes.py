"""Volumes and what stands behind them: the fields that scheduling reads."""

from __future__ import annotations

import msgspec

from pilotfish.api.meta import ApiStruct, KubernetesObject, ObjectMeta
from pilotfish.api.quantity import Quantity
from pilotfish.api.selectors import LabelSelector, NodeSelector

STORAGE = "storage"  # the resource that claims request
SELECTED_NODE = "volume.kubernetes.io/selected-node"  # a claim's: where its pod will run
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"  # not set aside by a person
ZERO = Quantity.parse("0")
NO_PROVISIONER = "kubernetes.io/no-provisioner"  # of classes whose volumes nobody makes


class GCEPersistentDisk(ApiStruct, frozen=True):
    """A disk of Google Compute Engine."""

    pd_name: str = ""
    read_only: bool = False


class AWSElasticBlockStore(ApiStruct, frozen=True):
    """A disk of Amazon's Elastic Block Store."""

    volume_id: str = msgspec.field(default="", name="volumeID")


class AzureDisk(ApiStruct, frozen=True):
    """A disk of Azure."""

    disk_uri: str = msgspec.field(default="", name="diskURI")
    kind: str | None = None


class Cinder(ApiStruct, frozen=True):
    """A disk of OpenStack."""

    volume_id: str = msgspec.field(default="", name="volumeID")


class Portworx(ApiStruct, frozen=True):
    """A volume of Portworx."""

    volume_id: str = msgspec.field(default="", name="volumeID")


class ISCSI(ApiStruct, frozen=True):
    """A disk behind an iSCSI target."""

    iqn: str = ""
    read_only: bool = False


class RBD(ApiStruct, frozen=True):
    """A Ceph block device."""

    monitors: tuple[str, ...] = ()
    pool: str = ""
    image: str = ""
    read_only: bool = False


class MigratedSource(ApiStruct, frozen=True):
    """Kinds of disks that had code of their own once and are served by CSI drivers now."""

    gce_persistent_disk: GCEPersistentDisk | None = None
    aws_elastic_block_store: AWSElasticBlockStore | None = None
    azure_disk: AzureDisk | None = None
    cinder: Cinder | None = None
    portworx_volume: Portworx | None = None


class VolumeAnnotations(ApiStruct, frozen=True):
    """The annotations by which scheduler, volume controller and provisioners speak."""

    selected_node: str | None = msgspec.field(default=None, name=SELECTED_NODE)
    bind_completed: str | None = msgspec.field(default=None, name="pv.kubernetes.io/bind-completed")
    bound_by_controller: str | None = msgspec.field(default=None, name=BOUND_BY_CONTROLLER)
    storage_class: str | None = msgspec.field(
        default=None, name="volume.beta.kubernetes.io/storage-class"
    )
    migrated_plugins: str | None = msgspec.field(
        default=None, name="storage.alpha.kubernetes.io/migrated-plugins"
    )


class AnnotatedMeta(ObjectMeta, frozen=True):
    """Metadata with the annotations that scheduling reads."""

    annotations: VolumeAnnotations = VolumeAnnotations()


class CSIVolume(ApiStruct, frozen=True):
    """A volume of a CSI driver."""

    driver: str = ""
    volume_handle: str = ""


class ClaimReference(ApiStruct, frozen=True):
    """The claim that a volume belongs to; without a uid any claim of that name."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""


class VolumeNodeAffinity(ApiStruct, frozen=True):
    """From where a volume can be reached."""

    required: NodeSelector | None = None


class PersistentVolumeSpec(MigratedSource, frozen=True):
    """The part of a volume's spec that scheduling reads."""

    capacity: dict[str, Quantity] = msgspec.field(default_factory=dict)
    access_modes: tuple[str, ...] = ()
    storage_class_name: str = ""
    volume_mode: str = "Filesystem"
    volume_attributes_class_name: str = ""
    claim_ref: ClaimReference | None = None
    node_affinity: VolumeNodeAffinity = VolumeNodeAffinity()
    csi: CSIVolume | None = None


class StoragePhase(ApiStruct, frozen=True):
    """The part of a volume's or claim's status that scheduling reads."""

    phase: str = ""


class PersistentVolume(KubernetesObject, frozen=True):
    """A volume."""

    __hash__ = KubernetesObject.__hash__

    metadata: AnnotatedMeta = AnnotatedMeta()
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: StoragePhase = StoragePhase()

    @property
    def storage_class(self) -> str:
        """The volume's class; empty for none."""
        beta = self.metadata.annotations.storage_class
        return self.spec.storage_class_name if beta is None else beta

    @property
    def size(self) -> Quantity:
        """How large the volume is."""
        return self.spec.capacity.get(STORAGE, ZERO)

    def is_bound_to(self, claim: PersistentVolumeClaim) -> bool:
        """Say whether the volume is the claim's already, or is set aside for it.

        Source: kubernetes v1.36 staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go.
        """
        of = self.spec.claim_ref
        return (
            of is not None
            and (of.namespace, of.name) == (claim.namespace, claim.name)
            and of.uid in ("", claim.uid)
        )


class VolumeResourceRequirements(ApiStruct, frozen=True):
    """What a claim asks for."""

    requests: dict[str, Quantity] = msgspec.field(default_factory=dict)


class PersistentVolumeClaimSpec(ApiStruct, frozen=True):
    """The part of a claim's spec that scheduling reads."""

    access_modes: tuple[str, ...] = ()
    resources: VolumeResourceRequirements = VolumeResourceRequirements()
    storage_class_name: str = ""
    volume_mode: str = "Filesystem"
    volume_name: str = ""
    volume_attributes_class_name: str = ""
    selector: LabelSelector | None = None


class PersistentVolumeClaim(KubernetesObject, frozen=True):
    """A claim on a volume."""

    __hash__ = KubernetesObject.__hash__

    metadata: AnnotatedMeta = AnnotatedMeta()
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: StoragePhase = StoragePhase()

    @property
    def storage_class(self) -> str:
        """The class that the volume must have; empty for none."""
        beta = self.metadata.annotations.storage_class
        return self.spec.storage_class_name if beta is None else beta

    @property
    def size(self) -> Quantity:
        """How large the volume must be."""
        return self.spec.resources.requests.get(STORAGE, ZERO)

    @property
    def is_fully_bound(self) -> bool:
        """Whether the volume controller has bound the claim and is done with it."""
        is_done = self.metadata.annotations.bind_completed is not None
        return is_done and bool(self.spec.volume_name)

    def is_controlled_by(self, uid: str) -> bool:
        """Say whether the claim was made for this pod."""
        return any(one.controller and one.uid == uid for one in self.metadata.owner_references)


class TopologySelectorLabelRequirement(ApiStruct, frozen=True):
    """A label and the values that it may have."""

    key: str
    values: tuple[str, ...] = ()


class TopologySelectorTerm(ApiStruct, frozen=True):
    """Labels that a node must have, all of them; without any no node is meant."""

    match_label_expressions: tuple[TopologySelectorLabelRequirement, ...] = ()


class StorageClass(KubernetesObject, frozen=True):
    """How volumes of a class are made and bound."""

    __hash__ = KubernetesObject.__hash__

    provisioner: str = ""
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologySelectorTerm, ...] = ()


class VolumeNodeResources(ApiStruct, frozen=True):
    """How many volumes of a driver a node can hold; None for no limit."""

    count: int | None = None


class CSINodeDriver(ApiStruct, frozen=True):
    """A CSI driver on a node."""

    name: str
    allocatable: VolumeNodeResources = VolumeNodeResources()


class CSINodeSpec(ApiStruct, frozen=True):
    """The CSI drivers on a node."""

    drivers: tuple[CSINodeDriver, ...] = ()


class CSINode(KubernetesObject, frozen=True):
    """What CSI drivers say of the node of the same name."""

    __hash__ = KubernetesObject.__hash__

    metadata: AnnotatedMeta = AnnotatedMeta()
    spec: CSINodeSpec = CSINodeSpec()


class CSIDriverSpec(ApiStruct, frozen=True):
    """Whether the driver publishes how much room it has."""

    storage_capacity: bool = False


class CSIDriver(KubernetesObject, frozen=True):
    """A CSI driver."""

    __hash__ = KubernetesObject.__hash__

    spec: CSIDriverSpec = CSIDriverSpec()


class CSIStorageCapacity(KubernetesObject, frozen=True):
    """How much room there is for volumes of a class, reached from some nodes."""

    __hash__ = KubernetesObject.__hash__

    storage_class_name: str = ""
    node_topology: LabelSelector | None = None  # without one, from none
    capacity: Quantity | None = None
    maximum_volume_size: Quantity | None = None

    @property
    def largest_volume(self) -> int | None:
        """The largest volume that fits, in bytes; None where that is not known."""
        exact = self.maximum_volume_size
        limit = self.capacity if exact is None else exact
        return None if limit is None else limit.value()


class VolumeAttachmentSource(ApiStruct, frozen=True):
    """What is attached."""

    persistent_volume_name: str | None = None


class VolumeAttachmentSpec(ApiStruct, frozen=True):
    """Which volume is attached where, by whom."""

    attacher: str = ""
    node_name: str = ""
    source: VolumeAttachmentSource = VolumeAttachmentSource()


class VolumeAttachment(KubernetesObject, frozen=True):
    """A volume that is attached to a node, or is to be."""

    __hash__ = KubernetesObject.__hash__

    spec: VolumeAttachmentSpec = VolumeAttachmentSpec()
