import pytest

from pilotfish.cluster.schema.leaves import (
    MICROSECONDS_LAYOUT,
    MalformedValueError,
    canonical_base64,
    canonical_quantity,
    canonical_time,
    milli_quantity,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"), ("0Mi", "0"), ("00100m", "100m"), ("1000m", "1"), ("0.5", "500m"),
        ("1.5", "1500m"), ("1e3", "1e3"), ("1e2", "100"), ("12E6", "12e6"), ("1000", "1k"),
        ("1234567", "1234567"), ("3000000", "3M"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"),
        ("1023Ki", "1023Ki"), ("0.5Ki", "512"), ("1025", "1025"), ("0.1Ki", "102400m"),
        ("1.0001Ki", "1024102400u"), ("-1024Ki", "-1Mi"), ("+5", "5"), ("1n", "1n"),
        (" 5 ", "5"), ("2048Pi", "2Ei"), ("1E", "1E"),
    ],
)  # fmt: skip
def test_quantity_is_written_back_in_canonical_form(text: str, canonical: str) -> None:
    assert canonical_quantity(text) == canonical
    assert canonical_quantity(canonical) == canonical


@pytest.mark.parametrize("text", ["1e", "1K", "1Mi1", "0.5kk", ".5E+"])
def test_quantity_of_unknown_suffix_is_refused_by_it(text: str) -> None:
    with pytest.raises(MalformedValueError, match="unable to parse quantity's suffix"):
        canonical_quantity(text)


@pytest.mark.parametrize("text", ["", "abc", "1Q", "1 Gi", "--1", "{}", "1.1.1"])
def test_malformed_quantity_is_refused(text: str) -> None:
    with pytest.raises(MalformedValueError, match="must match the regular expression"):
        canonical_quantity(text)


@pytest.mark.parametrize(("text", "milli"), [("1u", "1m"), ("1Gi", "1Gi"), ("1500001u", "1501m")])
def test_amount_in_a_resource_list_is_rounded_up_to_thousandths(text: str, milli: str) -> None:
    assert milli_quantity(text) == milli


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_time_is_written_back_in_utc_to_the_second(text: str, canonical: str) -> None:
    assert canonical_time(text) == canonical


def test_micro_time_keeps_six_digits_and_wants_them() -> None:
    assert canonical_time("2026-01-02T03:04:05.600000+01:00", MICROSECONDS_LAYOUT) == (
        "2026-01-02T02:04:05.600000Z"
    )
    with pytest.raises(MalformedValueError, match=r'cannot parse "Z" as "\.000000"'):
        canonical_time("2026-01-02T03:04:05Z", MICROSECONDS_LAYOUT)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'),
        ("2026-01-02 03:04:05Z", 'cannot parse " 03:04:05Z" as "T"'),
        ("2026-01-02T03:04:05", 'cannot parse "" as "Z07:00"'),
        ("2026-13-02T03:04:05Z", "out of range"),
        ("2026-01-02T03:04:05Zx", 'extra text: "x"'),
    ],
)
def test_malformed_time_is_refused_with_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(MalformedValueError) as refused:
        canonical_time(text)
    assert reason in str(refused.value)


def test_base64_loses_its_line_breaks() -> None:
    assert canonical_base64("aGVs\r\nbG8=") == "aGVsbG8="
    assert canonical_base64("") == ""


def test_base64_loses_bits_that_mean_nothing() -> None:
    assert canonical_base64("YR==") == "YQ=="


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("%", 0), ("a", 0), ("aGVsbG8", 4), ("aGV%", 3), ("YQ=", 3), ("Y===", 1), ("YWJj=", 4),
        ("YQ==x", 4), ("YQ=x", 2), ("YWJjYQ=", 7),
    ],
)  # fmt: skip
def test_malformed_base64_is_refused_with_the_place(text: str, place: int) -> None:
    with pytest.raises(MalformedValueError, match=f"illegal base64 data at input byte {place}"):
        canonical_base64(text)
