"""Where a cluster listens, and by which names and addresses it is reached."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final

import msgspec
import psutil

from pilotfish.apiserver.certificates import SERVICE_NAMES
from pilotfish.apiserver.listener import bind
from pilotfish.runtime.trouble import StartError

LOOPBACK: Final = "127.0.0.1"

_ALWAYS: Final = (LOOPBACK, "::1", "localhost", *SERVICE_NAMES)
_LABEL: Final = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*(?![0-9]+\Z){_LABEL}", re.IGNORECASE)
_HINTS: Final[Mapping[int | None, str]] = {
    errno.EADDRINUSE: "take another one with --port",
    errno.EACCES: "the lowest ports are for root: take another one with --port",
}


class Place(msgspec.Struct, frozen=True):
    """Where a cluster listens.

    Attributes:
        address: the IP address that it takes.
        host: by which this machine reaches it, and others, too, unless it is the loopback address.
        elsewhere: by which other machines reach it instead of `host`.
        names: all names and addresses that its certificate is for.
    """

    address: str
    host: str
    elsewhere: tuple[str, ...]
    names: tuple[str, ...]


def is_address(text: str) -> bool:
    """Say whether a text is an IP address; one of a single link (`%eth0`) fits no certificate."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_name(text: str) -> bool:
    """Say whether a text may be the name of a host, in ASCII."""
    return _NAME.fullmatch(text) is not None


def find_place(host: str, more_names: Sequence[str] = ()) -> Place:
    """Find out where to listen; asks a name server where `host` is a name.

    Args:
        host: an IP address, or a name.
        more_names: for the certificate: what others call this machine.

    Raises:
        StartError: the name is not known.
    """
    address = host if is_address(host) else _resolved(host)
    if not ip_address(address).is_unspecified:
        return Place(address, host, (), (*_ALWAYS, host, address, *more_names))
    own = _own_addresses(with_ipv6=":" in address)
    name = socket.gethostname()
    names = (*_ALWAYS, *own, *([name] if is_name(name) else ()), *more_names)
    elsewhere = (host for host in (*more_names, *own) if not _is_of_here(host))
    return Place(address, LOOPBACK, tuple(elsewhere), names)


def take(place: Place, port: int) -> socket.socket:
    """Take the port, a free one for 0.

    Raises:
        StartError: it is not to be had.
    """
    try:
        return bind(place.address, port)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            own = ", ".join(_own_addresses(with_ipv6=True))
            raise StartError(
                f"--address {place.host}: {place.address} is no address of this machine",
                hint=f"give one of {own}; 0.0.0.0 stands for all",
            ) from error
        why = str(error.strerror).partition(" (while attempting")[0]
        hint = _HINTS.get(error.errno, "take another one with --address or --port")
        where = host_and_port(place.host, port)
        raise StartError(f"cannot listen on {where}: {why}", hint=hint) from error


def host_and_port(host: str, port: int) -> str:
    """Write a host and a port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _resolved(name: str) -> str:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise StartError(
            f"--address {name}: no address is known for this name: {error.strerror}",
            hint="give an IP address of this machine; 0.0.0.0 stands for all",
        ) from error
    return str(min(found)[4][0])  # IPv4 before IPv6


def _own_addresses(*, with_ipv6: bool) -> list[str]:
    """Return the addresses of this machine's interfaces; the system knows them, nobody is asked."""
    families = (socket.AF_INET, socket.AF_INET6) if with_ipv6 else (socket.AF_INET,)
    found = (entry for entries in psutil.net_if_addrs().values() for entry in entries)
    return [
        entry.address for entry in found if entry.family in families and is_address(entry.address)
    ]


def _is_of_here(host: str) -> bool:
    """Say whether a host means nothing on other machines, or, with a star, is none."""
    return ip_address(host).is_loopback if is_address(host) else host.startswith("*")
