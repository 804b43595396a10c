"""A month as a page and as files: who is shown, and that nobody's name does harm."""

import csv
from dataclasses import replace

import numpy as np

from banditroute.reports.month.calendar import month_of, weeks_of
from banditroute.reports.month.month import Month, Traffic, WeekSums
from banditroute.reports.month.sums import Sums
from banditroute.reports.monthly import month_report, save_month_tables, summary_of, write_month_report
from banditroute.reports.sections.month.incidents import counted, incidents_section
from banditroute.reports.sections.month.naming import ranked
from banditroute.reports.sections.month.overview import missing_in_words
from banditroute.reports.sections.month.quality import trend_in_words
from banditroute.reports.store.timeline import Moment

NOVEMBER, DECEMBER = 1_793_491_200.0, 1_796_083_200.0
PERIOD = month_of("2026-11", DECEMBER)
USD = 10**12


def some(requests: int, usd: int, *, judged: int = 0, good: int = 0) -> Sums:
    return Sums(requests=requests, picos=usd * USD, judged=judged, quality_sum=float(good), square_sum=float(good))


def a_month(tenants=None, **others) -> Month:
    tenants = {"shop": some(10, 4, judged=5, good=4)} if tenants is None else tenants
    total = Sums()
    for each in tenants.values():
        total.add(each)
    traffic = Traffic(
        total=total,
        tenants=tenants,
        tasks={"qa": total},
        models={"small": total},
        days_usd=np.full(30, total.usd / 30),
        weeks=tuple(WeekSums(week, Sums()) for week in weeks_of(PERIOD)),
        sources=(),
        first_at=NOVEMBER + 5.0,
        last_at=DECEMBER - 5.0,
    )
    made = Month("store.db", PERIOD, DECEMBER + 9.0, traffic, (), (), None, (), moments_cut=False, kept_since=None)
    return replace(made, **others)


def test_of_many_tenants_the_dearest_are_shown_and_the_rest_in_one():
    parts = {f"tenant {n:02d}": some(1, n) for n in range(40)}
    shown = ranked(parts, 8)
    assert [part.name for part in shown[:2]] == ["tenant 39", "tenant 38"]
    assert (shown[-1].name, shown[-1].is_rest) == ("33 others", True)
    assert sum(part.sums.picos for part in shown) == sum(each.picos for each in parts.values())
    assert len(ranked(parts)) == 40


def test_names_of_others_do_no_harm(tmp_path):
    names = ("=HYPERLINK(1)", "<script>alert(1)</script>", "bell\x07\x00", "$x$", "")
    month = a_month({name: some(1, 1) for name in names})
    write_month_report(month, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "bell??" in page
    assert "(no tenant)" in page
    save_month_tables(month, tmp_path)
    with (tmp_path / "tenants.csv").open() as file:
        assert "'=HYPERLINK(1)" in {row["tenant"] for row in csv.DictReader(file)}


def test_without_judgements_and_chance_a_sentence_stands_instead_of_numbers():
    month = a_month({"shop": some(10, 4)})
    assert summary_of(month) == "$4.00 for 10 requests; no answer was judged."
    words = {section.name: section.blocks[0] for section in month_report(month).sections}
    assert words["savings"].text.startswith("No decision of this month was left to chance")
    assert words["quality"].text.startswith("No answer of this month was judged")
    assert words["incidents"].text.startswith("Nothing is on record")


def test_what_is_missing_of_a_month_is_said():
    assert list(missing_in_words(a_month())) == []
    under_way = a_month(at=DECEMBER - 86_400.0)
    assert list(missing_in_words(under_way)) == ["The month is not over: numbers are of 30 Nov 2026 00:00 UTC."]
    (gone,) = missing_in_words(a_month(kept_since=NOVEMBER + 86_400.0))
    assert gone.startswith("Decisions from before 2 Nov 2026 00:00 UTC are past their retention")
    late = a_month()
    late = replace(late, traffic=replace(late.traffic, first_at=NOVEMBER + 5 * 86_400.0))
    assert list(missing_in_words(late)) == ["The first decision on record of this month is of 6 Nov 2026 00:00 UTC."]


def weekly(*means: tuple[int, int]) -> list[WeekSums]:
    whole = [week for week in weeks_of(PERIOD) if week.whole]
    return [WeekSums(week, some(n, 0, judged=n, good=good)) for week, (n, good) in zip(whole, means, strict=False)]


def test_a_trend_is_told_only_where_it_is_shown():
    assert trend_in_words(weekly((200, 120), (200, 180))).startswith("Quality rose by .300 from 2 to 8 Nov")
    assert trend_in_words(weekly((200, 180), (200, 120))).startswith("Quality fell by .300")
    assert trend_in_words(weekly((50, 40), (50, 42))).startswith("No change of quality is shown")
    assert trend_in_words(weekly((200, 180), (29, 1))).startswith("No trend is told")


def test_very_many_incidents_leave_out_starts_and_reloads_first():
    moments = tuple(
        Moment(NOVEMBER + n, "circuit" if n % 3 == 0 else "started", "large", f"moment {n}", "") for n in range(400)
    )
    section = incidents_section(a_month(moments=moments, moments_cut=True))
    assert section.intro == "266 starts and 134 circuit changes."
    note, fold = section.blocks
    assert "may be missing" in note.text
    assert len(fold.blocks[0].rows) == 134


def test_more_than_one_is_said_as_people_do():
    moments = [Moment(NOVEMBER, kind, "", "", "") for kind in ("switch", "switch", "changed", "odd", "odd")]
    assert counted(moments) == "2 thrown switches, 2 odds and 1 changed model"
