"""Objects of an API server as plain JSON, for commands that make, change and look at a few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pilotfish.client import ApiClient
from pilotfish.runtime.requests import MERGE_PATCH


class Objects:
    """Creates, patches, deletes and lists by paths; refusals are raised as the client does."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def create(self, path: str, manifest: Mapping[str, Any]) -> None:
        """Create an object; the path is that of its collection."""
        await self._client.request("POST", path, body=msgspec.json.encode(manifest))

    async def patch(self, path: str, patch: Mapping[str, Any]) -> None:
        """Merge a patch into an object."""
        body = msgspec.json.encode(patch)
        await self._client.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def delete(self, path: str) -> None:
        """Delete an object."""
        await self._client.request("DELETE", path)

    async def items(self, path: str, label_selector: str = "") -> list[dict[str, Any]]:
        """Return the objects of a collection, or those that a selector selects."""
        params = {"labelSelector": label_selector} if label_selector else None
        response = await self._client.request("GET", path, params=params)
        items: list[dict[str, Any]] = msgspec.json.decode(response.body)["items"]
        return items
