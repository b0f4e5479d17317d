"""Cluster addresses and node ports for services.

Source: kubernetes v1.36 pkg/registry/core/service/storage/alloc.go. differs: what is taken is read
    from the services that are there; one IP family.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Final

from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.errors import StatusError, internal_error, invalid
from pilotfish.cluster.field_errors import field_invalid
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.cluster.store import Store
from pilotfish.cluster.strategies.service import HEADLESS

WITH_ADDRESS: Final = ("ClusterIP", "LoadBalancer", "NodePort")
WITH_NODE_PORTS: Final = ("LoadBalancer", "NodePort")
OF_ADDRESSES: Final = (
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "internalTrafficPolicy",
)
STATIC_BAND: Final = 256  # the first addresses are left to those who ask for one


class ServiceAddresses:
    """Gives services an address and node ports, as their type needs them."""

    def __init__(self, store: Store, settings: ClusterSettings, rng: random.Random) -> None:
        self._store = store
        self._network = IPv4Network(settings.service_ip_range)
        self._node_ports = settings.node_ports
        self._rng = rng

    def admit(self, review: Review) -> None:
        """Let a write pass, with addresses.

        Raises:
            StatusError: 422: what the service asks for is taken, or is not in the range.
        """
        service = review.new
        if review.resource.kind != "Service" or review.subresource or service is None:
            return
        spec, old = service["spec"], (review.old or {}).get("spec") or {}
        kind = spec.get("type", "ClusterIP")
        if kind in WITH_ADDRESS:
            _keep_address(spec, old)
            self._set_address(review, spec, old)
        else:
            for field in OF_ADDRESSES:
                spec.pop(field, None)
        if kind in WITH_NODE_PORTS:
            self._set_node_ports(review, spec, old)
        else:
            _drop_node_ports(spec, old)

    def _others(self, review: Review) -> Iterable[JsonObject]:
        me = (review.namespace, review.name)
        for stored in self._store.list("services").items:
            if (stored.namespace, stored.name) != me:
                yield stored.decode()["spec"]

    def _set_address(self, review: Review, spec: JsonObject, old: JsonObject) -> None:
        wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
        was = old.get("clusterIPs")
        if wanted != HEADLESS and not (wanted and was):  # that a given one stays is validated
            taken = {ip for other in self._others(review) for ip in other.get("clusterIPs") or ()}
            if wanted:
                self._check_address(review, wanted, taken)
            else:
                wanted = self._free_address(taken)
        spec["clusterIP"], spec["clusterIPs"] = wanted, [wanted]
        if wanted == HEADLESS and not spec.get("selector"):
            spec.setdefault("ipFamilies", ["IPv4", "IPv6"])
            spec.setdefault("ipFamilyPolicy", "RequireDualStack")
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        spec.setdefault("internalTrafficPolicy", "Cluster")

    def _check_address(self, review: Review, address: str, taken: set[str]) -> None:
        try:
            known = IPv4Address(address)
        except AddressValueError:
            return  # validation says it better
        if known not in self._network:
            why = "the provided network does not match the current range"
        elif address in taken:
            why = "provided IP is already allocated"
        else:
            return
        detail = f"failed to allocate IP {address}: {why}"
        raise _refusal(review, "spec.clusterIPs", [address], detail)

    def _free_address(self, taken: set[str]) -> str:
        size = self._network.num_addresses
        first = STATIC_BAND if size > 2 * STATIC_BAND else 1
        offset = self._rng.randrange(first, size - 1)
        for step in range(size):
            address = str(self._network[1 + (offset + step - 1) % (size - 2)])
            if address not in taken:
                return address
        raise internal_error("failed to allocate a serviceIP: range is full")

    def _set_node_ports(self, review: Review, spec: JsonObject, old: JsonObject) -> None:
        known = {_key(port): port.get("nodePort") for port in old.get("ports") or ()}
        taken: set[int | None] = set()
        for other in self._others(review):
            taken.add(other.get("healthCheckNodePort"))
            taken.update(port.get("nodePort") for port in other.get("ports") or ())
        first, last = self._node_ports
        for i, port in enumerate(spec.get("ports") or ()):
            number = port.get("nodePort") or known.get(_key(port))
            path = f"spec.ports[{i}].nodePort"
            if number and number in taken:
                raise _refusal(review, path, number, "provided port is already allocated")
            if number and not first <= number <= last:
                detail = (
                    "provided port is not in the valid range. "
                    f"The range of valid ports is {first}-{last}"
                )
                raise _refusal(review, path, number, detail)
            if not number:
                number = self._free_port(taken)
            port["nodePort"] = number
            taken.add(number)
        spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec.get("type") == "LoadBalancer" and spec["externalTrafficPolicy"] == "Local":
            number = spec.get("healthCheckNodePort") or old.get("healthCheckNodePort")
            spec["healthCheckNodePort"] = number or self._free_port(taken)
        elif "healthCheckNodePort" in old:
            spec.pop("healthCheckNodePort", None)

    def _free_port(self, taken: set[int | None]) -> int:
        first, last = self._node_ports
        count = last - first + 1
        offset = self._rng.randrange(count)
        for step in range(count):
            if (number := first + (offset + step) % count) not in taken:
                return number
        raise internal_error("failed to allocate a nodePort: range is full")


def _keep_address(spec: JsonObject, old: JsonObject) -> None:
    """Let an update that says nothing of the address keep it."""
    if old.get("clusterIP") and not spec.get("clusterIP") and not spec.get("clusterIPs"):
        for field in OF_ADDRESSES:
            if field in old:
                spec.setdefault(field, old[field])


def _drop_node_ports(spec: JsonObject, old: JsonObject) -> None:
    """Let go of the node ports that a service of another type had."""
    known = {_key(port): port.get("nodePort") for port in old.get("ports") or ()}
    for port in spec.get("ports") or ():
        if port.get("nodePort") and port["nodePort"] == known.get(_key(port)):
            del port["nodePort"]
    if old.get("type") in WITH_NODE_PORTS:
        spec.pop("externalTrafficPolicy", None)
        spec.pop("allocateLoadBalancerNodePorts", None)
        spec.pop("healthCheckNodePort", None)


def _key(port: JsonObject) -> tuple[str, int]:
    return port.get("protocol", ""), port.get("port", 0)


def _refusal(review: Review, path: str, value: object, detail: str) -> StatusError:
    name = review.name or (review.new or {})["metadata"].get("name", "")
    return invalid(review.resource, name, [field_invalid(path, value, detail)])
