"""The service and its tests that docs/testing.md shows, run by pytest as a reader would run them."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "testing.md"
FILE = re.compile(r"^```python\n# (?P<name>\w+\.py)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def files() -> dict[str, str]:
    return {found["name"]: found["text"] for found in FILE.finditer(PAGE.read_text(encoding="utf-8"))}


@pytest.mark.usefixtures("everything_loaded")
def test_the_page_shows_a_service_and_a_test_that_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.syspath_prepend(pytester.path)
    for name, text in files.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    result = pytester.runpytest_inprocess("-W", "error", "-p", "banditroute.testing.pytest_plugin")
    result.assert_outcomes(passed=2)


def test_the_first_test_takes_no_more_than_fifteen_lines(files: dict[str, str]) -> None:
    service = [line for line in files["support.py"].splitlines() if line.strip()]
    first = files["test_support.py"].partition("def test_no_model")[0]
    test = [line for line in first.splitlines() if line.strip() and not line.startswith(("from", "import"))]
    assert len(service) + len(test) <= 15
