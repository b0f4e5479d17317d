"""Lists in pages: one snapshot, opaque tokens, upstream's refusals."""

from __future__ import annotations

import base64
import json

import pytest

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.store import Store

WINDOW = 4


def store_with(*keys: str) -> Store:
    store = Store(window=WINDOW)
    for key in keys:
        namespace, _, name = key.rpartition("/")
        store.put("pods", {"metadata": {"name": name, "namespace": namespace}})
    return store


def token(**content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_pages_show_the_store_as_the_first_one_found_it() -> None:
    store = store_with("a/a", "a/b", "a/c", "b/a")
    page = store.page("pods", "", 1)
    store.remove("pods", "a", "b")
    store.put("pods", {"metadata": {"name": "b-new", "namespace": "a"}})
    store.put("pods", {"metadata": {"name": "0-new", "namespace": "b"}})
    store.put("pods", {"metadata": {"name": "a", "namespace": "b", "labels": {"new": ""}}})
    pages = [page]
    while page.continue_token:
        page = store.page("pods", "", 1, page.continue_token)
        pages.append(page)
    assert [[item.key for item in page.items] for page in pages] == [
        ["a/a"],
        ["a/b"],
        ["a/c"],
        ["b/a"],
    ]
    assert [page.remaining for page in pages] == [3, 2, 1, None]
    assert {page.resource_version for page in pages} == {5}
    assert pages[-1].items[0].labels == {}


def test_what_was_removed_before_the_place_of_a_page_is_not_shown_again() -> None:
    store = store_with("a/a", "a/b", "a/c")
    first = store.page("pods", "", 1)
    store.remove("pods", "a", "a")
    second = store.page("pods", "", 1, first.continue_token)
    assert ([item.name for item in second.items], second.remaining) == (["b"], 1)


def test_a_page_without_a_limit_is_the_whole_list() -> None:
    page = store_with("a/a", "b/a").page("pods")
    assert [item.key for item in page.items] == ["a/a", "b/a"]
    assert page.continue_token == ""


def test_pages_of_one_namespace_do_not_leave_it() -> None:
    store = store_with("a/x", "b/x", "b/y", "c/x")
    first = store.page("pods", "b", 1)
    second = store.page("pods", "b", 1, first.continue_token)
    assert [item.key for item in (*first.items, *second.items)] == ["b/x", "b/y"]
    assert second.continue_token == ""


def test_a_selection_fills_pages_and_does_not_count_what_remains() -> None:
    store = store_with("a/a", "a/b", "a/c", "a/d")
    page = store.page("pods", "", 2, matches=lambda item: item.name in "bd")
    assert [item.name for item in page.items] == ["b", "d"]
    assert (page.continue_token, page.remaining) == ("", None)
    page = store.page("pods", "", 1, matches=lambda item: item.name == "b")
    assert page.remaining is None
    last = store.page("pods", "", 1, page.continue_token, lambda item: item.name == "b")
    assert (last.items, last.continue_token) == ((), "")


def test_a_page_of_a_list_that_is_too_old_is_refused_with_a_way_on() -> None:
    store = store_with("a/a", "a/b", "a/c")
    first = store.page("pods", "", 1)
    for name in "defghijk":
        store.put("pods", {"metadata": {"name": name, "namespace": "a"}})
    with pytest.raises(StatusError) as refused:
        store.page("pods", "", 1, first.continue_token)
    status = refused.value.status()
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"] == (
        "The provided continue parameter is too old to display a consistent list result. You can"
        " start a new list without the continue parameter, or use the continue token in this"
        " response to retrieve the remainder of the results. Continuing with the provided token"
        " results in an inconsistent list - objects that were created, modified, or deleted"
        " between the time the first chunk was returned and now may show up in the list."
    )
    onward = store.page("pods", "", 3, status["metadata"]["continue"])
    assert [item.name for item in onward.items] == ["b", "c", "d"]
    assert onward.resource_version == store.resource_version


def test_an_exact_version_is_listed_while_the_log_reaches_it() -> None:
    store = store_with("a/a", "a/b")
    store.remove("pods", "a", "a")
    assert [item.name for item in store.page("pods", at=3).items] == ["a", "b"]
    assert [item.name for item in store.page("pods", at=4).items] == ["b"]
    for name in "cdefgh":
        store.put("pods", {"metadata": {"name": name, "namespace": "a"}})
    with pytest.raises(StatusError, match=r"^The resourceVersion for the provided list is too old"):
        store.page("pods", at=3)


def test_a_version_yet_to_come_times_out() -> None:
    store = store_with("a/a")
    with pytest.raises(StatusError) as refused:
        store.page("pods", at=99)
    assert refused.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Timeout: Too large resource version: 99, current: 2",
        "reason": "Timeout",
        "details": {
            "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            ],
            "retryAfterSeconds": 1,
        },
        "code": 504,
    }


def test_tokens_look_as_upstreams_do() -> None:
    text = store_with("a/a", "a/b").page("pods", "", 1).continue_token
    content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert content == {"v": "meta.k8s.io/v1", "rv": 3, "start": "/a/a\0"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("!!", ""),
        ("abc", ""),
        ("aGk", ""),
        (token(v="meta.k8s.io/v1", rv="x", start="/a"), ""),
        (token(v="v2", rv=5, start="/a"), "server does not recognize this encoded version v2"),
        (
            token(v="meta.k8s.io/v1", rv=0, start="/a"),
            "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
        ),
        (
            token(v="meta.k8s.io/v1", rv=5, start=""),
            "encoded start key empty (version meta.k8s.io/v1)",
        ),
        (token(v="meta.k8s.io/v1", rv=5, start="../x"), "../x"),
        (token(v="meta.k8s.io/v1", rv=5, start="/a//x"), "/a//x"),
    ],
)
def test_what_is_no_token_is_refused(text: str, why: str) -> None:
    with pytest.raises(StatusError) as refused:
        store_with("a/a").page("pods", "", 1, text)
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")
    start = "invalid continue token: continue key is not valid: "
    assert refused.value.message.startswith(start)
    assert refused.value.message.endswith(why)
