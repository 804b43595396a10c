"""Values that the environment gives in the place of a router.toml's."""

from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
import pytest

from banditroute import open_router
from banditroute.cli.app import run
from banditroute.config import FromEnvironment, check_config, load_config
from banditroute.config.environment import override
from banditroute.config.environment_names import PREFIX, spelt
from banditroute.config.file import TABLES
from banditroute.config.shapes import shape_of
from banditroute.routing.budgets import Cap, PacedBudget

Written = Callable[[str], Path]

BUDGETS = """
[[budgets]]
usd_per_request = 0.001

[[budgets]]
name = "all of it"
usd = 20
per = "day"
"""


def said(path: Path, environ: Mapping[str, str]) -> list[str]:
    """What is wrong, one line each; the file's own lines without their path."""
    given = {f"{PREFIX}{name}": value for name, value in environ.items()}
    return [str(problem).replace(f"{path}:", "FILE:") for problem in check_config(path, given).problems]


def test_values_of_every_kind_take_the_place_of_the_files(written: Written) -> None:
    path = written('[store]\npath = "of-the-file.db"\nretention_days = 3\n' + BUDGETS)
    config = load_config(
        path,
        {
            "BANDITROUTE__STORE__PATH": "/data/b.db",
            "BANDITROUTE__STORE__FSYNC": "true",
            "BANDITROUTE__STORE__RETENTION_DAYS": "7",
            "BANDITROUTE__ROUTING__EXPLORE__DOLLARS": "2e-2",
            "BANDITROUTE__ROUTING__TASKS": '["qa", "code"]',
            "BANDITROUTE__ROUTING__SEED": "5",
            "BANDITROUTE__MODELS__SMALL__INPUT_USD_PER_MTOK": "0.3",
            "BANDITROUTE__BUDGETS__ALL_OF_IT__USD": "5",
            "BANDITROUTE__BUDGETS__GLOBAL_PER_REQUEST__USD_PER_REQUEST": "0.002",
            "BANDITROUTE__GATEWAY__AUTH": "none",
            "BANDITROUTE__PROVIDERS__LOCAL__API_KEY_ENV": '["KEY_1", "KEY_2"]',
            "BANDITROUTE__PROVIDERS__LOCAL__TIMEOUTS__TOTAL_S": "9",
        },
    )
    assert (config.store.path, config.store.fsync, config.store.retention_s) == (Path("/data/b.db"), True, 7 * 86_400)
    assert (config.routing.tasks, config.routing.seed) == (("qa", "code"), 5)
    assert config.routing.policy.exploration.dollars == 0.02
    assert config.catalog["small"].price.input_usd_per_mtok == 0.3
    pace, cap = config.budgets
    assert isinstance(pace, PacedBudget)
    assert isinstance(cap, Cap)
    assert (pace.usd_per_request, cap.usd, cap.name) == (0.002, 5.0, "all of it")
    assert config.gateway is not None
    assert config.gateway.auth == "none"
    assert config.providers[0].api_key_env == ("KEY_1", "KEY_2")
    assert config.providers[0].timeouts.total_s == 9.0


def test_without_such_variables_the_file_stands_alone(written: Written) -> None:
    path = written("")
    assert load_config(path, {}) == load_config(path, {"BANDITROUTE_KEY_APP": "x", "OTHER": "y"})
    assert load_config(path, {}).from_environment == ()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("STOR__KIND", "redis", "STOR is no key; did you mean 'BANDITROUTE__STORE__KIND'?"),
        ("STORE__PTH", "x", "PTH is no key; did you mean 'BANDITROUTE__STORE__PATH'?"),
        (
            "MODELS__SMAL__JSON",
            "true",
            "SMAL is no name among [[models]]; did you mean 'BANDITROUTE__MODELS__SMALL__JSON'?",
        ),
        ("BUDGETS__ALL__USD", "1", "ALL is no name among [[budgets]]; there is none in the file"),
        ("STORE__PATH__X", "x", "unknown variable; did you mean 'BANDITROUTE__STORE__PATH'?"),
        ("STORE", "x", "names a table, not a key of it; go on with __ and a key; there are: KIND, PATH"),
        ("MODELS__SMALL", "x", "names a table, not a key of it"),
        ("", "x", "names a table, not a key of it"),
    ],
)
def test_a_variable_that_names_no_key_is_an_error(written: Written, name: str, value: str, line: str) -> None:
    (problem,) = said(written(""), {name: value})
    assert problem.startswith(f"BANDITROUTE__{name}: ")
    assert line in problem


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "STORE__KIND",
            "mysql",
            "store.kind: expected memory, sqlite, redis or postgres, got 'mysql'; write \"sqlite\"",
        ),
        ("STORE__FSYNC", "yes", "store.fsync: expected true or false, got 'yes'"),
        ("STORE__TICK_S", "", "store.tick_s: expected a number, got ''"),
        ("STORE__TICK_S", "1\nfsync = true", "store.tick_s: expected a number, got '1\\nfsync = true'"),
        ("STORE__PATH", "", "store.path: empty; write something"),
        (
            "MODELS__SMALL__INPUT_USD_PER_MTOK",
            "-3",
            '[[models]] "small".input_usd_per_mtok: expected at least 0, got -3',
        ),
        ("MODELS__SMALL__PROVIDER", "locl", "[[models]] \"small\".provider: no provider is named 'locl'; did you mean"),
        ("ROUTING__TASKS", '["a", "a"]', "routing.tasks: a class stands there twice"),
        ("ROUTING__TASKS", '["a", 1]', "routing.tasks[1]: expected a text in quotes, got 1"),
    ],
)
def test_the_checks_of_the_file_name_the_variable(written: Written, name: str, value: str, line: str) -> None:
    (problem,) = said(written(""), {name: value})
    assert problem.startswith(f"BANDITROUTE__{name}: {line}")


def test_what_does_not_go_together_names_the_variable(written: Written) -> None:
    (problem,) = said(written(BUDGETS), {"BUDGETS__ALL_OF_IT__USD_PER_REQUEST": "1"})
    assert problem.startswith(
        'BANDITROUTE__BUDGETS__ALL_OF_IT__USD_PER_REQUEST: [[budgets]] "all of it".usd_per_request: '
    )
    (problem,) = said(written("[store]\nfsync = false\n"), {"STORE__KIND": "redis"})
    assert problem.startswith("FILE:10: store.url: kind = 'redis' needs it (with BANDITROUTE__STORE__KIND); write url")
    (problem,) = said(written("[store]\ntick_s = 0\n"), {"STORE__FSYNC": "true"})
    assert problem == "FILE:11: store.tick_s: expected at least 0.05, got 0"


def test_a_secret_is_refused_and_not_shown(written: Written) -> None:
    secret = "sk-proj-abcdefghij0123456789"
    (problem,) = said(written(""), {"PROVIDERS__LOCAL__API_KEY_ENV": secret})
    assert problem.startswith("BANDITROUTE__PROVIDERS__LOCAL__API_KEY_ENV: ")
    assert secret not in problem


def test_everything_wrong_is_told_at_once(written: Written) -> None:
    told = said(written("nonsense = 1\n"), {"STOR__KIND": "x", "STORE__TICK_S": "soon", "STORE__FSYNC": "true"})
    assert [line.partition(": ")[0] for line in told] == [
        "BANDITROUTE__STOR__KIND",
        "BANDITROUTE__STORE__TICK_S",
        "FILE:10",
    ]


def test_names_that_a_variable_cannot_tell_apart_are_refused(written: Written) -> None:
    twins = "".join(
        f'[[models]]\nname = "{name}"\nprovider = "local"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n'
        for name in ("gpt-4.1", "gpt_4_1")
    )
    (problem,) = said(written(twins), {"MODELS__GPT_4_1__TOOLS": "false"})
    assert "GPT_4_1 may be several of [[models]]" in problem
    (problem,) = said(written(""), {"STORE__FSYNC": "true", "store__fsync": "false"})
    assert problem == "BANDITROUTE__store__fsync: names the same key as BANDITROUTE__STORE__FSYNC; unset one of them"


def test_a_file_that_is_wrong_there_is_told_so(written: Written, tmp_path: Path) -> None:
    path = tmp_path / "router.toml"
    path.write_text('store = 1\nproviders = "x"\nmodels = []\n')
    told = said(path, {"STORE__PATH": "x"})
    assert "FILE:1: store: expected a table, got 1 (with BANDITROUTE__STORE__PATH)" in told


def test_every_key_of_every_table_has_a_variable_of_its_own() -> None:
    for name, table in TABLES.items():
        spellings = [spelt(key) for key in table.spelt()]
        assert len(set(spellings)) == len(spellings), name
        assert all(part and "__" not in part for part in spellings), name
        for field in table.spelt().values():
            shape = shape_of(field)
            assert shape.table is None or shape.table in TABLES.values()


def test_what_was_not_named_is_not_touched() -> None:
    data = {"models": [{"name": "a"}, {"name": "b"}]}
    given = override(data, {"BANDITROUTE__MODELS__B__TOOLS": "false"})
    assert data == {"models": [{"name": "a"}, {"name": "b", "tools": False}]}
    assert dict(given.by) == {("models", 1, "tools"): "BANDITROUTE__MODELS__B__TOOLS"}


def test_the_shadows_file_stands_for_itself(written: Written, tmp_path: Path) -> None:
    path = written('[routing]\ntasks = ["own"]\n')
    rival = tmp_path / "rival.toml"
    rival.write_text(path.read_text())
    path.write_text(path.read_text() + '[shadow]\npolicy = "rival.toml"\n')
    config = load_config(path, {"BANDITROUTE__ROUTING__DEADLINE_S": "9", "BANDITROUTE__SHADOW__SHARE": "0.5"})
    assert config.shadow is not None
    assert config.shadow.rival is not None
    assert (config.routing.deadline_s, config.shadow.rival.routing.deadline_s) == (9.0, 600.0)
    assert config.shadow.share == 0.5


async def test_a_router_and_its_reload_see_the_same_environment(written: Written) -> None:
    path = written("")
    environ = {"BANDITROUTE__ROUTING__DEADLINE_S": "9", "BANDITROUTE__STORE__KIND": "memory"}
    async with open_router(path, environ=environ) as router:
        path.write_text(path.read_text() + "[retry]\nrounds = 7\n")
        changes = await router.reload()
        assert list(changes.settings) == ["retry"]


def test_config_check_says_which_values_come_from_the_environment(
    written: Written, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written("")
    monkeypatch.setenv("BANDITROUTE__STORE__KIND", "memory")
    monkeypatch.setenv("BANDITROUTE__MODELS__SMALL__INPUT_USD_PER_MTOK", "0.3")
    assert run(["config", "check", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "store.kind: from BANDITROUTE__STORE__KIND" in lines
    assert '[[models]] "small".input_usd_per_mtok: from BANDITROUTE__MODELS__SMALL__INPUT_USD_PER_MTOK' in lines
    assert run(["config", "check", str(path), "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)["config"]["from_environment"]
    assert told[1] == {"variable": "BANDITROUTE__STORE__KIND", "key": "store.kind"}
    assert FromEnvironment(**told[1]) in load_config(path).from_environment
