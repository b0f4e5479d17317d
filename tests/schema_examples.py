"""Manifests that exercise the defaults and the wire form of every kind that is served."""

from typing import Any

Manifest = dict[str, Any]


def manifest(api_version: str, kind: str, **fields: Any) -> Manifest:
    """Make an object named "example"; `namespace=""` where the kind has none."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "example"}, **fields}


def pod(**spec: Any) -> Manifest:
    """Make a pod of one container, without a token's volume."""
    containers = spec.pop("containers", [{"name": "c", "image": "app"}])
    return manifest(
        "v1",
        "Pod",
        spec={"automountServiceAccountToken": False, "containers": containers, **spec},
    )


def template(**spec: Any) -> Manifest:
    """Make a pod template labelled app=x."""
    spec = {"containers": [{"name": "c", "image": "app:1"}], **spec}
    return {"metadata": {"labels": {"app": "x"}}, "spec": spec}


def image(name: str) -> Manifest:
    """Make a pod that runs an image."""
    return pod(containers=[{"name": "c", "image": name}])


def workload(kind: str, **spec: Any) -> Manifest:
    """Make an object of group apps that selects its template."""
    selector = {"matchLabels": {"app": "x"}}
    return manifest("apps/v1", kind, spec={"selector": selector, "template": template(), **spec})


def job(**spec: Any) -> Manifest:
    """Make a job whose pods never restart."""
    never = template(restartPolicy="Never")
    return manifest("batch/v1", "Job", spec={"template": never, **spec})


def service(**spec: Any) -> Manifest:
    """Make a service of one port."""
    spec = {"ports": [{"port": 80}], "selector": {"app": "x"}, **spec}
    return manifest("v1", "Service", spec=spec)


def volume(**spec: Any) -> Manifest:
    """Make a persistent volume of 1024Mi on the host."""
    capacity = {"storage": "1024Mi"}
    modes = ["ReadWriteOnce"]
    path = {"hostPath": {"path": "/data"}}
    return manifest(
        "v1",
        "PersistentVolume",
        spec={"capacity": capacity, "accessModes": modes, **path, **spec},
    )


PROBES = {
    "livenessProbe": {"httpGet": {"port": 80}},
    "readinessProbe": {"tcpSocket": {"port": "web"}, "timeoutSeconds": 0, "periodSeconds": 3},
    "startupProbe": {"grpc": {"port": 9}, "failureThreshold": 30},
    "ports": [{"name": "web", "containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}],
    "lifecycle": {"preStop": {"httpGet": {"port": "web", "path": "/bye"}}},
}
VOLUMES = [
    {"name": "none"},
    {"name": "secret", "secret": {"secretName": "s"}},
    {"name": "config", "configMap": {"name": "c", "defaultMode": 256}},
    {
        "name": "down",
        "downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]},
    },
    {"name": "host", "hostPath": {"path": "/x"}},
    {"name": "claim", "persistentVolumeClaim": {"claimName": "c"}},
    {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    {"name": "image", "image": {"reference": "model:latest"}},
    {
        "name": "own",
        "ephemeral": {
            "volumeClaimTemplate": {
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                }
            }
        },
    },
    {
        "name": "scsi",
        "iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:a", "lun": 0},
    },
    {"name": "rbd", "rbd": {"monitors": ["m"], "image": "i"}},
]
LIMITS = {"limits": {"cpu": "2000m", "memory": "1024Mi"}, "requests": {"cpu": "0.5"}}
ENVIRONMENT = [
    {"name": "empty", "value": ""},
    {"name": "node", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    {"name": "cpu", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    {"name": "key", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}},
]

PODS = [
    pod(),
    *map(image, ("app:latest", "app:1", "host:5000/a/app", "app:latest@sha256:" + "0" * 64, "Bad")),
    image("app@sha256:" + "a" * 64),
    pod(containers=[{"name": "c", "image": "app", "resources": LIMITS, "env": ENVIRONMENT}]),
    pod(containers=[{"name": "c", "image": "app", **PROBES, "stdin": False, "args": []}]),
    pod(hostNetwork=True, containers=[{"name": "c", "image": "app", **PROBES}]),
    pod(volumes=VOLUMES, hostNetwork=False, nodeSelector={}, tolerations=[]),
    pod(
        initContainers=[
            {"name": "i", "image": "app", "resources": {"limits": {"cpu": 1, "memory": "1e3"}}},
            {"name": "s", "image": "app", "restartPolicy": "Always", "resources": LIMITS},
        ],
        resources={"limits": {"cpu": "8", "memory": "8Gi"}},
    ),
    pod(resources={"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}}),
    pod(
        restartPolicy="Never",
        dnsPolicy="None",
        dnsConfig={"nameservers": ["1.1.1.1"]},
        terminationGracePeriodSeconds=0,
        enableServiceLinks=False,
        securityContext={"runAsUser": 0, "runAsNonRoot": False},
        schedulerName="mine",
    ),
    pod(
        topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
        ],
        affinity={"podAntiAffinity": {}, "nodeAffinity": {}},
        tolerations=[{"operator": "Exists"}, {"key": "a", "value": ""}],
        schedulingGates=[{"name": "a/b"}],
        overhead=None,
    ),
]

WORKLOADS = [
    workload("Deployment"),
    workload("Deployment", replicas=0, strategy={"type": "Recreate"}, paused=False),
    workload("Deployment", strategy={"rollingUpdate": {"maxSurge": 1}}, minReadySeconds=0),
    workload("ReplicaSet"),
    workload("DaemonSet"),
    workload("DaemonSet", updateStrategy={"type": "OnDelete"}),
    workload("StatefulSet", serviceName="s"),
    workload("StatefulSet", serviceName="", updateStrategy={"type": "RollingUpdate"}),
    workload(
        "StatefulSet",
        updateStrategy={"rollingUpdate": {"partition": 2}},
        podManagementPolicy="Parallel",
    ),
    workload(
        "StatefulSet",
        volumeClaimTemplates=[
            {
                "metadata": {"name": "d"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "0.5Gi"}},
                },
            }
        ],
    ),
    job(),
    job(parallelism=2),
    job(completions=4, completionMode="Indexed", backoffLimitPerIndex=1),
    job(
        podFailurePolicy={
            "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
        }
    ),
    job(suspend=True, ttlSecondsAfterFinished=0, activeDeadlineSeconds=5),
    manifest("v1", "ReplicationController", spec={"template": template()}),
]

SERVICES = [
    service(),
    service(type="NodePort"),
    service(type="LoadBalancer"),
    service(clusterIP="None"),
    service(sessionAffinity="ClientIP"),
    service(
        ports=[
            {"name": "a", "port": 80, "targetPort": "web"},
            {"name": "b", "port": 81, "targetPort": 0},
        ]
    ),
    service(externalIPs=["8.8.8.8"]),
    manifest("v1", "Service", spec={"type": "ExternalName", "externalName": "a.b"}),
]

STORAGE = [
    volume(),
    volume(storageClassName="", persistentVolumeReclaimPolicy="Delete", volumeMode="Block"),
    volume(capacity={"storage": "0.1"}, claimRef={"namespace": "default", "name": "c"}),
    manifest(
        "v1",
        "PersistentVolumeClaim",
        spec={
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1000M"}},
            "storageClassName": "",
        },
    ),
    manifest("storage.k8s.io/v1", "StorageClass", provisioner="a.b/c"),
    manifest(
        "storage.k8s.io/v1",
        "StorageClass",
        provisioner="a.b/c",
        volumeBindingMode="WaitForFirstConsumer",
        allowVolumeExpansion=False,
        parameters={},
    ),
    manifest("storage.k8s.io/v1", "CSIDriver", spec={}),
    manifest("storage.k8s.io/v1", "CSINode", spec={"drivers": []}),
    manifest(
        "storage.k8s.io/v1",
        "CSINode",
        spec={"drivers": [{"name": "d", "nodeID": "n", "allocatable": {"count": 0}}]},
    ),
    manifest(
        "storage.k8s.io/v1",
        "CSIStorageCapacity",
        storageClassName="s",
        capacity="2048Mi",
        nodeTopology={},
    ),
    manifest(
        "storage.k8s.io/v1",
        "VolumeAttachment",
        spec={"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}},
    ),
]

RBAC_SUBJECTS = [
    {"kind": "User", "name": "u"},
    {"kind": "Group", "name": "g"},
    {"kind": "ServiceAccount", "name": "s", "namespace": "default"},
]
RBAC = "rbac.authorization.k8s.io/v1"
RESOURCE = "resource.k8s.io/v1"
REQUESTS = [
    {"name": "a", "exactly": {"deviceClassName": "c"}},
    {"name": "b", "exactly": {"deviceClassName": "c", "allocationMode": "All"}},
    {
        "name": "c",
        "firstAvailable": [{"name": "x", "deviceClassName": "c", "tolerations": [{"key": "k"}]}],
    },
]

OTHERS = [
    manifest("v1", "Namespace"),
    manifest("v1", "ConfigMap", data={}, binaryData={"a": "AA=="}),
    manifest("v1", "ConfigMap", data={"a": None, "b": ""}, immutable=False),
    manifest("v1", "Secret", data={"a": "aGk="}, stringData={}),
    manifest("v1", "ServiceAccount", secrets=[{"name": "s"}], imagePullSecrets=[]),
    manifest(
        "v1",
        "Node",
        spec={"taints": [{"key": "a", "effect": "NoSchedule"}], "unschedulable": False},
        status={
            "capacity": {"cpu": "4000m", "memory": "0.5Gi", "pods": 110, "x.y/z": "1e1"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    ),
    manifest(
        "v1",
        "Event",
        involvedObject={"kind": "Pod", "name": "p", "namespace": "default"},
        reason="R",
        message="m",
        type="Normal",
    ),
    manifest("coordination.k8s.io/v1", "Lease", spec={"renewTime": "2026-01-02T03:04:05.600000Z"}),
    manifest("scheduling.k8s.io/v1", "PriorityClass", value=0, globalDefault=False),
    manifest(
        "policy/v1",
        "PodDisruptionBudget",
        spec={"minAvailable": "50%", "selector": {"matchLabels": {}}},
    ),
    manifest("node.k8s.io/v1", "RuntimeClass", handler="h", overhead={"podFixed": {"cpu": "0.1"}}),
    manifest(RBAC, "Role"),
    manifest(
        RBAC, "ClusterRole", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}]
    ),
    manifest(RBAC, "RoleBinding", roleRef={"kind": "Role", "name": "r"}, subjects=RBAC_SUBJECTS),
    manifest(
        RBAC, "ClusterRoleBinding", roleRef={"apiGroup": "", "kind": "ClusterRole", "name": "r"}
    ),
    manifest(RESOURCE, "DeviceClass", spec={"selectors": [{"cel": {"expression": "true"}}]}),
    manifest(RESOURCE, "ResourceClaim", spec={"devices": {"requests": REQUESTS}}),
    manifest(RESOURCE, "ResourceClaimTemplate", spec={"spec": {"devices": {"requests": REQUESTS}}}),
    manifest(
        RESOURCE,
        "ResourceSlice",
        spec={
            "driver": "d.example",
            "nodeName": "n",
            "pool": {"name": "p", "generation": 0, "resourceSliceCount": 1},
            "devices": [
                {
                    "name": "gpu",
                    "attributes": {"a": {"bool": False}, "b": {"int": 0}},
                    "capacity": {"memory": {"value": "1024Mi"}},
                }
            ],
        },
    ),
    manifest("apps/v1", "ControllerRevision", data={"spec": {"a": None}}, revision=0),
]

EXAMPLES = [*PODS, *WORKLOADS, *SERVICES, *STORAGE, *OTHERS]
