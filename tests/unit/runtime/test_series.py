"""Series: what they write when somebody asks."""

from pilotfish.runtime.series import CounterSeries, HistogramSeries, doubling, gauge, render


def test_a_histogram_puts_a_value_on_a_bound_into_that_bucket() -> None:
    series = HistogramSeries("h", "About.", (1.0, 2.5), "who")
    for value in (1.0, 1.1, 2.5, 9.0):
        series.observe(value, "me")
    assert render([series.family()]).decode().splitlines() == [
        "# HELP h About.",
        "# TYPE h histogram",
        'h_bucket{le="1",who="me"} 1.0',
        'h_bucket{le="2.5",who="me"} 3.0',
        'h_bucket{le="+Inf",who="me"} 4.0',
        'h_count{who="me"} 4.0',
        'h_sum{who="me"} 13.6',
    ]


def test_series_without_labels_are_there_before_their_first_value() -> None:
    text = render(
        [CounterSeries("c_total", "C.").family(), HistogramSeries("h", "H.", ()).family()]
    )
    assert "c_total 0.0" in text.decode()
    assert 'h_bucket{le="+Inf"} 0.0' in text.decode()


def test_series_with_labels_are_there_from_their_first_value_on() -> None:
    series = CounterSeries("c_total", "C.", "a", "b")
    assert "c_total{" not in render([series.family()]).decode()
    series.inc("x", 'say "y"')
    assert 'c_total{a="x",b="say \\"y\\""} 1.0' in render([series.family()]).decode()


def test_a_gauge_is_what_it_is_given() -> None:
    family = gauge("g", "G.", ("queue",), {("active",): 3})
    assert render([family]).decode().splitlines()[-1] == 'g{queue="active"} 3.0'


def test_bounds_double() -> None:
    assert doubling(0.5, 3) == (0.5, 1.0, 2.0)
