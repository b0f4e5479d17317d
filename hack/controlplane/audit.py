"""Reading kube-apiserver's audit log."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any


def read_events(log: Path) -> Iterator[dict[str, Any]]:
    """Yield the log's events so far; a line that is still being written is left out."""
    if not log.exists():
        return
    with log.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)


def successful_binds(events: Iterable[dict[str, Any]]) -> Counter[str]:
    """Count the 201 answers to pods/binding and bindings by the uid in the request.

    A binder that sends no uid is counted under "namespace/name".
    """
    binds: Counter[str] = Counter()
    for event in events:
        target = event.get("objectRef", {})
        is_bind = target.get("subresource") == "binding" or target.get("resource") == "bindings"
        answered = event["stage"] == "ResponseComplete"
        if is_bind and answered and event["responseStatus"]["code"] == HTTPStatus.CREATED:
            sent = event["requestObject"]["metadata"]
            binds[sent.get("uid") or f"{target['namespace']}/{target['name']}"] += 1
    return binds
