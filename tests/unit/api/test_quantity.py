import pytest

from pilotfish.api.quantity import MAX_INT64, MalformedQuantityError, Quantity


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0", 0),
        ("7n", 7),
        ("7u", 7 * 10**3),
        ("250m", 250 * 10**6),
        ("3", 3 * 10**9),
        ("3k", 3 * 10**12),
        ("3M", 3 * 10**15),
        ("3G", 3 * 10**18),
        ("3T", 3 * 10**21),
        ("3P", 3 * 10**24),
        ("3E", 3 * 10**27),
        ("3Ki", 3 * 2**10 * 10**9),
        ("3Mi", 3 * 2**20 * 10**9),
        ("3Gi", 3 * 2**30 * 10**9),
        ("3Ti", 3 * 2**40 * 10**9),
        ("3Pi", 3 * 2**50 * 10**9),
        ("3Ei", 3 * 2**60 * 10**9),
        ("3e2", 3 * 10**11),
        ("3E+2", 3 * 10**11),
        ("3e-2", 3 * 10**7),
        ("+3", 3 * 10**9),
        ("-3", -3 * 10**9),
        ("-0", 0),
        ("003", 3 * 10**9),
        ("2.", 2 * 10**9),
        ("2.G", 2 * 10**18),
        (".25", 25 * 10**7),
        ("-.25k", -25 * 10**10),
        ("1.5Gi", 3 * 2**29 * 10**9),
        (".3Ki", 3072 * 10**8),
    ],
)
def test_amount_is_exact(text: str, nano: int) -> None:
    assert Quantity.parse(text).nano == nano


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0.1n", 1),
        ("2.001n", 3),
        ("-2.001n", -3),
        ("4e-30", 1),
        ("-4e-30", -1),
        ("0.0000000001Ki", 103),
        ("0." + "0" * 6000 + "1", 1),
    ],
)
def test_what_is_finer_than_a_nano_unit_is_rounded_away_from_zero(text: str, nano: int) -> None:
    assert Quantity.parse(text).nano == nano


@pytest.mark.parametrize(
    ("text", "value", "milli_value"),
    [
        ("1", 1, 1000),
        ("1m", 1, 1),
        ("1u", 1, 1),
        ("1001m", 2, 1001),
        ("1000001u", 2, 1001),
        ("-1001m", -2, -1001),
        ("-1u", -1, -1),
        ("0.5Ki", 512, 512_000),
        ("0.1Ki", 103, 102_400),
    ],
)
def test_whole_units_and_thousandths_are_rounded_away_from_zero(
    text: str, value: int, milli_value: int
) -> None:
    quantity = Quantity.parse(text)
    assert (quantity.value(), quantity.milli_value()) == (value, milli_value)


@pytest.mark.parametrize("text", ["8Ei", "20Ei", "99999999999999999999Ki"])
def test_binary_amounts_stop_at_the_largest_int64(text: str) -> None:
    assert Quantity.parse(text).nano == MAX_INT64 * 10**9
    assert Quantity.parse("-" + text).nano == -MAX_INT64 * 10**9


@pytest.mark.parametrize("text", ["10E", "1e19", "9" * 5000, "1e999999999999999"])
def test_readings_beyond_int64_are_clamped(text: str) -> None:
    assert Quantity.parse(text).value() == MAX_INT64
    assert Quantity.parse("-" + text).milli_value() == -MAX_INT64


def test_thousandths_are_clamped_where_whole_units_are_not() -> None:
    quantity = Quantity.parse("10P")
    assert (quantity.value(), quantity.milli_value()) == (10**16, MAX_INT64)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it starts with no number"),
        ("abc", "it starts with no number"),
        ("m", "it starts with no number"),
        (".", "it starts with no number"),
        ("-", "it starts with no number"),
        ("--1", "it starts with no number"),
        (" 1", "it starts with no number"),
        ("٣", "it starts with no number"),
        ("12Q", 'unknown suffix "Q"'),
        ("1 ", 'unknown suffix " "'),
        ("1\n", 'unknown suffix "\n"'),
        ("1K", 'unknown suffix "K"'),
        ("1mi", 'unknown suffix "mi"'),
        ("1i", 'unknown suffix "i"'),
        ("1e", 'unknown suffix "e"'),
        ("1e+", 'unknown suffix "e+"'),
        ("1e1.5", 'unknown suffix "e1.5"'),
        ("1.2.3", 'unknown suffix ".3"'),
        ("1_000", 'unknown suffix "_000"'),
        ("0x10", 'unknown suffix "x10"'),
    ],
)
def test_malformed_text_is_an_error_that_quotes_it(text: str, why: str) -> None:
    with pytest.raises(MalformedQuantityError) as caught:
        Quantity.parse(text)
    assert str(caught.value) == f'quantity "{text}" is malformed ({why})'


def test_equal_amounts_are_equal_whatever_their_text() -> None:
    assert Quantity.parse("1000m") == Quantity.parse("1")
    assert hash(Quantity.parse("1Ki")) == hash(Quantity.parse("1024"))
    assert Quantity.parse("1") != Quantity.parse("2")
    assert Quantity.parse("1") != 1


def test_amounts_are_ordered() -> None:
    texts = ["1Gi", "1G", "100m", "-1", "0"]
    assert [str(q) for q in sorted(map(Quantity.parse, texts))] == ["-1", "0", "100m", "1G", "1Gi"]


def test_only_zero_is_false() -> None:
    assert not Quantity.parse("0Ki")
    assert Quantity.parse("1n")


def test_text_is_kept_as_it_was_read() -> None:
    assert str(Quantity.parse("0.50Gi")) == "0.50Gi"
