"""Validation of how a pod finds hosts: its DNS and its aliases.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, validatePodDNSConfig and
    ValidateHostAliases. differs: how many there may be is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilotfish.cluster.field_errors import FieldError, field_invalid, field_required
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.names import dns_subdomain
from pilotfish.cluster.validation.pod_addresses import BAD_ADDRESS, is_address

_PART = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH = rf"{_PART}(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
_BAD_SEARCH = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' "
    "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SEARCH}')"
)


def dns_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a pod's own DNS, which the policy None needs."""
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield field_required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield field_required(f"{path}.nameservers", detail)
            return
    config = config or {}
    for i, server in enumerate(config.get("nameservers") or ()):
        if not is_address(server):
            yield field_invalid(f"{path}.nameservers[{i}]", server, BAD_ADDRESS)
    for i, search in enumerate(config.get("searches") or ()):
        domain = search.removesuffix(".")
        if search != "." and re.fullmatch(_SEARCH, domain) is None:
            yield field_invalid(f"{path}.searches[{i}]", domain, _BAD_SEARCH)
    for i, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield field_required(f"{path}.options[{i}]", "must not be empty")


def host_alias_errors(aliases: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the names that a pod gives to addresses."""
    for i, alias in enumerate(aliases or ()):
        if not is_address(alias.get("ip", "")):
            yield field_invalid(f"{path}[{i}].ip", alias.get("ip", ""), BAD_ADDRESS)
        for j, name in enumerate(alias.get("hostnames") or ()):
            for problem in dns_subdomain(name):
                yield field_invalid(f"{path}[{i}].hostnames[{j}]", name, problem)
