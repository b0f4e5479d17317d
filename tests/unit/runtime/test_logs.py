import io
import json
import logging
from collections.abc import Iterator

import pytest

from pilotfish.runtime.logs import LOGGER, configure_logs


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger(LOGGER)
    before = (root.handlers[:], root.level, own.level)
    yield
    root.handlers[:], root.level = before[0], before[1]
    own.setLevel(before[2])


def test_text_is_the_bare_message_and_says_when_it_is_worse() -> None:
    stream = io.StringIO()
    log = configure_logs("text", "info", stream)
    log.info("Bound %s -> %s", "a/b", "n", extra={"pod": "a/b"})
    log.warning("slow")
    log.debug("never seen")
    assert stream.getvalue() == "Bound a/b -> n\nwarning: slow\n"


def test_json_is_one_object_a_line_with_the_fields() -> None:
    stream = io.StringIO()
    log = configure_logs("json", "info", stream)
    log.info("Bound %s -> %s", "a/b", "n", extra={"pod": "a/b", "node": "n"})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "message": "Bound a/b -> n", "pod": "a/b", "node": "n"}


def test_level_is_obeyed() -> None:
    stream = io.StringIO()
    configure_logs("text", "error", stream).warning("not this")
    assert stream.getvalue() == ""
