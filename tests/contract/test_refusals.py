"""What both servers refuse, and how they say it; the requests are in refusals.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.objects import pod
from contract.server import JSON, MERGE_PATCH, Server

Json = dict[str, Any]

REFUSALS: list[Json] = yaml.safe_load(Path(__file__).with_name("refusals.yaml").read_text())


def sent(refusal: Json) -> object:
    """Give the body of a request."""
    if "pod" in refusal:
        return pod("refused", **refusal["pod"])
    return refusal["text"].encode() if "text" in refusal else refusal.get("body")


def name_of(refusal: Json) -> str:
    """Name a request in a way that stays when others come and go."""
    if "name" in refusal:
        return str(refusal["name"])
    method, path = refusal["request"].split()
    detail = refusal.get("pod") or refusal.get("text") or refusal.get("body")
    return f"{method} {path.removeprefix('/api/v1')}" + (f" {detail}" if detail else "")


@pytest.mark.parametrize("refusal", REFUSALS, ids=name_of)
def test_request_is_refused(api: Server, refusal: Json) -> None:
    method, path = refusal["request"].split()
    kind = MERGE_PATCH if method == "PATCH" else JSON
    answer = api.send(method, path, sent(refusal), kind=kind)
    assert answer.told == refusal["told"]
    if "causes" in refusal:
        assert [" ".join(cause) for cause in answer.causes] == refusal["causes"]
