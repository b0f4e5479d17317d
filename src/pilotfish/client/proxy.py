"""Which proxy a request goes through, by the environment: the rules of Go's net/http.

Source: golang.org/x/net v0.51 http/httpproxy/proxy.go.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from pilotfish.client.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def proxy_from_env(server: str, env: Mapping[str, str]) -> str:
    """Return the proxy's URL for requests to `server`, or "" for a direct connection.

    HTTPS_PROXY counts for https servers, HTTP_PROXY for http ones, capitals before small letters.
    Loopback addresses and what NO_PROXY names are reached directly.

    Raises:
        ConfigError: the proxy is of a kind that is not supported.
    """
    url = urlsplit(server)
    name = f"{url.scheme}_proxy"
    proxy = env.get(name.upper()) or env.get(name) or ""
    if not proxy:
        return ""
    host = url.hostname or ""
    port = url.port or _DEFAULT_PORTS[url.scheme]
    if _is_loopback(host) or bypasses(host, port, env.get("NO_PROXY") or env.get("no_proxy") or ""):
        return ""
    return checked_proxy(proxy, f"environment variable {name.upper()}")


def checked_proxy(proxy: str, where: str) -> str:
    """Return the URL of a proxy, with a scheme.

    Raises:
        ConfigError: its scheme is not supported. The message leaves the URL out: it may hold a
        password.
    """
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not is_http_url(proxy):
        raise ConfigError(
            f"{where}: this {proxy.partition('://')[0]} URL is no URL of an HTTP proxy",
            hint="use an HTTP proxy that knows CONNECT: http://host:port",
        )
    return proxy


def is_http_url(text: str) -> bool:
    """Tell whether this is a URL of a host, and perhaps a port, to be spoken HTTP with."""
    try:
        url = urlsplit(text)
        return url.scheme in _DEFAULT_PORTS and bool(url.hostname) and url.port != 0
    except ValueError:  # the port, or the brackets of an IPv6 address
        return False


def bypasses(host: str, port: int, no_proxy: str) -> bool:
    """Tell whether the comma-separated list `no_proxy` names this host and port.

    An entry is `*`, an IP address, a CIDR, or a domain: `example.com` and `*.example.com` cover
    what is below, the former also the name itself, `.example.com` only what is below. All but CIDRs
    may end in `:port`.
    """
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    return "*" in entries or any(_names(entry, host.lower(), port) for entry in entries if entry)


def _names(entry: str, host: str, port: int) -> bool:
    address = _address(host)
    if "/" in entry:
        network = _network(entry)
        return address is not None and network is not None and address in network
    name, entry_port = _split_port(entry)
    if not name or entry_port not in ("", str(port)):
        return False
    if (entry_address := _address(name)) is not None or address is not None:
        return address is not None and address == entry_address
    name = name.removeprefix("*")
    return host.endswith(name if name.startswith(".") else f".{name}") or host == name


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
