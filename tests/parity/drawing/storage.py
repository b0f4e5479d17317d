"""Volumes of drawn clusters: classes, drivers, claims in every state, and pods that use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parity.drawing.draw import HOSTNAME, NAMESPACES, REGION, ZONE, Draw, Manifest

EBS: Final = "ebs.example.com"
CAPACITY: Final = "cap.example.com"
MIGRATED: Final = "pd.csi.storage.gke.io"
CLASSES: Final = ("static", "ebs", "cap", "zonal", "immediate")
CLAIMS: Final = tuple(f"c{i}" for i in range(6))
SIZES: Final = ("1Gi", "5Gi", "20Gi")
MODES: Final = ("ReadWriteOnce",) * 6 + ("ReadWriteOncePod", "ReadOnlyMany", "ReadWriteMany")
VOLUME_MODES: Final = (
    ("ReadWriteOnce",),
    ("ReadWriteOnce", "ReadOnlyMany"),
    ("ReadWriteOnce", "ReadWriteMany"),
    ("ReadOnlyMany",),
    ("ReadWriteOncePod",),
)
BOUND: Final = {
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
}


def claims(draw: Draw, pod: Manifest) -> None:
    """Use some claims of the pod's namespace, and now and then another kind of volume."""
    names = draw.some([*CLAIMS, "missing"] if draw.chance(0.1) else CLAIMS, 1, 2)
    volumes: list[Manifest] = [{"persistentVolumeClaim": {"claimName": name}} for name in names]
    if draw.chance(0.04):
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        volumes.append({"ephemeral": {"volumeClaimTemplate": {"spec": spec}}})
    if draw.chance(0.25):
        volumes.append(_in_line(draw))
    named = [{"name": f"v{i}", **volume} for i, volume in enumerate(volumes)]
    pod["spec"].setdefault("volumes", []).extend(named)


def storage(draw: Draw, nodes: Sequence[Manifest]) -> list[Manifest]:
    """Draw classes and drivers, what the nodes can attach, volumes and claims."""
    made = [*_classes(), *_drivers(draw)]
    made += [_csi_node(draw, node) for node in nodes if draw.chance(0.9)]
    made += [_capacity(draw, f"capacity-{i}") for i in range(draw.between(0, 4))]
    for namespace in NAMESPACES[:3]:
        for name in CLAIMS:
            made += _claim(draw, namespace, name, nodes)
    made += [_volume(draw, f"free-{i}", "static", nodes) for i in range(draw.between(0, 8))]
    made += [_attachment(draw, i, nodes) for i in range(draw.between(0, 4))]
    return made


def _classes() -> list[Manifest]:
    none = "kubernetes.io/no-provisioner"
    provisioners = dict(zip(CLASSES, (none, EBS, CAPACITY, EBS, EBS), strict=True))
    made: list[Manifest] = []
    for name, provisioner in provisioners.items():
        mode = "Immediate" if name == "immediate" else "WaitForFirstConsumer"
        one = _object("storage.k8s.io/v1", "StorageClass", name)
        made.append({**one, "provisioner": provisioner, "volumeBindingMode": mode})
        if name == "zonal":
            zones = [{"key": ZONE, "values": ["z1", "z2"]}]
            regions = [{"key": REGION, "values": ["r1"]}, {"key": ZONE, "values": ["z3"]}]
            terms = [{"matchLabelExpressions": one} for one in (zones, regions)]
            made[-1]["allowedTopologies"] = terms
    return made


def _drivers(draw: Draw) -> list[Manifest]:
    return [
        {
            **_object("storage.k8s.io/v1", "CSIDriver", name),
            "spec": {
                "attachRequired": True,
                "storageCapacity": name == CAPACITY or draw.chance(0.2),
            },
        }
        for name in (EBS, CAPACITY)
    ]


def _csi_node(draw: Draw, node: Manifest) -> Manifest:
    """Draw which drivers run on a node, and how many volumes they attach."""
    made = _object("storage.k8s.io/v1", "CSINode", node["metadata"]["name"])
    drivers = []
    for name in (EBS, CAPACITY, MIGRATED):
        if draw.chance(0.85):
            driver: Manifest = {"name": name, "nodeID": name, "topologyKeys": [ZONE]}
            if draw.chance(0.5):
                driver["allocatable"] = {"count": draw.one((0, 1, 2, 3))}
            drivers.append(driver)
    if draw.chance(0.7):
        migrated = {"storage.alpha.kubernetes.io/migrated-plugins": "kubernetes.io/gce-pd"}
        made["metadata"]["annotations"] = migrated
    return {**made, "spec": {"drivers": drivers}}


def _capacity(draw: Draw, name: str) -> Manifest:
    made = _object("storage.k8s.io/v1", "CSIStorageCapacity", name)
    made["metadata"]["namespace"] = "default"
    made |= {"storageClassName": "cap", "capacity": draw.one(("0", "2Gi", "50Gi"))}
    if draw.chance(0.3):
        made["storageClassName"] = "ebs"
    if draw.chance(0.4):
        made["maximumVolumeSize"] = draw.one(("3Gi", "10Gi"))
    if draw.chance(0.9):
        labels = {} if draw.chance(0.1) else {ZONE: f"z{draw.between(0, 3)}"}
        made["nodeTopology"] = {"matchLabels": labels}
    return made


def _claim(draw: Draw, namespace: str, name: str, nodes: Sequence[Manifest]) -> list[Manifest]:
    """Draw a claim, with its volume where it has one."""
    made = _object("v1", "PersistentVolumeClaim", name)
    made["metadata"]["namespace"] = namespace
    spec: Manifest = {
        "accessModes": [draw.one(MODES)],
        "resources": {"requests": {"storage": draw.one(SIZES)}},
        "storageClassName": draw.one(CLASSES[:4]),
    }
    made["spec"] = spec
    state = draw.one(("bound",) * 5 + ("waiting",) * 4 + ("odd",))
    if state == "bound":
        volume = _volume(draw, f"{namespace}-{name}", spec["storageClassName"], nodes)
        volume["spec"]["claimRef"] = {
            "kind": "PersistentVolumeClaim",
            "namespace": namespace,
            "name": name,
        }
        spec["volumeName"] = volume["metadata"]["name"]
        made["metadata"]["annotations"] = dict(BOUND)
        made["status"] = {"phase": "Bound"}
        return [made] if draw.chance(0.04) else [made, volume]
    if state == "odd":
        _make_odd(draw, made)
    elif draw.chance(0.2):
        spec["selector"] = {"matchLabels": {"tier": draw.one(("gold", "tin"))}}
    elif draw.chance(0.2):
        expression = {"key": "tier", "operator": "NotIn", "values": ["gold"]}
        spec["selector"] = {"matchExpressions": [expression]}
    if draw.chance(0.12):
        spec["volumeMode"] = "Block"
    return [made]


def _make_odd(draw: Draw, claim: Manifest) -> None:
    """Bring a claim into a state in which no pod can use it, or hardly."""
    match draw.one(("lost", "ending", "immediate", "classless", "unknown", "unfinished")):
        case "lost":
            claim["spec"]["volumeName"] = "gone"
            claim["metadata"]["annotations"] = dict(BOUND)
            claim["status"] = {"phase": "Lost"}
        case "ending":
            claim["metadata"] |= {"deletionTimestamp": "now", "finalizers": ["example.com/keep"]}
        case "immediate":
            claim["spec"]["storageClassName"] = "immediate"
        case "classless":
            claim["spec"]["storageClassName"] = ""
        case "unknown":
            claim["spec"]["storageClassName"] = "unknown"
        case "unfinished":
            claim["spec"]["volumeName"] = "gone"


def _volume(draw: Draw, name: str, of_class: str, nodes: Sequence[Manifest]) -> Manifest:
    made = _object("v1", "PersistentVolume", name)
    made["metadata"]["labels"] = {"tier": draw.one(("gold", "tin"))}
    source = draw.one(("csi", "csi", "csi", "gce", "local"))
    if source != "gce" and draw.chance(
        0.25
    ):  # kube-scheduler translates zones of Google's form only
        key = draw.one((ZONE, "failure-domain.beta.kubernetes.io/zone"))
        made["metadata"]["labels"][key] = draw.one(("z0", "z1", "z0__z1", "z2__z3"))
    spec: Manifest = {
        "capacity": {"storage": draw.one(SIZES)},
        "accessModes": list(draw.one(VOLUME_MODES)),
        "storageClassName": of_class,
        "persistentVolumeReclaimPolicy": "Retain",
    }
    if draw.chance(0.12):
        spec["volumeMode"] = "Block"
    if draw.chance(0.06):
        made["metadata"] |= {"deletionTimestamp": "now", "finalizers": ["example.com/keep"]}
    if source == "gce":
        spec["gcePersistentDisk"] = {"pdName": draw.one(("disk-1", name))}
    elif source == "local":
        spec["local"] = {"path": "/disk"}
    else:
        driver = draw.one((EBS, EBS, CAPACITY))
        spec["csi"] = {"driver": driver, "volumeHandle": draw.one((name, "shared"))}
    if source == "local" or draw.chance(0.5):
        on_node = source == "local" or draw.chance(0.3)
        values = [f"z{draw.between(0, 3)}"]
        if on_node:
            values = [one["metadata"]["name"] for one in draw.some(nodes, 1, 2)]
        wanted = {"key": HOSTNAME if on_node else ZONE, "operator": "In", "values": values}
        terms = [{"matchExpressions": [wanted]}]
        if draw.chance(0.2):
            terms.append(
                {"matchExpressions": [{"key": REGION, "operator": "NotIn", "values": ["r0"]}]}
            )
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    return {**made, "spec": spec}


def _attachment(draw: Draw, number: int, nodes: Sequence[Manifest]) -> Manifest:
    volume = f"{draw.one(NAMESPACES[:3])}-{draw.one(CLAIMS)}"
    return {
        **_object("storage.k8s.io/v1", "VolumeAttachment", f"attachment-{number}"),
        "spec": {
            "attacher": draw.one((EBS, CAPACITY)),
            "nodeName": draw.one(nodes)["metadata"]["name"],
            "source": {"persistentVolumeName": volume},
        },
    }


def _in_line(draw: Draw) -> Manifest:
    """Draw a disk that a pod names itself; two pods may not share it, unless both only read."""
    name, reads = draw.one(("disk-1", "disk-2")), draw.chance(0.3)
    return draw.one(
        (
            {"gcePersistentDisk": {"pdName": name, "readOnly": reads}},
            {"csi": {"driver": draw.one((EBS, CAPACITY)), "readOnly": reads}},
            {"awsElasticBlockStore": {"volumeID": name, "readOnly": reads}},
            {"rbd": {"monitors": ["a", "b"], "image": name, "readOnly": reads}},
            {
                "iscsi": {
                    "targetPortal": "a",
                    "iqn": f"iqn.2026-01.com.example:{name}",
                    "lun": 0,
                    "readOnly": reads,
                }
            },
        )
    )


def _object(version: str, kind: str, name: str) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
