import pytest

from pilotfish.apiserver.media_types import (
    AS_IS,
    Accepted,
    accepted_form,
    accepts_aggregated_discovery,
)
from pilotfish.cluster.errors import StatusError

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", AS_IS),
        ("*/*", AS_IS),
        ("application/json;stream=watch", AS_IS),
        ("application/vnd.kubernetes.protobuf,application/json", AS_IS),
        ("application/yaml", Accepted(media_type="application/yaml")),
        (f"{TABLE},application/json", Accepted("table")),
        (f"{TABLE.replace('=v1;', '=v1beta1;')},application/json", AS_IS),
        ("application/json;as=Widget,application/json", AS_IS),
        (PARTIAL, Accepted("metadata")),
        (f"application/json;q=0.5,{TABLE};q=0.9", Accepted("table")),
        ("application/json;q=oops", AS_IS),
    ],
)
def test_first_form_that_is_served_is_chosen(accept: str, form: Accepted) -> None:
    assert accepted_form(accept) == form


@pytest.mark.parametrize(
    "accept", ["application/vnd.kubernetes.protobuf", "application/*", "text/html", f"{PARTIAL}x"]
)
def test_who_accepts_nothing_of_it_is_refused(accept: str) -> None:
    with pytest.raises(StatusError) as refused:
        accepted_form(accept)
    assert refused.value.code == 406


def test_watch_is_no_yaml() -> None:
    assert accepted_form("application/yaml,application/json", is_watch=True) == AS_IS
    with pytest.raises(StatusError, match="application/json;stream=watch"):
        accepted_form("application/yaml", is_watch=True)


def test_aggregated_discovery_is_given_to_who_prefers_it() -> None:
    assert accepts_aggregated_discovery(f"{DISCOVERY},application/json")
    assert not accepts_aggregated_discovery(f"application/json,{DISCOVERY}")
    assert not accepts_aggregated_discovery(f"{DISCOVERY.replace('v2', 'v1')},*/*")
