"""configs/router.full.toml is made from the tables, has every key, and loads."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from banditroute.config import load_config
from banditroute.config.file import TABLES, RouterFile
from banditroute.config.full import full_toml
from banditroute.config.values import RoutingConfig, StoreConfig
from banditroute.config.writing import toml_value
from banditroute.delivery.settings import Breaking, Hedging, Retrying, Timeouts, Transport

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
_LIKED = """
[[models]]
name = "large"  # the first is like it
provider = "local"
input_usd_per_mtok = 2.5
output_usd_per_mtok = 10.0
"""


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """The full file with every key in force, those without a default too."""
    file = tmp_path / "router.toml"
    file.write_text(re.sub(r"(?m)^#(?=\w)", "", full_toml()) + _LIKED)
    return file


def test_the_shipped_file_is_what_the_tables_write() -> None:
    written = (CONFIGS / "router.full.toml").read_text()
    assert written == full_toml(), "write it anew: python -m banditroute.config.full > configs/router.full.toml"


def test_both_shipped_files_load() -> None:
    full, least = load_config(CONFIGS / "router.full.toml"), load_config(CONFIGS / "router.toml")
    assert (len(full.budgets), len(least.budgets)) == (2, 1)
    assert least.catalog["small"].upstream == "gpt-4o-mini"


def test_every_shown_default_is_the_default() -> None:
    config = load_config(CONFIGS / "router.full.toml")
    assert config.routing == RoutingConfig()
    assert config.store == StoreConfig(path=CONFIGS / "banditroute.db")
    assert (config.retrying, config.breaking, config.hedging) == (Retrying(), Breaking(), Hedging())
    assert (config.providers[0].timeouts, config.providers[0].transport) == (Timeouts(), Transport())


def test_every_key_is_there_and_loads(live: Path) -> None:
    load_config(live)
    data = tomllib.loads(live.read_text())
    shown = {
        "": data,
        "providers": data["providers"][0],
        "models": data["models"][0],
        "budgets": {key: value for row in data["budgets"] for key, value in row.items()},
        "promises": {key: value for row in data["promises"] for key, value in row.items()},
        "explore": data["routing"]["explore"],
        "drift": data["routing"]["drift"],
        "rollout": data["routing"]["rollout"],
        "keys": data["gateway"]["keys"][0],
        "webhook": data["alerts"]["webhook"],
        "tasks": data["tasks"][0],
        "rules": data["rules"][0],
        "graders": data["graders"][0],
        "judges": data["judges"][0],
    }
    for name, table in TABLES.items():
        keys = shown.get(name) or (data[name] if name != "tiers" else None)
        assert keys is None or set(keys) == set(table.spelt()), name


def test_every_key_has_a_meaning_and_no_line_is_long() -> None:
    assert all(len(line) <= 120 for line in full_toml().splitlines())
    for name, table in TABLES.items():
        for key, field in table.spelt().items():
            assert field.description, f"{name}.{key}"


@pytest.mark.parametrize(
    ("name", "settings"),
    [("timeouts", Timeouts), ("transport", Transport), ("retry", Retrying), ("breaker", Breaking), ("hedge", Hedging)],
)
def test_tables_have_the_keys_of_the_settings_that_they_stand_for(name: str, settings: Any) -> None:
    assert list(TABLES[name].spelt()) == [field.name for field in fields(settings)]


def test_a_key_of_one_table_is_found_by_the_name_of_its_table() -> None:
    nested = {key for key in TABLES if key} - set(RouterFile.spelt())
    assert nested == {"tiers", "explore", "drift", "rollout", "keys", "webhook"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (5e-05, "5e-05"),
        ('a"\n\x7fé', '"a\\"\\n\\u007fé"'),
        ([], "[]"),
        ({}, "{}"),
        ({"a": [1, "b"]}, '{ a = [1, "b"] }'),
    ],
)
def test_values_as_toml_spells_them(value: Any, text: str) -> None:
    assert toml_value(value) == text
    assert tomllib.loads(f"x = {text}") == {"x": value}


def test_toml_has_no_null() -> None:
    with pytest.raises(TypeError, match="TOML has no NoneType"):
        toml_value(None)
