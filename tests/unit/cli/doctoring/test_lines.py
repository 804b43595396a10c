"""What the doctor says of each part."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import aclosing, closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from banditroute.cli.doctoring.lines import Line, State
from banditroute.cli.doctoring.pricing import price_lines
from banditroute.cli.doctoring.run import examined
from banditroute.cli.price_list import built_in_list
from banditroute.config import load_config
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.faulty_server import FaultyServer, closed_port

OK, LOOK, WRONG = State
TODAY = date(2026, 11, 26)
CONFIG = """
[[providers]]
name = "near"
kind = "openai"
base_url = "{url}"
api_key_env = {keys}

[[models]]
name = "small"
provider = "near"
upstream = "{upstream}"
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.4
max_output_tokens = 4096
{more}
"""


class Patient:
    """A configuration in a directory of its own, and what the doctor says of it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "router.toml"

    async def lines(
        self,
        url: str,
        more: str = "",
        *,
        keys: Sequence[str] = (),
        upstream: str = "faulty",
        call: bool = False,
        **environ: str,
    ) -> list[Line]:
        """The doctor's lines."""
        self.file.write_text(CONFIG.format(url=url, more=more, keys=list(keys), upstream=upstream).replace("'", '"'))
        return await examined(self.file, environ, TODAY, call=call)


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


def of(lines: Sequence[Line], part: str) -> list[Line]:
    return [line for line in lines if line.part == part]


def states(lines: Sequence[Line], part: str) -> list[State]:
    return [line.state for line in of(lines, part)]


async def test_where_all_is_well_nothing_is_wrong_and_nothing_was_paid(patient: Patient) -> None:
    async with FaultyServer() as server:
        budget = '[[budgets]]\nname = "day"\nusd = 1.0\nper = "day"'
        lines = await patient.lines(server.base_url, budget, keys=["K"], K="key")
        assert (server.requests, server.knocks) == (0, 1)
    assert {line.state for line in lines} == {OK}, lines
    assert [line.part for line in lines] == [
        "config", "keys", "providers", "clock", "store", "prices", "budgets", "gateway", "extras"
    ]  # fmt: skip
    assert "room for 592 at once" in of(lines, "budgets")[0].told  # (500 x .1 + 4,096 x .4) / 1e6 each
    assert not (patient.file.parent / "banditroute.db").exists()


async def test_a_real_call_is_made_only_where_it_is_asked_for(patient: Patient) -> None:
    async with FaultyServer() as server:
        (line,) = of(await patient.lines(server.base_url, call=True), "call")
        assert server.requests == 1
    assert line.state is OK
    assert line.told.startswith("small answers in ")
    assert not (patient.file.parent / "banditroute.db").exists()


@pytest.mark.parametrize(("fault", "said"), [("401", "HTTP 401"), ("500", "HTTP 500")])
async def test_a_failed_call_says_why(patient: Patient, fault: str, said: str) -> None:
    async with FaultyServer(script=[fault] * 9) as server:
        retry = "[retry]\nbase_s = 0.01\ncap_s = 0.01"
        (line,) = of(await patient.lines(server.base_url, retry, call=True), "call")
    assert line.state is WRONG
    assert said in line.told


async def test_a_missing_key_is_wrong_and_is_not_sent(patient: Patient) -> None:
    async with FaultyServer() as server:
        lines = await patient.lines(server.base_url, keys=["K", "L"], K="key")
        assert server.knocks == 1
    (line,) = of(lines, "keys")
    assert (line.state, line.told) == (WRONG, "L of provider near is not set")


async def test_a_key_that_cannot_be_sent_is_not(patient: Patient) -> None:
    async with FaultyServer() as server:
        lines = await patient.lines(server.base_url, keys=["K"], K="two\nlines")
        assert server.knocks == 0
    assert states(lines, "keys") == [WRONG]
    assert "two" not in str(lines)


async def test_authorities_that_cannot_be_read(patient: Patient) -> None:
    more = '[transport]\ntls_ca_file = "none.pem"'
    async with FaultyServer() as server:
        (line,) = of(await patient.lines(server.base_url, more), "providers")
    assert line.state is WRONG
    assert "none.pem" in line.told


@pytest.mark.parametrize(
    ("fault", "state", "said"),
    [
        ("401", WRONG, "refuses the key in K"),
        ("500", WRONG, "HTTP 500"),
        ("html", LOOK, "lists no models"),
        ("429-bare", LOOK, "busy"),
        ("insufficient-quota", WRONG, "quota"),
    ],
)
async def test_a_provider_that_is_not_well(patient: Patient, fault: str, state: State, said: str) -> None:
    async with FaultyServer(default=fault) as server:
        (line,) = of(await patient.lines(server.base_url, keys=["K"], K="secret-key"), "providers")
    assert line.state is state, line
    assert said in line.told
    assert "secret-key" not in str(line)


async def test_nobody_there_and_a_model_that_is_not_listed(patient: Patient) -> None:
    assert states(await patient.lines(f"http://127.0.0.1:{closed_port()}/v1"), "providers") == [WRONG]
    async with FaultyServer(models=("other",)) as server:
        (line,) = of(await patient.lines(server.base_url, upstream="faulty"), "providers")
    assert line.state is LOOK
    assert "does not list faulty" in line.told


async def test_a_file_that_cannot_be_used_or_is_not_there(patient: Patient) -> None:
    (line,) = await examined(patient.file, {}, TODAY)
    assert (line.state, line.remedy) == (WRONG, "write one with `banditroute init`")
    lines = await patient.lines("http://127.0.0.1:1/v1", "max_tokns = 1\nrooted = true")
    assert [line.state for line in lines] == [WRONG, WRONG]
    assert "max_tokns" in lines[0].told


async def test_a_missing_extra_or_module_is_about_the_configuration(patient: Patient) -> None:
    lines = await patient.lines("http://127.0.0.1:1/v1", '[routing]\nencoder = "no_such_module:thing"')
    assert states(lines, "config") == [WRONG]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_store_that_cannot_be_written(patient: Patient) -> None:
    folder = patient.file.parent / "kept"
    folder.mkdir(mode=0o500)
    lines = await patient.lines("http://127.0.0.1:1/v1", '[store]\npath = "kept/x.db"')
    assert states(lines, "store") == [WRONG]


async def test_a_store_of_another_kind_of_file_or_without_a_folder(patient: Patient) -> None:
    (patient.file.parent / "banditroute.db").write_bytes(b"SQLite format 3\0" + b"x" * 4096)
    assert states(await patient.lines("http://127.0.0.1:1/v1"), "store") == [WRONG]
    lines = await patient.lines("http://127.0.0.1:1/v1", '[store]\npath = "none/x.db"')
    assert "there is no directory" in of(lines, "store")[0].told
    lines = await patient.lines("http://127.0.0.1:1/v1", '[store]\nkind = "memory"')
    assert states(lines, "store") == [LOOK]


async def test_a_store_of_an_earlier_version_is_told_of_and_one_of_a_later_is_wrong(patient: Patient) -> None:
    async with aclosing(SQLiteStore(patient.file.parent / "banditroute.db")) as store:
        await store.open()
    assert states(await patient.lines("http://127.0.0.1:1/v1"), "store") == [OK]
    for version, state in ((3, LOOK), (999, WRONG)):
        with closing(sqlite3.connect(patient.file.parent / "banditroute.db")) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        (line,) = of(await patient.lines("http://127.0.0.1:1/v1"), "store")
        assert line.state is state, line
        assert f"version {version}" in line.told


@pytest.mark.parametrize(
    ("usd", "ends", "state", "said"),
    [
        (0.001, "reject", WRONG, "no such request fits"),
        (0.001, "cheapest", LOOK, "no such request fits"),
        (0.01, "reject", OK, ""),
    ],
)
async def test_caps_are_held_against_what_a_request_may_cost(
    patient: Patient, usd: float, ends: str, state: State, said: str
) -> None:
    budget = f'[[budgets]]\nname = "day"\nusd = {usd}\nper = "day"\non_exhausted = "{ends}"'
    (line,) = of(await patient.lines("http://127.0.0.1:1/v1", budget), "budgets")
    assert line.state is state, line
    assert said in line.remedy


async def test_without_a_budget_somebody_should_look(patient: Patient) -> None:
    (line,) = of(await patient.lines("http://127.0.0.1:1/v1"), "budgets")
    assert (line.state, line.told) == (LOOK, "budgets: nothing bounds what is spent")


async def test_a_gateway_wants_its_keys(patient: Patient) -> None:
    asked = '[[gateway.keys]]\nname = "app"\nkey_env = "APP"'
    assert states(await patient.lines("http://127.0.0.1:1/v1", asked), "gateway") == [WRONG]
    assert states(await patient.lines("http://127.0.0.1:1/v1", asked, APP="x"), "gateway") == [OK]
    assert states(await patient.lines("http://127.0.0.1:1/v1", "[gateway]"), "gateway") == [LOOK]


def known(tmp_path: Path, usd: float) -> Path:
    file = tmp_path / "router.toml"
    file.write_text(
        '[[providers]]\nname = "groq"\nkind = "openai"\nbase_url = "https://api.groq.com/openai/v1"\n'
        '[[models]]\nname = "oss"\nprovider = "groq"\nupstream = "openai/gpt-oss-20b"\n'
        f"input_usd_per_mtok = {usd}\noutput_usd_per_mtok = 0.3\ncached_input_usd_per_mtok = 0.0375\n"
    )
    return file


def test_prices_are_held_against_a_list_that_grows_old(tmp_path: Path) -> None:
    prices = built_in_list()
    assert prices.as_of is not None
    late = prices.as_of + timedelta(days=91)
    config = load_config(known(tmp_path, 0.075))
    assert [line.state for line in price_lines(config, prices.as_of)] == [OK]
    assert [line.state for line in price_lines(config, late)] == [OK, LOOK]
    (line,) = price_lines(load_config(known(tmp_path, 0.15)), prices.as_of)
    assert (line.state, line.told) == (LOOK, f"oss: not as in {prices.title}")
