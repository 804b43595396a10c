"""The page as a browser and a screen reader find it."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import InputError, MissingExtraError
from banditroute.reports import (
    Bullets,
    Card,
    Cards,
    Cell,
    Column,
    Fold,
    Note,
    Report,
    Section,
    Table,
    Term,
    Terms,
    render,
    simulation_report,
    write_report,
    write_simulation_report,
)
from banditroute.reports.page import _environment
from banditroute.reports.theme import dark_variables, light_variables

VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})


class Page(HTMLParser):
    """Tags that open and close in order, ids, references and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def html(usual) -> str:
    return render(simulation_report(usual))


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


def test_every_id_is_unique_and_every_reference_is_met(page):
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = [attrs[key] for _, attrs in page.tags for key in ("aria-labelledby", "aria-describedby") if key in attrs]
    wanted += [attrs["href"].removeprefix("#") for _, attrs in page.tags if "href" in attrs]
    assert wanted
    assert set(wanted) <= set(ids)


def test_clip_paths_point_into_their_own_drawing(html):
    ids = set(re.findall(r'id="([^"]+)"', html))
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= ids


def test_nothing_is_fetched_or_run(html, page):
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("img")
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {"http://www.w3.org/2000/svg"}
    policy = next(attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_every_chart_is_named_described_and_tabled(html, page):
    drawings = page.all("svg")
    figures = page.all("figure")
    assert len(drawings) == 2 * len(figures)  # one for wide screens and paper, one for phones
    assert all(attrs["role"] == "img" and "viewbox" in attrs for attrs in drawings)
    for figure in re.findall(r"<figure.*?</figure>", html, re.DOTALL):
        assert len(re.findall(r"<title [^>]*>[^<]+</title>\s*<desc [^>]*>[^<]+</desc>", figure)) == 2
        assert re.search(r"<details class=\"data\">.*<table.*</details>", figure, re.DOTALL)


def test_all_colours_follow_the_theme(html):
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    used = {name for drawing in drawings for name in re.findall(r"var\(--(\w+)\)", drawing)}
    assert used <= set(light_variables())
    assert set(light_variables()) == set(dark_variables())
    assert not [
        drawing
        for drawing in drawings
        if re.search(r"#[0-9a-fA-F]{6}\b", re.sub(r"url\(#[^)]*\)|href=\"#[^\"]*\"", "", drawing))
    ]
    assert "font-family" not in "".join(drawings)


def test_tables_have_headings_for_rows_and_columns(page):
    scopes = {attrs.get("scope") for attrs in page.all("th")}
    assert scopes == {"row", "col"}
    assert all("aria-labelledby" in attrs for attrs in page.all("table"))


def test_the_same_report_gives_the_same_page(usual, html):
    assert render(simulation_report(usual)) == html


HOSTILE = "</title></style><script>alert(1)</script><b onx=\"'&amp;"


def test_hostile_names_stay_text(make, world):
    result = make(
        world(models=(HOSTILE, "$x$", "{{ 7*7 }}"), tasks=(HOSTILE, "<i>"), rows=60),
        policies=("thompson", f"fixed:{HOSTILE}"),
        budgets=(0.001,),
        seeds=2,
        notes=(HOSTILE,),
    )
    html = render(simulation_report(result))
    page = Page(html)
    assert not page.all("script")
    assert not page.all("b")
    assert not page.all("i")
    assert HOSTILE in page.text
    assert "{{ 7*7 }}" in page.text
    assert "$x$" in page.text


def test_names_in_any_script_draw_without_a_warning(make, world):
    names = ("模型-一", "🦙-8b", "مودل")
    page = Page(render(simulation_report(make(world(models=names, rows=60), policies=("thompson",), budgets=(0.001,)))))
    assert all(name in page.text for name in names)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=8, max_size=8))
def test_parts_show_any_text(words):
    a, b, c, d, e, f, g, h = words
    table = Table("t", a, (Column("k", b, (Cell(c, 1.0, strong=True, shade=0.5, detail=d),)),), frozenset({0}))
    blocks = (
        Cards((Card(e, f, g),)),
        Note(h),
        Bullets((a, b)),
        Terms((Term(c, d),)),
        Fold(e, (Note(f), table), opened=True),
    )
    page = Page(render(Report(a, b, c, (Section("s", d, e, blocks),))))
    flat = "".join("".join(page.words).split())
    assert all("".join(word.replace("\0", "\ufffd").split()) in flat.replace("\0", "\ufffd") for word in words)


def test_files_are_written_whole(tmp_path, usual, html):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_simulation_report(usual, path)
    assert path.read_text(encoding="utf-8") == html
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_bad_input(tmp_path):
    report = Report("t", "", "", ())
    with pytest.raises(InputError, match=r"absent/r\.html: cannot be written: no such file or directory; name a file"):
        write_report(report, tmp_path / "absent" / "r.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="cannot be written: is a directory"):
        write_report(report, tmp_path / "taken")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_a_report_that_fails_leaves_the_old_file(tmp_path, usual, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        MissingExtraError, match=r"the HTML report needs the 'plots' extra; run: pip install 'banditroute\[plots\]'"
    ):
        write_simulation_report(usual, path)
    assert path.read_text() == "old"


def test_without_jinja2_the_extra_is_named(monkeypatch):
    _environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="'plots' extra"):
        render(Report("t", "", "", ()))


def test_importing_reports_loads_neither_matplotlib_nor_jinja2():
    absent = "('matplotlib', 'jinja2', 'pydantic')"
    code = f"import sys, banditroute.reports; sys.exit(any(name in sys.modules for name in {absent}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
