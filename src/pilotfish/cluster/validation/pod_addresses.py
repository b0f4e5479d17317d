"""Validation of the addresses in a pod's status.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go: validatePodIPs and
    validateHostIPs; pkg/apis/core/v1/conversion.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Final

from pilotfish.cluster.field_errors import FieldError, field_invalid
from pilotfish.cluster.objects import JsonObject

BAD_ADDRESS: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
ONE_A_FAMILY: Final = "may specify no more than one IP for each IP family"


def set_pod_addresses(status: JsonObject) -> None:
    """Say a pod's address in both ways; where they differ, `podIP` counts."""
    first = status.get("podIP", "")
    addresses = status.get("podIPs") or ()
    if first and (not addresses or addresses[0].get("ip") != first):
        status["podIPs"] = [{"ip": first}]
    elif addresses:
        status["podIP"] = addresses[0].get("ip", "")


def address_errors(new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
    """Yield what is wrong with the addresses in a pod's status; those that it had may stay."""
    hosts = new.get("hostIPs") or ()
    if hosts and hosts[0].get("ip") != new.get("hostIP", ""):
        detail = "must be equal to `hostIP`"
        yield field_invalid("status.hostIPs[0].ip", hosts[0].get("ip", ""), detail)
    for field in ("podIPs", "hostIPs"):
        known = [address.get("ip", "") for address in old.get(field) or ()]
        addresses = [address.get("ip", "") for address in new.get(field) or ()]
        families = [_family(address) for address in addresses]
        for i, address in enumerate(addresses):
            if not families[i] and address not in known:
                yield field_invalid(f"status.{field}[{i}]", address, BAD_ADDRESS)
        if len(addresses) > 1 and len({4, 6}.intersection(families)) < len(addresses):
            shown: Any = [{"IP": address} for address in addresses]
            yield field_invalid(f"status.{field}", shown, ONE_A_FAMILY)


def is_address(text: str) -> bool:
    """Say whether a text is an IP address."""
    return bool(_family(text))


def _family(address: str) -> int:
    """Give 4 or 6, or 0 where it is no address."""
    try:
        return ip_address(address).version
    except ValueError:
        return 0
