import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.reports import format as write

dollars = st.floats(1e-7, 1e5, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.923, ".923"),
        (1.0, "1.000"),
        (0.0, ".000"),
        (-0.0094, "−.009"),
        (1.0864, "1.086"),
        (0.9996, "1.000"),
        (math.nan, "–"),
    ],
)
def test_quality(value, text):
    assert write.quality(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.005, "+.005"), (-0.009, "−.009"), (0.0004, ".000"), (-0.0, ".000"), (math.nan, "–")]
)
def test_quality_change_has_a_sign_unless_it_rounds_to_nothing(value, text):
    assert write.quality_change(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0%"),
        (0.0004, "<0.1%"),
        (0.0042, "0.4%"),
        (0.031, "3%"),
        (0.9951, ">99%"),
        (1, "100%"),
        (1.5, "150%"),
        (-0.55, "−55%"),
        (-0.004, "−0.4%"),
        (-0.0004, ">−0.1%"),
        (-0.997, "<−99%"),
    ],
)
def test_percent_never_rounds_to_nothing_or_all(value, text):
    assert write.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.04, "+4%"), (-0.31, "−31%"), (0.0, "0%"), (0.0004, "<0.1%"), (math.nan, "–")]
)
def test_a_change_in_percent_has_its_sign(value, text):
    assert write.percent_change(value) == text


def test_small_differences_may_have_a_digit_more():
    assert [write.quality_change(value, 4) for value in (0.00452, -0.0001, 0.00004)] == ["+.0045", "−.0001", ".0000"]


def test_a_quality_that_rounds_to_nothing_has_no_sign():
    assert write.quality(-0.0003) == ".000"


def test_a_column_of_money_may_go_below_nothing():
    assert write.money_column([-0.01, 1.5]) == ("−$0.010", "$1.500")


@pytest.mark.parametrize(
    ("path", "name"), [("data/day.jsonl.gz", "day"), ("v1.5.csv", "v1.5"), (".csv", ".csv"), ("a.parquet", "a")]
)
def test_a_source_is_named_without_folders_and_type(path, name):
    assert write.source_name(path) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (0.00066, "$0.00066"),
        (0.000999, "$0.0010"),
        (0.0123, "$0.012"),
        (12.4, "$12.40"),
        (1234567, "$1,234,567.00"),
        (2.34e-10, "$2.3e−10"),
        (-0.5, "−$0.50"),
        (math.nan, "–"),
    ],
)
def test_money(value, text):
    assert write.money(value) == text


@given(dollars)
def test_money_keeps_two_significant_digits(value):
    read = float(write.money(value).replace("$", "").replace(",", "").replace("−", "-"))
    assert read == pytest.approx(value, rel=0.051)


@given(st.lists(dollars, min_size=1, max_size=6))
def test_a_money_column_lines_up(values):
    decimals = {len(text.partition(".")[2]) for text in write.money_column(values)}
    assert len(decimals) == 1


@given(st.lists(dollars, min_size=1, max_size=6))
def test_budgets_are_told_apart(values):
    assert len(set(write.budget_names(values))) == len(set(values))


def test_budget_names_are_as_short_as_they_can_be():
    assert write.budget_names([0.0006, 0.00066, None, 5.0]) == ("$0.0006", "$0.00066", "no budget", "$5.00")
    assert write.budget_names([0.00101, 0.001]) == ("$0.00101", "$0.001")


@given(st.lists(st.text("abc-/.", min_size=1, max_size=40), min_size=1, max_size=6), st.integers(4, 20))
def test_short_names_stay_distinct(names, most):
    short = write.short_names(names, most)
    assert len(set(short)) == len(set(names))
    assert all(
        s == n or (len(s) < len(n) and s[0] == n[0] and s[-1] == n[-1]) for s, n in zip(short, names, strict=True)
    )


def test_listing_and_seeds_read_as_prose():
    assert [write.listing(words) for words in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [write.seeds(values) for values in ((4,), (0, 1, 2, 3), (3, 1))] == ["4", "0 to 3", "3 and 1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00 s"),
        (0.00042, "0.420 ms"),
        (0.62, "620 ms"),
        (0.9999, "1.00 s"),
        (2.1, "2.10 s"),
        (21.64, "21.6 s"),
        (433.2, "433 s"),
        (12_345.6, "12,346 s"),
        (-0.34, "−340 ms"),
        (float("nan"), "–"),
    ],
)
def test_seconds(value, text):
    assert write.seconds(value) == text


def test_differences_keep_their_sign():
    assert write.money_change(0.00012) == "+$0.00012"
    assert write.money_change(-0.41) == "−$0.41"
    assert write.seconds_change(1.5) == "+1.50 s"
    assert write.seconds_change(-0.34) == "−340 ms"


def test_intervals_of_any_kind():
    assert write.between(0.0001, 0.0002, write.money) == "$0.00010 to $0.00020"
    assert write.between(float("nan"), 1.0, write.money) == "–"


def test_counts_of_things_and_stretches_of_time():
    assert [write.plural(n, "row") for n in (0, 1, 1824)] == ["0 rows", "1 row", "1,824 rows"]
    assert [write.stretch(s) for s in (0.0, 42.0, 900.0, 3_600.0, 7 * 86_400.0)] == [
        "0 seconds",
        "42 seconds",
        "15 minutes",
        "1 hour",
        "7 days",
    ]
    assert write.date(1_795_608_000.0) == "25 Nov 2026 12:00"
