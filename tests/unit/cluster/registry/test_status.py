"""What a status may say."""

from typing import Any

import pytest

from unit.cluster.registry.api import Api, Json, message, pod

TEMPLATE: Json = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
BAD_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"podIP": "nonsense"}, f'podIPs[0]: Invalid value: "nonsense": {BAD_ADDRESS}'),
        (
            {"podIPs": [{"ip": "10.9.8.7"}, {"ip": "10.9.8.6"}]},
            (
                'podIPs: Invalid value: [{"IP":"10.9.8.7"},{"IP":"10.9.8.6"}]: '
                "may specify no more than one IP for each IP family"
            ),
        ),
        (
            {"hostIP": "10.9.8.7", "hostIPs": [{"ip": "10.9.8.6"}]},
            'hostIPs[0].ip: Invalid value: "10.9.8.6": must be equal to `hostIP`',
        ),
        (
            {"observedGeneration": -1},
            "observedGeneration: Invalid value: -1: must be a non-negative integer",
        ),
        (
            {"resourceClaimStatuses": [{"name": "x"}]},
            (
                'resourceClaimStatuses[0].name: Invalid value: "x": must match the name of '
                "an entry in `spec.resourceClaims`"
            ),
        ),
    ],
)
def test_status_of_a_pod_is_checked(api: Api, status: Json, why: str) -> None:
    api.create("pods", pod("p"))
    refusal = api.merge("pods", "p", {"status": status}, part="status")
    assert message(refusal, 422) == f'Pod "p" is invalid: status.{why}'


def test_address_of_a_pod_is_said_in_both_ways(api: Api) -> None:
    def addresses(**status: Any) -> tuple[str, list[str]]:
        written = api.merge("pods", "p", {"status": status}, part="status")["status"]
        return written["podIP"], [address["ip"] for address in written["podIPs"]]

    api.create("pods", pod("p"))
    both = [{"ip": "10.9.8.6"}, {"ip": "2001:db8::1"}]
    assert addresses(podIPs=both) == ("10.9.8.6", ["10.9.8.6", "2001:db8::1"])
    assert addresses(podIP="10.9.8.7") == ("10.9.8.7", ["10.9.8.7"])


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"unavailableReplicas": -1}, "unavailableReplicas: Invalid value: -1: {negative}"),
        (
            {"replicas": 2, "readyReplicas": 3},
            "readyReplicas: Invalid value: 3: cannot be greater than status.replicas",
        ),
        ({"collisionCount": 1}, "collisionCount: Invalid value: 1: cannot be decremented"),
    ],
)
def test_counts_in_a_status_are_checked(api: Api, status: Json, why: str) -> None:
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    api.create("deployments", {"metadata": {"name": "d"}, "spec": spec})
    before = {"status": {"collisionCount": 2}}
    assert api.merge("deployments", "d", before, part="status")["kind"] == "Deployment"
    refusal = api.merge("deployments", "d", {"status": status}, part="status")
    why = why.replace("{negative}", "must be greater than or equal to 0")
    assert message(refusal, 422) == f'Deployment.apps "d" is invalid: status.{why}'
