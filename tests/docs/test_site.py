"""The documentation site: it builds without a warning, fetches nothing from elsewhere, misses no page and no name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import banditroute

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
FENCED = re.compile(r"^[ ]*```.*?^[ ]*```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


class Page(HTMLParser):
    """What a page links to, loads, and can be linked to by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(given.get("href") or "")
        elif tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.loaded.append(given["src"] or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text(encoding="utf-8")) for file in site.rglob("*.html") if file.name != "404.html"}


def test_every_link_and_everything_that_is_loaded_is_there(site: Path, pages: dict[Path, Page]) -> None:
    gone = []
    for file, page in pages.items():
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.exists() or (target in pages and parts.fragment and not _has(pages[target], parts.fragment)):
                gone.append(f"{file.relative_to(site)}: {link}")
    assert len(pages) > 50
    assert gone == []


def _has(page: Page, fragment: str) -> bool:
    return unquote(fragment) in page.anchors


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    fetched = {url for page in pages.values() for url in page.loaded if urlsplit(url).netloc}
    assert fetched == set()
    styles = [file.read_text(encoding="utf-8") for file in site.rglob("*.css")]
    assert styles
    assert not any(re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style) for style in styles)
    assert not any("mermaid" in page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))  # it would be fetched


def test_the_reference_has_every_public_name_and_every_command(pages: dict[Path, Page]) -> None:
    anchors = set().union(*(page.anchors for page in pages.values()))
    texts = {file.name: file.read_text(encoding="utf-8") for file in pages}
    named = {name for name in banditroute.__all__ if not name.startswith("__")}
    shown = {anchor.rpartition(".")[2] for anchor in anchors if anchor.startswith("banditroute.")}
    assert named - shown == set()
    for command in ("serve", "config check", "keys create", "prices import"):
        assert f"banditroute {command}" in texts["commands.html"]
    assert "usd_per_request" in texts["router.toml.html"]


def _listed(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
        return
    for each in nav.values() if isinstance(nav, dict) else nav:
        yield from _listed(each)


def test_every_page_stands_in_the_navigation_once() -> None:
    nav = list(_listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    assert len(set(nav)) == len(nav)
    assert {each for each in nav if not each.startswith("reference/")} == {page.name for page in DOCS.glob("*.md")}


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("*.md"))], ids=lambda page: page.name)
def test_links_work_where_the_files_are_read_as_they_stand(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    links = [link for link in LINK.findall(text) if "." in link and not urlsplit(link).scheme]  # f[x](t) is a formula
    assert [link for link in links if not (page.parent / unquote(link)).exists()] == []
