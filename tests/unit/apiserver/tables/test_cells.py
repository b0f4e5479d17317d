"""Cells of single kinds; cases follow kubernetes v1.36 printers_test.go, in our own values."""

from typing import Any

import pytest

from pilotfish.apiserver.tables.cells import format_selector
from pilotfish.apiserver.tables.of_kind import table_of
from pilotfish.cluster.resources import TABLE

BORN = "2026-11-22T10:00:00Z"
NOW = 1_795_341_600.0 + 300  # five minutes later


def cells(kind: str, **content: Any) -> dict[str, Any]:
    """Return the cells of an object by the names of their columns."""
    metadata = {"name": "it", "creationTimestamp": BORN} | content.pop("metadata", {})
    table = table_of(kind)
    values = table.cells({"metadata": metadata, **content}, NOW)
    return dict(zip([column.name for column in table.columns], values, strict=True))


@pytest.mark.parametrize("kind", sorted({resource.kind for resource in TABLE}))
def test_every_kind_has_as_many_cells_as_columns_even_when_empty(kind: str) -> None:
    table = table_of(kind)
    assert len(table.cells({}, NOW)) == len(table.columns)


def test_node_says_state_roles_and_addresses() -> None:
    shown = cells(
        "Node",
        metadata={"labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "gpu"}},
        spec={"unschedulable": True},
        status={
            "conditions": [{"type": "Ready", "status": "Unknown"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "nodeInfo": {"kernelVersion": "6.1", "architecture": "arm64", "kubeletVersion": "v1"},
        },
    )
    assert shown["Status"] == "NotReady,SchedulingDisabled"
    assert shown["Roles"] == "gpu,worker"
    assert (shown["Internal-IP"], shown["External-IP"]) == ("10.0.0.1", "<none>")
    assert (shown["Kernel-Version"], shown["OS-Image"]) == ("6.1 (arm64)", "<unknown>")
    assert (shown["Age"], shown["Version"]) == ("5m", "v1")


def test_node_without_conditions_is_unknown() -> None:
    assert cells("Node")["Status"] == "Unknown"


def test_event_of_a_series_counts_and_dates_by_it() -> None:
    shown = cells(
        "Event",
        eventTime="2026-11-22T10:01:00.000000Z",
        series={"count": 7, "lastObservedTime": "2026-11-22T10:04:00.000000Z"},
        involvedObject={"kind": "Pod", "name": "web"},
        reportingComponent="scheduler",
        reportingInstance="host",
        message=" placed \n",
    )
    assert (shown["Last Seen"], shown["First Seen"], shown["Count"]) == ("60s", "4m", 7)
    assert (shown["Object"], shown["Source"]) == ("pod/web", "scheduler, host")
    assert shown["Message"] == "placed"


def test_event_of_the_old_kind_is_dated_by_its_timestamps() -> None:
    shown = cells("Event", firstTimestamp=BORN, lastTimestamp="2026-11-22T10:04:30Z", count=3)
    assert (shown["Last Seen"], shown["First Seen"], shown["Count"]) == ("30s", "5m", 3)


@pytest.mark.parametrize(
    ("spec", "status", "shown"),
    [
        ({"type": "ClusterIP"}, {}, "<none>"),
        ({"type": "NodePort", "externalIPs": ["1.1.1.1", "2.2.2.2"]}, {}, "1.1.1.1,2.2.2.2"),
        ({"type": "ExternalName", "externalName": "db.example"}, {}, "db.example"),
        ({"type": "LoadBalancer"}, {}, "<pending>"),
        (
            {"type": "LoadBalancer", "externalIPs": ["1.1.1.1"]},
            {"loadBalancer": {"ingress": [{"hostname": "lb"}, {"ip": "9.9.9.9"}]}},
            "9.9.9.9,lb,1.1.1.1",
        ),
    ],
)
def test_service_says_where_it_is_reached(
    spec: dict[str, Any], status: dict[str, Any], shown: str
) -> None:
    assert cells("Service", spec=spec, status=status)["External-IP"] == shown


def test_service_ports_show_node_ports() -> None:
    ports = [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    assert cells("Service", spec={"ports": ports})["Port(s)"] == "80:30080/TCP,53/UDP"


@pytest.mark.parametrize(
    ("spec", "status", "completions"),
    [
        ({"completions": 3}, {"succeeded": 1}, "1/3"),
        ({"parallelism": 2}, {}, "0/1 of 2"),
        ({"parallelism": 1}, {"succeeded": 1}, "1/1"),
    ],
)
def test_job_counts_completions(
    spec: dict[str, Any], status: dict[str, Any], completions: str
) -> None:
    assert cells("Job", spec=spec, status=status)["Completions"] == completions


@pytest.mark.parametrize(
    ("condition", "state"),
    [("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended"), ("x", "Running")],
)
def test_job_says_its_state(condition: str, state: str) -> None:
    status = {"conditions": [{"type": condition, "status": "True"}], "startTime": BORN}
    shown = cells("Job", status=status)
    assert (shown["Status"], shown["Duration"]) == (state, "5m")


def test_volume_claim_shows_its_volume_only_when_it_has_one() -> None:
    status = {"phase": "Bound", "capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"]}
    free = cells("PersistentVolumeClaim", status={"phase": "Pending"})
    bound = cells("PersistentVolumeClaim", spec={"volumeName": "pv-1"}, status=status)
    assert (free["Capacity"], free["Access Modes"], free["VolumeMode"]) == ("", "", "<unset>")
    assert (bound["Volume"], bound["Capacity"], bound["Access Modes"]) == ("pv-1", "5Gi", "RWO")


def test_default_storage_class_says_so() -> None:
    default = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    assert cells("StorageClass", metadata=default)["Name"] == "it (default)"


def test_role_binding_sorts_its_subjects_by_kind() -> None:
    subjects = [
        {"kind": "User", "name": "ann"},
        {"kind": "Group", "name": "team"},
        {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"},
    ]
    shown = cells("RoleBinding", roleRef={"kind": "Role", "name": "r"}, subjects=subjects)
    assert (shown["Role"], shown["Users"], shown["Groups"]) == ("Role/r", "ann", "team")
    assert shown["ServiceAccounts"] == "ci/bot"


def test_claim_of_a_device_says_how_far_it_is() -> None:
    status = {"allocation": {}, "reservedFor": [{"name": "pod"}]}
    assert cells("ResourceClaim")["State"] == "pending"
    assert cells("ResourceClaim", status=status)["State"] == "allocated,reserved"


def test_selector_is_written_by_key() -> None:
    selector = {
        "matchLabels": {"b": "1"},
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["y", "x"]},
            {"key": "c", "operator": "DoesNotExist"},
        ],
    }
    assert format_selector(selector) == "a in (x,y),b=1,!c"
    assert format_selector({}) == format_selector(None) == "<none>"
