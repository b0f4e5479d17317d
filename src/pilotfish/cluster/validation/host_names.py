"""Validation of how a pod finds hosts: its DNS and its aliases.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, validatePodDNSConfig,
    validatePodHostName and ValidateHostAliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_required,
    field_too_long,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.names import dns_subdomain
from pilotfish.cluster.validation.pod_addresses import BAD_ADDRESS, is_address

MAX_NAME_SERVERS: Final = 3
MAX_SEARCHES: Final = 32
MAX_SEARCH_CHARACTERS: Final = 2048
MAX_HOST_NAME: Final = 64

_PART = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH = rf"{_PART}(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
_BAD_SEARCH = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' "
    "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SEARCH}')"
)


def dns_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a pod's own DNS, which the policy None needs."""
    config, path = spec.get("dnsConfig"), f"{path}.dnsConfig"
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield field_required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield field_required(f"{path}.nameservers", detail)
            return
    if not config:
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > MAX_NAME_SERVERS:
        detail = f"must not have more than {MAX_NAME_SERVERS} nameservers"
        yield field_invalid(f"{path}.nameservers", servers, detail)
    for i, server in enumerate(servers):
        if not is_address(server):
            yield field_invalid(f"{path}.nameservers[{i}]", server, BAD_ADDRESS)
    if len(searches) > MAX_SEARCHES:
        detail = f"must not have more than {MAX_SEARCHES} search paths"
        yield field_invalid(f"{path}.searches", searches, detail)
    if len(" ".join(searches)) > MAX_SEARCH_CHARACTERS:
        detail = (
            f"must not have more than {MAX_SEARCH_CHARACTERS} characters (including spaces) in the "
            "search list"
        )
        yield field_invalid(f"{path}.searches", searches, detail)
    for i, search in enumerate(searches):
        domain = search.removesuffix(".")
        if search != "." and re.fullmatch(_SEARCH, domain) is None:
            yield field_invalid(f"{path}.searches[{i}]", domain, _BAD_SEARCH)
    for i, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield field_required(f"{path}.options[{i}]", "must not be empty")


def hostname_override_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the name that a pod knows itself by."""
    name, path = spec["hostnameOverride"], f"{path}.hostnameOverride"
    for field in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.get(field):
            yield field_forbidden(path, f"may not be specified when {field} is true")
    if len(name.encode()) > MAX_HOST_NAME:
        yield field_too_long(path, MAX_HOST_NAME)
    for problem in dns_subdomain(name):
        yield field_invalid(path, name, problem)


def host_alias_errors(aliases: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the names that a pod gives to addresses."""
    for i, alias in enumerate(aliases or ()):
        if not is_address(alias.get("ip", "")):
            yield field_invalid(f"{path}[{i}].ip", alias.get("ip", ""), BAD_ADDRESS)
        for j, name in enumerate(alias.get("hostnames") or ()):
            for problem in dns_subdomain(name):
                yield field_invalid(f"{path}[{i}].hostnames[{j}]", name, problem)
