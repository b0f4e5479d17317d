"""Attempt: a request whose failure is a value."""

from __future__ import annotations

from pilotfish.client import ApiClient, Response
from pilotfish.runtime.requests import Request


async def attempt(client: ApiClient, request: Request) -> Response | Exception:
    """Send a request and return the answer, or what went wrong: somebody waits for either."""
    try:
        return await client.request(
            request.method, request.path, body=request.body, content_type=request.content_type
        )
    except Exception as error:  # noqa: BLE001 - a bug must not leave a pod without an answer either
        return error
