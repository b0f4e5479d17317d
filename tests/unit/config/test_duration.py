"""Durations as Go reads and writes them."""

import pytest

from pilotfish.config.duration import format_duration, parse_duration
from pilotfish.config.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "nanoseconds", "written"),
    [
        ("15s", 15 * 10**9, "15s"),
        ("600s", 600 * 10**9, "10m0s"),
        ("1h2m3.5s", 3723_500_000_000, "1h2m3.5s"),
        ("1h", 3600 * 10**9, "1h0m0s"),
        ("1500ms", 1_500_000_000, "1.5s"),
        (".5s", 500_000_000, "500ms"),
        ("1.5us", 1_500, "1.5µs"),
        ("7ns", 7, "7ns"),
        ("-90s", -90 * 10**9, "-1m30s"),
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
    ],
)
def test_duration_is_read_and_written_as_in_go(text: str, nanoseconds: int, written: str) -> None:
    assert parse_duration(text) == nanoseconds
    assert format_duration(nanoseconds) == written


@pytest.mark.parametrize("text", ["", "15", "s", "1d", "1 s", "1s2", "one"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no duration; write it as in 15s"):
        parse_duration(text)
