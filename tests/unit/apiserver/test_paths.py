import pytest

from pilotfish.apiserver.paths import ResourcePath, parse_path, split_target


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1", ResourcePath("", "v1")),
        ("/api/v1/", ResourcePath("", "v1")),
        ("/api/v1/nodes/a", ResourcePath("", "v1", plural="nodes", name="a", parts=2)),
        ("/apis/apps/v1/deployments", ResourcePath("apps", "v1", plural="deployments", parts=1)),
        ("/api/v1/namespaces/n/pods/p/log", ResourcePath("", "v1", "n", "pods", "p", "log", 3)),
        ("/api/v1/namespaces/n", ResourcePath("", "v1", "n", "namespaces", "n", parts=2)),
        (
            "/api/v1/namespaces/n/status",
            ResourcePath("", "v1", "n", "namespaces", "n", "status", 3),
        ),
        (
            "/api/v1/watch/namespaces/n/pods",
            ResourcePath("", "v1", "n", "pods", parts=1, is_watch=True),
        ),
    ],
)
def test_paths_are_taken_apart(path: str, expected: ResourcePath) -> None:
    assert parse_path(path) == expected


@pytest.mark.parametrize("path", ["/", "/api", "/apis/apps", "/version", "api/v1", "*", ""])
def test_other_paths_name_no_resource(path: str) -> None:
    assert parse_path(path) is None


def test_path_with_a_hole_or_too_many_parts_is_no_object() -> None:
    for path in ("/api/v1/namespaces/n/pods//log", "/api/v1/pods/a/b/c/d"):
        found = parse_path(path)
        assert found is not None
        assert found.parts > 3


def test_target_is_split_before_it_is_decoded() -> None:
    assert split_target("/api/v1/pods/a%3Fb?c=%20") == ("/api/v1/pods/a?b", "c=%20")


def test_whole_url_is_its_path() -> None:
    assert split_target("http://host:1/api/v1?limit=1") == ("/api/v1", "limit=1")
    assert split_target("https://host") == ("/", "")
