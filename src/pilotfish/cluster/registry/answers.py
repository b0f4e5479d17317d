"""Answers as complete JSON documents."""

from __future__ import annotations

import msgspec

from pilotfish.cluster.objects import JsonObject, Stored, single_document
from pilotfish.cluster.requests import ApiAnswer
from pilotfish.cluster.resources import Resource

OK = 200
CREATED = 201


def stored_answer(resource: Resource, stored: Stored, code: int = OK) -> ApiAnswer:
    """Answer with an object at rest."""
    return ApiAnswer(
        code=code,
        resource=resource,
        body=single_document(resource, stored.body),
        items=(stored,),
    )


def object_answer(resource: Resource, obj: JsonObject, code: int = OK) -> ApiAnswer:
    """Answer with an object in the form of one at rest that is not there: a dry run's."""
    body = single_document(resource, msgspec.json.encode(obj))
    return ApiAnswer(code=code, resource=resource, body=body)


def success(
    resource: Resource, code: int = OK, *, name: str = "", uid: str = "", about: bool = True
) -> ApiAnswer:
    """Answer with a Status that says no more than success."""
    status: JsonObject = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
    }
    if about:
        details = {"name": name, "group": resource.group, "kind": resource.plural, "uid": uid}
        status["details"] = {key: value for key, value in details.items() if value}
    else:
        status["code"] = code
    return ApiAnswer(code=code, resource=resource, body=msgspec.json.encode(status))
