"""`banditroute prices diff` and `prices show`."""

import json
import re
from pathlib import Path

import pytest

from banditroute.cli.app import run

PAGE = Path(__file__).resolve().parents[3] / "docs" / "prices.md"
CONFIG = """
[[providers]]
name = "eu"
kind = "openai"
base_url = "https://api.groq.com/openai/v1"
[[providers]]
name = "acme"
kind = "openai"
base_url = "http://127.0.0.1:8000/v1"
[[models]]
name = "oss"
provider = "eu"
upstream = "openai/gpt-oss-20b"
input_usd_per_mtok = {oss}
output_usd_per_mtok = 0.3
cached_input_usd_per_mtok = 0.0375
[[models]]
name = "small"
provider = "acme"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("router.toml").write_text(CONFIG.format(oss=0.15))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_provider_is_known_by_its_address_and_a_difference_is_told_in_percent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["prices", "diff"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^oss +input +0.15 +0.075 +−50%$", out, re.MULTILINE)
    assert "not listed, left as declared: small" in out
    assert "1 of 1 listed models differ" in out


def test_nothing_is_changed(folder: Path) -> None:
    before = (folder / "router.toml").read_bytes()
    assert run(["prices", "diff"]) == 1
    assert (folder / "router.toml").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["router.toml"]


@pytest.mark.usefixtures("folder")
def test_a_newer_list_knows_a_provider_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"litellm_provider": "acme", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 3e-6}
    Path("new.json").write_text(json.dumps({"acme/small": {**row, "deprecation_date": "2027-01-31"}}))
    assert run(["prices", "diff", "new.json", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["list"], told["as_of"], told["differ"]) == ("new.json", None, 1)
    assert told["models"][0] == {"model": "oss", "listed": False, "retires_on": None, "changes": []}
    small = told["models"][1]
    assert (small["listed"], small["retires_on"]) == (True, "2027-01-31")
    assert [(each["key"], each["change"]) for each in small["changes"]] == [("output_usd_per_mtok", 0.5)]


@pytest.mark.usefixtures("folder")
def test_prices_as_listed_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    Path("router.toml").write_text(CONFIG.format(oss=0.075))
    assert run(["prices", "diff"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("1 listed, none differs")


@pytest.mark.usefixtures("folder")
def test_a_list_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "diff", "none.json"]) == 2
    assert capsys.readouterr().err.startswith("none.json: cannot be read")


def test_what_is_shown_can_stand_in_a_router_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["prices", "show", "gpt-4o*"]) == 0
    shown = capsys.readouterr().out
    Path("router.toml").write_text(f'{shown}\n[[providers]]\nname = "openai"\nkind = "openai"\n')
    assert run(["prices", "diff"]) == 0
    assert run(["prices", "show", "gtp-4o"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_the_page_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = re.search(
        r"```python\n(?P<files>[^`]*newer\.json.*?)```.*?\$ (?P<command>.*?)\n(?P<shown>.*?)```", page, re.DOTALL
    )
    assert found is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    exec(found["files"], {"Path": Path, "json": json})
    assert run(found["command"].split()[1:]) == 1
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == found["shown"].splitlines()
