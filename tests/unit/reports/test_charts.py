"""Layout and colours: arithmetic that keeps a drawing legible."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from banditroute.reports.charts.bands import Band, Bands
from banditroute.reports.charts.canvas import drawing, text_width
from banditroute.reports.charts.cost_quality import CostQuality, Curve, Point
from banditroute.reports.charts.dots import UNKNOWN, Dot, Dots, Measure
from banditroute.reports.charts.labels import place_labels
from banditroute.reports.charts.layout import Box, flow, grid
from banditroute.reports.charts.panels import columns
from banditroute.reports.charts.scales import dollar_ticks, dollars, linear_ticks, qualities, seconds
from banditroute.reports.charts.shares import Shares, Stack
from banditroute.reports.charts.timeline import Lane, Limit
from banditroute.reports.theme import MOST_MODELS, dark_variables, light_variables, model_style, series_style

FRAME = Box(0, 0, 800, 400)


def overlap(a, b) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    return float(np.prod(np.clip(high - low, 0, None)))


@settings(max_examples=60, deadline=None)
@example([(111, 6), (92, 0)])
@given(st.lists(st.tuples(st.integers(0, 800), st.integers(0, 400)), min_size=1, max_size=8, unique=True))
def test_labels_keep_clear_of_each_other_and_inside(anchors):
    places = np.array(anchors, dtype=float)
    sizes = np.tile([90.0, 15.0], (len(anchors), 1))
    centres = places + place_labels(places, sizes, places, FRAME)
    boxes = np.hstack([centres - sizes / 2, centres + sizes / 2])
    assert all(overlap(boxes[i], boxes[j]) == 0 for i in range(len(boxes)) for j in range(i))
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= [800, 400]).all()


def test_optional_labels_are_left_out_of_a_crowd():
    places = np.array([(400.0, 200.0)])
    crowd = np.column_stack([np.repeat(np.arange(250, 560, 5), 60), np.tile(np.arange(100, 400, 5), 62)]).astype(float)
    sizes = np.array([[90.0, 15.0]])
    assert np.isnan(place_labels(places, sizes, crowd, FRAME, optional=True)).all()
    assert np.isfinite(place_labels(places, sizes, crowd, FRAME)).all()


@given(st.lists(st.floats(1, 200), max_size=12), st.floats(200, 900))
def test_a_legend_wraps_within_its_width(widths, available):
    places, height = flow(widths, 18, 21, available)
    assert all(x + width <= available for (x, _), width in zip(places, widths, strict=True))
    assert height == (places[-1][1] + 21 if widths else 0)


def test_panels_fill_the_width_in_few_rows():
    assert [columns(n, 900) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9)] == [1, 2, 3, 4, 3, 3, 4, 4, 3]
    assert [columns(n, 354) for n in (1, 2, 3, 7)] == [1, 2, 2, 2]
    boxes = grid(5, 3, Box(40, 60, 860, 0), 20, 58, 130)
    assert [box.top for box in boxes] == [60, 60, 60, 248, 248]
    assert boxes[2].left + boxes[2].width == pytest.approx(900)


@given(st.floats(1e-8, 10), st.floats(1.2, 1e6), st.integers(3, 7))
def test_dollar_ticks_are_few_and_inside(low, factor, most):
    ticks = dollar_ticks(low, low * factor, most)
    assert len(ticks) <= most
    assert ticks or factor < 2.5
    assert all(low <= tick <= low * factor for tick in ticks)


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    lighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [light_variables(), dark_variables()], ids=["light", "dark"])
def test_text_and_series_stand_out_from_the_paper(colours):
    assert all(contrast(colours[name], colours["paper"]) >= 4.5 for name in ("ink", "muted"))
    assert contrast(colours["muted"], colours["surface"]) >= 4.5
    series = [colour for name, colour in colours.items() if name[0] == "s" and name[1:].isdigit()]
    assert len(series) == 7
    assert all(contrast(colour, colours["paper"]) >= 3 for colour in series)


@pytest.mark.parametrize("colours", [light_variables(), dark_variables()], ids=["light", "dark"])
def test_dear_models_stand_out_more_than_cheap_ones(colours):
    ramp = [contrast(colours[f"m{n}"], colours["paper"]) for n in range(MOST_MODELS)]
    assert ramp == sorted(ramp)


def test_every_light_colour_names_one_variable():
    colours = light_variables()
    assert len(set(colours.values())) == len(colours)
    assert "#000000" not in colours.values()


def test_series_and_models_differ_without_colour():
    assert len({(style.colour, style.marker, style.line) for style in map(series_style, range(21))}) == 21
    assert len({series_style(n).marker for n in range(7)}) == 7
    for models in range(1, MOST_MODELS + 1):
        assert len({model_style(rank, models) for rank in range(models)}) == models


def test_a_point_far_below_is_left_out_rather_than_flattening_the_chart():
    mix = Curve("mix", np.array([0.001, 0.01]), np.array([0.8, 0.9]))
    chart = CostQuality((), (mix,), (Point("good", 0.001, 0.8), Point("bad", 0.002, 0.1), Point("fair", 0.002, 0.76)))
    assert [point.label for point in chart.cut()] == ["bad"]


def test_the_scale_of_spend_holds_the_budget_and_settled_seeds():
    requests = np.arange(1, 101)
    wild = Band("b", requests, np.vstack([1 + 50 / requests**2, 0.99 - 0.3 / requests]))
    bands = Bands((wild,))
    low, high = bands.limits()
    assert low < 0.96
    assert 1.05 < high < 3
    assert bands.cut()
    assert not Bands((Band("b", requests, np.ones((2, 100))),)).cut()


def test_the_scale_of_spend_stays_legible_when_a_policy_cannot_hold_its_budget():
    requests = np.arange(1, 101)
    bands = Bands((Band("tight", requests, np.full((2, 100), 77.0)), Band("loose", requests, np.full((2, 100), 0.5))))
    low, high = bands.limits()
    assert low < 0.5
    assert 3 < high < 3.5
    assert bands.cut()


def test_small_models_share_one_area_where_there_are_too_many():
    share = np.tile(np.arange(15.0) / 105, (4, 1))
    chart = Shares(tuple(f"m{k}" for k in range(15)), (Stack("b", np.arange(1, 5), share),))
    with drawing():
        figure = chart(900)
    names = [text.get_text() for text in figure.texts]
    assert "4 other models" in names
    assert "m14" in names
    assert "m3" not in names
    assert len(figure.axes[0].collections) == 12


def test_names_are_laid_out_by_their_width():
    with drawing():
        assert text_width("a wide name") > text_width("a name") > 0


def test_wide_intervals_do_not_flatten_the_estimates_they_surround():
    near, far = Dot(0.5, 0.4, 0.6, 0.35, 0.65), Dot(0.5, 0.4, 0.6, -9.0, 9.0)
    assert Measure("m", ((near,),), qualities).limits() == pytest.approx((0.35, 0.65))
    assert not Measure("m", ((near,),), qualities).cut
    assert Measure("m", ((far,),), qualities).limits() == pytest.approx((0.3, 0.7))
    assert Measure("m", ((far,),), qualities).cut
    assert Measure("m", ((UNKNOWN,),), qualities).limits() == (0.0, 1.0)


@pytest.mark.parametrize("width", [354.0, 904.0])
def test_rows_take_room_for_the_dots_they_have(width):
    one, two = (Dot(0.5),), (Dot(0.5), Dot(0.6))
    with drawing():
        heights = [
            Dots(("a", "b"), ("s", "t"), (Measure("m", rows, qualities),))(width).get_figheight()
            for rows in ((one, one), (one, two), (two, two))
        ]
    assert heights == sorted(set(heights))


def test_panels_stand_side_by_side_and_on_phones_below_each_other():
    chart = Dots(("a",), ("s",), (Measure("m", ((Dot(0.5),),), qualities), Measure("n", ((Dot(2.0),),), seconds)))
    with drawing():
        wide, phone = (chart(width).axes for width in (904.0, 354.0))
    assert wide[0].get_position().y0 == wide[1].get_position().y0
    assert phone[0].get_position().y0 > phone[1].get_position().y0


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6), st.integers(2, 9))
def test_linear_ticks_are_few_and_inside(low, span, most):
    high = low + span
    ticks = linear_ticks(low, high, most)
    slack = 1e-9 * max(abs(low), abs(high))
    assert len(ticks) <= most
    assert all(low - slack <= tick <= high + slack for tick in ticks)


def test_a_lane_without_values_has_a_scale():
    blank = np.full(3, np.nan)
    assert Lane("l", blank, qualities).span() == pytest.approx((-0.08, 1.08))
    assert Lane("l", blank, qualities, bars=True).span()[0] == 0
    low, high = Lane("l", np.array([0.5, np.nan, 0.6]), qualities, limits=(Limit("b", 2.0),)).span()
    assert low < 0.5
    assert high > 2.0


def test_ticks_are_written_alike():
    assert list(qualities([-0.05, 0.0, 0.1])) == ["−.05", ".00", ".10"]
    assert list(qualities([0.905, 0.91])) == [".905", ".910"]
    assert list(seconds([0.2, 0.4])) == ["200 ms", "400 ms"]
    assert list(seconds([0.0, 2.0])) == ["0 s", "2 s"]
    assert list(dollars([0.0, 0.0005, 0.001])) == ["$0", "$0.0005", "$0.0010"]


@pytest.mark.parametrize("texts", [dollars, seconds, qualities])
@pytest.mark.parametrize(("low", "high"), [(-0.002, 0.001), (0.01, 0.0115), (0.88401, 0.88412), (1000.0, 5000.0)])
def test_no_two_ticks_read_alike(texts, low, high):
    ticks = linear_ticks(low, high, 5)
    read = [float(re.sub(r"[^0-9.−]", "", text).replace("−", "-")) for text in texts(ticks)]
    assert np.diff(read) == pytest.approx(np.full(len(ticks) - 1, read[1] - read[0]))
    assert read[1] > read[0]
