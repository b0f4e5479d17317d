"""Which representation a request accepts, and which its body has.

Source: kubernetes v1.36 k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal

import msgspec

from pilotfish.cluster.errors import not_acceptable

JSON: Final = "application/json"
YAML: Final = "application/yaml"
TEXT: Final = "text/plain; charset=utf-8"

Form = Literal["object", "table", "metadata"]
_FORMS: Final[Mapping[str, Form]] = {
    "": "object",
    "Table": "table",
    "PartialObjectMetadata": "metadata",
    "PartialObjectMetadataList": "metadata",
}


class Accepted(msgspec.Struct, frozen=True):
    """How an answer is to look."""

    form: Form = "object"
    media_type: Literal["application/json", "application/yaml"] = JSON


AS_IS: Final = Accepted()


@lru_cache(maxsize=256)  # clients send the same few headers again and again
def accepted_form(accept: str, *, is_watch: bool = False) -> Accepted:
    """Choose the first representation of an Accept header that is served; no watch is YAML.

    Raises:
        StatusError: 406, none is.
    """
    for media_type, parameters in _preferences(accept or JSON):
        form = _FORMS.get(parameters.get("as", ""))
        if form is None or (form != "object" and not _is_meta_v1(parameters)):
            continue
        if media_type in (JSON, "*/*"):
            return Accepted(form)
        if media_type == YAML and not is_watch:
            return Accepted(form, YAML)
    raise not_acceptable((f"{JSON};stream=watch",) if is_watch else (JSON, YAML))


def accepts(accept: str, media_type: str) -> bool:
    """Say whether an answer that has one form only is acceptable."""
    wanted = [media for media, _ in _preferences(accept)]
    return not wanted or media_type in wanted or "*/*" in wanted


@lru_cache(maxsize=256)
def accepts_aggregated_discovery(accept: str) -> bool:
    """Say whether the aggregated form of discovery is preferred to the old one.

    Source: kubernetes v1.36 k8s.io/apiserver/pkg/endpoints/discovery/aggregated/wrapper.go.
    """
    for media_type, parameters in _preferences(accept):
        if media_type == JSON and parameters.get("as") == "APIGroupDiscoveryList":
            if parameters.get("g") == "apidiscovery.k8s.io" and parameters.get("v") == "v2":
                return True
        elif media_type in (JSON, "*/*"):
            return False
    return False


def body_type(content_type: str) -> str:
    """Return the media type of a body, without its parameters; JSON where nothing is said."""
    return content_type.partition(";")[0].strip().lower() or JSON


def _preferences(accept: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield media types and their parameters, the most wanted first."""
    wishes = []
    for clause in accept.split(","):
        media_type, *pairs = (part.strip() for part in clause.split(";"))
        parameters = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if media_type:
            wishes.append((-_quality(parameters.get("q", "")), media_type.lower(), parameters))
    wishes.sort(key=lambda wish: wish[0])  # stable: the order of the header among equals
    for _, media_type, parameters in wishes:
        yield media_type, parameters


def _quality(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 1.0


def _is_meta_v1(parameters: Mapping[str, str]) -> bool:
    return parameters.get("g") == "meta.k8s.io" and parameters.get("v") == "v1"
