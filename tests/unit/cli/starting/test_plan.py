"""A first configuration: names, bounds, budgets; and its text."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.cli.services import SERVICES
from banditroute.cli.starting.found import Found, services_found
from banditroute.cli.starting.plan import planned
from banditroute.cli.starting.toml import plan_toml
from banditroute.config import load_config
from banditroute.config.review import longest_call_usd, review
from banditroute.routing.catalog import Model, Price

DAY = date(2026, 11, 26)
FREE = Price(0, 0)
ALL = frozenset(service.name for service in SERVICES)


def found(name: str, *upstreams: str, price: Price = FREE) -> Found:
    models = tuple(Model(f"{name}/{each}", name, each, price) for each in upstreams)
    return Found(name, "openai", f"http://{name}.test/v1", None, models, "")


@pytest.mark.parametrize("services", [{"openai"}, {"anthropic", "gemini"}, {"cerebras"}, ALL])
@pytest.mark.parametrize("local", [(), (found("ollama", "llama3.2"),)])
def test_what_is_written_can_be_used_and_nothing_is_doubtful(
    tmp_path: Path, services: set[str], local: tuple[Found, ...]
) -> None:
    plan = planned([*services_found({}, services), *local])
    file = tmp_path / "router.toml"
    file.write_text(plan_toml(plan, DAY, DAY))
    config = load_config(file)
    environ = {variable: "key" for provider in config.providers for variable in provider.api_key_env}
    assert review(config, environ) == ()
    assert config.catalog.names == tuple(model.name for model in plan.models)


def test_a_model_that_two_serve_keeps_its_servers_name() -> None:
    plan = planned([found("a", "x/oss", "x/one"), found("b", "oss", "auto")])
    assert [model.name for model in plan.models] == ["a/oss", "one", "b/oss", "b/auto"]


@given(st.floats(0.01, 1000))
def test_a_call_without_a_limit_reserves_a_tenth_of_the_day_or_has_the_shortest_limit(day_usd: float) -> None:
    plan = planned(list(services_found({}, ALL)), day_usd)
    for model in plan.models:
        shortest = model.capabilities.max_output_tokens == 1_024
        assert shortest or longest_call_usd(model) <= day_usd / 10


def test_where_all_is_free_nothing_is_capped() -> None:
    plan = planned([found("ollama", "a", "b")])
    assert (plan.day_usd, plan.usd_per_request) == (None, None)
    assert "budgets" not in tomllib.loads(plan_toml(plan, DAY, DAY))


@pytest.mark.parametrize(("local", "ends"), [((), "reject"), ((found("ollama", "a"),), "cheapest")])
def test_at_the_cap_the_free_model_serves_or_nobody(local: tuple[Found, ...], ends: str) -> None:
    plan = planned([*services_found({}, {"openai"}), *local], 2.5)
    day, pace = tomllib.loads(plan_toml(plan, DAY, DAY))["budgets"]
    assert day == {"name": "day", "usd": 2.5, "per": "day", "on_exhausted": ends}
    assert pace["usd_per_request"] == plan.usd_per_request


def test_names_are_written_as_toml_has_them(tmp_path: Path) -> None:
    odd = 'a"b\\c\u007f'
    file = tmp_path / "router.toml"
    file.write_text(plan_toml(planned([found("ollama", odd)]), DAY, DAY))
    assert load_config(file).catalog[odd].upstream == odd
