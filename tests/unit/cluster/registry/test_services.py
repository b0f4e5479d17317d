from typing import Any

import pytest

from unit.cluster.registry.api import Api, Json, message


def service(**spec: Any) -> Json:
    return {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]} | spec}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            service(ports=[{"port": 80}, {"port": 81}]),
            (
                'Service "s" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: '
                "Required value]"
            ),
        ),
        (
            service(type="Foo"),
            (
                'Service "s" is invalid: spec.type: Unsupported value: "Foo": supported values: '
                '"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'
            ),
        ),
        (
            service(clusterIP="10.96.0.1"),
            (
                'Service "s" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to '
                "allocate IP 10.96.0.1: provided IP is already allocated"
            ),
        ),
        (
            service(clusterIP="1.2.3.4"),
            (
                'Service "s" is invalid: spec.clusterIPs: Invalid value: ["1.2.3.4"]: failed to '
                "allocate IP 1.2.3.4: the provided network does not match the current range"
            ),
        ),
        (
            service(type="NodePort", ports=[{"port": 80, "nodePort": 5}]),
            (
                'Service "s" is invalid: spec.ports[0].nodePort: Invalid value: 5: provided port '
                "is not in the valid range. The range of valid ports is 30000-32767"
            ),
        ),
    ],
)
def test_service_is_refused_in_upstreams_words(api: Api, body: Json, text: str) -> None:
    assert message(api.create("services", body), 422) == text


def test_service_gets_an_address_that_no_other_has_and_keeps_it(api: Api) -> None:
    api.create("services", service())
    created = api.get("services", "s")["spec"]
    assert created["clusterIPs"] == [created["clusterIP"]]
    assert created["clusterIP"].startswith("10.96.")
    replaced = api.update("services", "s", service(selector={"a": "b"}))["spec"]
    assert replaced["clusterIP"] == created["clusterIP"]
    refusal = api.merge("services", "s", {"spec": {"clusterIP": "10.96.0.9", "clusterIPs": None}})
    assert message(refusal, 422) == (
        'Service "s" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.9"]: may not change '
        "once set"
    )


def test_service_changes_type_with_what_belongs_to_it(api: Api) -> None:
    api.create("services", service())
    ported = api.merge("services", "s", {"spec": {"type": "NodePort"}})["spec"]
    assert 30000 <= ported["ports"][0]["nodePort"] <= 32767
    back = api.merge("services", "s", {"spec": {"type": "ClusterIP"}})["spec"]
    assert "nodePort" not in back["ports"][0]
    assert back["clusterIP"] == ported["clusterIP"]
    external = {"spec": {"type": "ExternalName", "externalName": "a.b"}}
    assert "clusterIP" not in api.merge("services", "s", external)["spec"]


def test_headless_service_has_no_address(api: Api) -> None:
    created = api.create("services", service(clusterIP="None", selector={"a": "b"}))["spec"]
    assert (created["clusterIP"], created["clusterIPs"]) == ("None", ["None"])


def test_full_range_of_addresses_is_told() -> None:
    api = Api(service_ip_range="10.96.0.0/30")  # two addresses, one of them the API server's
    assert api.create("services", service())["spec"]["clusterIP"] == "10.96.0.2"
    other = service() | {"metadata": {"name": "other"}}
    assert message(api.create("services", other), 500) == (
        "Internal error occurred: failed to allocate a serviceIP: range is full"
    )
