"""One API server as the contract tests see it: raw requests, whole answers, watches."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from controlplane import wait_until

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
SECONDS = 60.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    code: int
    headers: http.client.HTTPMessage
    raw: bytes

    @cached_property
    def body(self) -> Any:
        """The decoded JSON."""
        return json.loads(self.raw)

    @property
    def told(self) -> str:
        """A Status in one line: code, reason and message; of other answers the code."""
        try:
            body = self.body
        except ValueError:
            return f"{self.code} {self.raw.decode(errors='replace').strip()}"
        if not isinstance(body, dict) or body.get("kind") != "Status":
            return str(self.code)
        return f"{self.code} {body.get('reason', '')}: {body.get('message', '')}"

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Reason and field of each cause of a Status."""
        found = self.body.get("details", {}).get("causes", [])
        return [(cause.get("reason", ""), cause.get("field", "")) for cause in found]

    @property
    def warnings(self) -> list[str]:
        """The texts of its Warning headers."""
        found = self.headers.get_all("Warning", [])
        return [text.removeprefix('299 - "').removesuffix('"') for text in found]

    def ok(self) -> Any:
        """Return the body of an answer that is no refusal."""
        assert self.code < http.client.BAD_REQUEST, self.told
        return self.body


@dataclass(frozen=True)
class Server:
    """An API server and one user of it."""

    name: str
    url: str
    ca_file: Path
    token: str
    kubeconfig: Path
    _tls: list[ssl.SSLContext] = field(default_factory=list)
    _idle: list[http.client.HTTPSConnection] = field(default_factory=list)

    def as_user(self, token: str) -> Server:
        """Return the same server as another user sees it."""
        return replace(self, token=token)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        kind: str = JSON,
        accept: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; `bytes` go out as they are, anything else as JSON."""
        payload = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Accept": accept} if self.token else {}
        if payload is not None and kind:
            sent["Content-Type"] = kind
        while True:
            is_reused = bool(self._idle)
            connection = self._idle.pop() if self._idle else self._connection()
            try:
                connection.request(method, path, payload, {**sent, **(headers or {})})
                response = connection.getresponse()
                answer = Answer(response.status, response.headers, response.read())
            except (ConnectionError, ssl.SSLError):
                connection.close()
                if not is_reused:  # else the server was restarted since
                    raise
            else:
                self._idle.append(connection)
                return answer

    def get(self, path: str, **query: object) -> Answer:
        """GET a path."""
        return self.send("GET", _with(path, query))

    def post(self, path: str, body: object, **query: object) -> Answer:
        """POST an object."""
        return self.send("POST", _with(path, query), body)

    def put(self, path: str, body: object, **query: object) -> Answer:
        """PUT an object."""
        return self.send("PUT", _with(path, query), body)

    def patch(self, path: str, body: object, kind: str = MERGE_PATCH, **query: object) -> Answer:
        """PATCH an object."""
        return self.send("PATCH", _with(path, query), body, kind=kind)

    def delete(self, path: str, body: object = None, **query: object) -> Answer:
        """DELETE an object or a collection."""
        return self.send("DELETE", _with(path, query), body)

    def create_namespace(self, name: str) -> None:
        """Create a namespace and wait for all that controllers put into it."""
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.post("/api/v1/namespaces", made).ok()
        for given in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            self.wait_for(f"/api/v1/namespaces/{name}/{given}")

    def wait_for(self, path: str) -> None:
        """Wait until there is something at a path."""
        wait_until(lambda: self.get(path).code == 200, path)

    @contextlib.contextmanager
    def watch(self, path: str, *, accept: str = JSON, **query: object) -> Iterator[Iterator[Json]]:
        """Watch a path; yields the events as they come, to the stream's end."""
        connection = self._connection()
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        try:
            connection.request("GET", _with(path, {"watch": "true", **query}), headers=headers)
            response = connection.getresponse()
            yield (json.loads(line) for line in response)
        finally:
            connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> http.client.HTTPSConnection:
        if not self._tls:
            self._tls.append(ssl.create_default_context(cafile=str(self.ca_file)))
        address = urlsplit(self.url).netloc
        return http.client.HTTPSConnection(address, timeout=SECONDS, context=self._tls[0])


def take(events: Iterator[Json], count: int) -> list[Json]:
    """Take so many events off a watch."""
    return [next(events) for _ in range(count)]


def seen(events: list[Json]) -> list[tuple[str, str]]:
    """Reduce events to type and name."""
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


def _with(path: str, query: Mapping[str, object]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
