"""Services.

Source: kubernetes v1.36 pkg/registry/core/service/strategy.go and
    pkg/apis/core/validation/validation.go. differs: only what is spelled out here is checked; one
    IP family.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.validation.metadata import label_errors
from pilotfish.cluster.validation.names import (
    NameRule,
    dns_label,
    dns_subdomain,
    port_name,
    port_number,
)

TRAFFIC_POLICIES: Final = ("Cluster", "Local")
TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
HEADLESS: Final = "None"
BAD_ADDRESS: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


class ServiceStrategy(Strategy):
    """The rules of services; their addresses and node ports come from admission."""

    returns_deleted_object = True
    allow_create_on_update = True

    def name_rule(self) -> NameRule:
        """Give the rule for names of services, which are names in DNS."""
        return dns_label

    def initial_status(self) -> JsonObject:
        """Begin without a load balancer."""
        return {"loadBalancer": {}}

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a service."""
        spec = obj["spec"]
        kind, addresses = spec.get("type", ""), spec.get("clusterIPs") or ()
        if not spec.get("ports") and kind != "ExternalName" and addresses != [HEADLESS]:
            yield field_required("spec.ports")
        if kind == "ExternalName":
            name = spec.get("externalName", "").removesuffix(".")
            if not name:
                yield field_required("spec.externalName")
            for problem in dns_subdomain(name) if name else ():
                yield field_invalid("spec.externalName", spec["externalName"], problem)
        yield from _port_errors(spec.get("ports") or [])
        yield from label_errors(spec.get("selector"), "spec.selector")
        if (affinity := spec.get("sessionAffinity")) not in ("ClientIP", HEADLESS):
            yield field_not_supported("spec.sessionAffinity", affinity, ("ClientIP", HEADLESS))
        if kind not in TYPES:
            yield field_not_supported("spec.type", kind, TYPES)
        for i, address in enumerate(addresses):
            if address != HEADLESS and not _is_address(address):
                yield field_invalid(f"spec.clusterIPs[{i}]", address, BAD_ADDRESS)
        yield from _traffic_errors(spec)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: an address stays as long as there is one."""
        new_ips, old_ips = new["spec"].get("clusterIPs"), old["spec"].get("clusterIPs")
        if old_ips and new["spec"].get("type") != "ExternalName" and new_ips != old_ips:
            yield field_invalid("spec.clusterIPs[0]", new_ips or [], "may not change once set")
        yield from self.validate(new)

    def update_warnings(self, new: JsonObject, old: JsonObject) -> Iterator[str]:
        """Yield what the client should be told about an update."""
        del old
        yield from self.warnings(new)

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what the client should be told about a new service."""
        if obj["spec"].get("externalName") and obj["spec"].get("type") != "ExternalName":
            yield 'spec.externalName is ignored when spec.type is not "ExternalName"'


def _port_errors(ports: list[JsonObject]) -> Iterator[FieldError]:
    names, numbers = set(), set()
    for i, port in enumerate(ports):
        at, name = f"spec.ports[{i}]", port.get("name", "")
        number, protocol = port.get("port", 0), port.get("protocol", "")
        if not name and len(ports) > 1:
            yield field_required(f"{at}.name")
        elif name:
            for problem in dns_label(name):
                yield field_invalid(f"{at}.name", name, problem)
            if name in names:
                yield field_duplicate(f"{at}.name", name)
        names.add(name)
        for problem in port_number(number):
            yield field_invalid(f"{at}.port", number, problem)
        if protocol not in PROTOCOLS:
            yield field_not_supported(f"{at}.protocol", protocol, PROTOCOLS)
        target: Any = port.get("targetPort", number)
        rule = port_number(target) if isinstance(target, int) else port_name(target)
        for problem in rule:
            yield field_invalid(f"{at}.targetPort", target, problem)
        if (protocol, number) in numbers:
            shown = {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number}
            yield field_duplicate(at, shown | {"TargetPort": 0, "NodePort": 0})
        numbers.add((protocol, number))


def _traffic_errors(spec: JsonObject) -> Iterator[FieldError]:
    """Give what is wrong with how requests find pods, from outside and inside."""
    kind, outside = spec.get("type"), spec.get("externalTrafficPolicy")
    path, inside = "spec.externalTrafficPolicy", spec.get("internalTrafficPolicy")
    is_reached = kind in ("LoadBalancer", "NodePort") or (
        kind == "ClusterIP" and spec.get("externalIPs")
    )
    if outside and not is_reached:
        detail = "may only be set for externally-accessible services"
        yield field_invalid(path, outside, detail)
    elif outside and outside not in TRAFFIC_POLICIES:
        yield field_not_supported(path, outside, TRAFFIC_POLICIES)
    if inside not in (None, *TRAFFIC_POLICIES):
        yield field_not_supported("spec.internalTrafficPolicy", inside, TRAFFIC_POLICIES)


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
