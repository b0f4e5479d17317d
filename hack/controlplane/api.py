"""A small synchronous API client for set-up and checks: fast in bulk, no cleverness."""

import contextlib
import http.client
import json
import ssl
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REQUEST_SECONDS = 60.0
IDLE_SECONDS = 60.0  # kube-apiserver closes after 90
PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}


class ApiError(Exception):
    """The API server said no.

    Attributes:
        status: the HTTP status.
        reason: the Status object's reason, such as "NotFound".
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


class Api:
    """Requests with one bearer token over kept-alive connections; may be used from many threads."""

    def __init__(self, url: str, ca_file: Path, token: str) -> None:
        self._address = urlsplit(url).netloc
        self._tls = ssl.create_default_context(cafile=str(ca_file))
        self._token = token
        self._idle: list[tuple[float, http.client.HTTPSConnection]] = []
        self._resources: dict[str, dict[str, tuple[str, bool]]] = {}

    def request(
        self, method: str, path: str, body: object = None, *, kind: str = "application/json"
    ) -> Any:
        """Send a request and return the decoded answer.

        Raises:
            ApiError: the status is 400 or above.
            OSError: no answer; also http.client's exceptions.
        """
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        payload = None if body is None else json.dumps(body).encode()
        if payload is not None:
            headers["Content-Type"] = kind
        connection = self._connection()
        try:
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            status, raw = response.status, response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append((time.monotonic(), connection))
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = raw.decode(errors="replace")
        if status >= http.HTTPStatus.BAD_REQUEST:
            detail = answer if isinstance(answer, dict) else {"message": answer}
            raise ApiError(status, detail.get("reason", ""), detail.get("message", ""))
        return answer

    def get(self, path: str) -> Any:
        """GET a path such as `/api/v1/nodes`."""
        return self.request("GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of a whole list."""
        items: list[dict[str, Any]] = self.get(path)["items"]
        return items

    def patch(self, path: str, body: object, *, kind: str = "strategic") -> Any:
        """PATCH a path; `kind` is strategic, merge or json."""
        return self.request("PATCH", path, body, kind=PATCH_TYPES[kind])

    def delete(self, path: str, *, grace_seconds: int | None = None) -> Any:
        """DELETE an object, or with a collection's path all of them."""
        options = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        return self.request("DELETE", path, options)

    def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create an object and return it as the server stored it."""
        created: dict[str, Any] = self.request("POST", self.collection(manifest), manifest)
        return created

    def create_all(
        self, manifests: Iterable[dict[str, Any]], concurrency: int = 16
    ) -> list[dict[str, Any]]:
        """Create many objects at a time; returns them in the order given.

        Raises:
            ApiError: the first refusal; others may have been created.
        """
        with ThreadPoolExecutor(concurrency) as pool:
            return list(pool.map(self.create, manifests))

    def collection(self, manifest: dict[str, Any]) -> str:
        """Return the path under which such an object is created, from discovery."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if version not in self._resources:
            self._resources[version] = {
                found["kind"]: (found["name"], found["namespaced"])
                for found in self.get(root)["resources"]
                if "/" not in found["name"]
            }
        plural, namespaced = self._resources[version][kind]
        if not namespaced:
            return f"{root}/{plural}"
        namespace = manifest["metadata"].get("namespace", "default")
        return f"{root}/namespaces/{namespace}/{plural}"

    def close(self) -> None:
        """Close the idle connections; later requests open new ones."""
        while self._idle:
            self._idle.pop()[1].close()

    def _connection(self) -> http.client.HTTPSConnection:
        """Take a fresh idle connection or open one; never `if idle: pop`, threads would race."""
        with contextlib.suppress(IndexError):
            while True:
                since, connection = self._idle.pop()
                if time.monotonic() - since < IDLE_SECONDS:
                    return connection
                connection.close()
        return http.client.HTTPSConnection(
            self._address, timeout=REQUEST_SECONDS, context=self._tls
        )
