import socket
from ipaddress import IPv4Address

import psutil
import pytest

from pilotfish.runtime.embedded_cluster.place import find_place, is_address, is_name
from pilotfish.runtime.trouble import StartError

ALL_OF_IPV4 = str(IPv4Address(0))


def own_addresses(family: socket.AddressFamily) -> set[str]:
    entries = (entry for entries in psutil.net_if_addrs().values() for entry in entries)
    return {
        entry.address for entry in entries if entry.family == family and "%" not in entry.address
    }


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "127.0.0.1"])
def test_one_address_is_what_the_certificate_and_the_kubeconfig_name(address: str) -> None:
    place = find_place(address, ["lab.example"])
    assert (place.address, place.host, place.elsewhere) == (address, address, ())
    assert {address, "127.0.0.1", "localhost", "kubernetes.default.svc", "lab.example"} <= set(
        place.names
    )


def test_name_is_reached_by_its_name_and_listens_on_its_address() -> None:
    place = find_place("localhost")
    assert (place.address, place.host) == ("127.0.0.1", "localhost")


@pytest.mark.parametrize("address", [ALL_OF_IPV4, "::"])
def test_all_addresses_are_in_the_certificate_and_this_machine_uses_loopback(address: str) -> None:
    place = find_place(address, ["lab.example", "*.lab.example"])
    assert (place.address, place.host) == (address, "127.0.0.1")
    assert {*own_addresses(socket.AF_INET), "lab.example", "*.lab.example"} <= set(place.names)
    of_ipv6 = own_addresses(socket.AF_INET6) - {"::1"}  # none on many a machine
    assert of_ipv6 & set(place.names) == (of_ipv6 if address == "::" else set())
    assert place.elsewhere[0] == "lab.example"
    assert not {"127.0.0.1", "::1", "*.lab.example"} & set(place.elsewhere)


def test_name_that_leads_nowhere_is_said_with_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # asks no name server
    with pytest.raises(StartError, match=r"^--address nowhere: no address is known") as caught:
        find_place("nowhere")
    assert ALL_OF_IPV4 in caught.value.hint


@pytest.mark.parametrize("name", ["vm", "a.b-c.example", "my_vm", "1host", "1.example"])
def test_host_names_are_told(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "text",
    ["", "0", "256.1.1.1", "a:80", "https://a", "-a", "a..b", "b\u00fccher", "a" * 64, "a\n"],
)
def test_what_is_no_host_name_is_told(text: str) -> None:
    assert not is_name(text)


def test_address_of_a_single_link_is_none_that_a_certificate_could_name() -> None:
    assert is_address("fe80::1")
    assert not is_address("fe80::1%eth0")
