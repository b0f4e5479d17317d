import pytest

from pilotfish.apiserver.tables.ages import age, human_duration, seconds_of

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 365 * 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1.5, "0s"),
        (0, "0s"),
        (119.9, "119s"),
        (2 * MINUTE, "2m"),
        (3 * MINUTE + 10, "3m10s"),
        (10 * MINUTE + 10, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (7 * DAY + 23 * HOUR, "7d23h"),
        (8 * DAY + 23 * HOUR, "8d"),
        (2 * YEAR - DAY, "729d"),
        (2 * YEAR, "2y"),
        (3 * YEAR + 20 * DAY, "3y20d"),
        (9 * YEAR + 20 * DAY, "9y"),
    ],
)
def test_spans_are_rounded_as_upstream_rounds_them(seconds: float, text: str) -> None:
    """The limits of kubernetes v1.36 duration_test.go, TestHumanDuration."""
    assert human_duration(seconds) == text


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", 5])
def test_age_of_no_time_is_unknown(timestamp: object) -> None:
    assert age(timestamp, 0.0) == "<unknown>"


def test_times_are_read_with_and_without_fractions() -> None:
    assert seconds_of("1970-01-01T00:01:00Z") == 60.0
    assert seconds_of("1970-01-01T00:01:00.500000Z") == 60.5
