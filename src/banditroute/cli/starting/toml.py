"""A first configuration as the text of a router.toml, with comments that say what to change."""

from collections.abc import Iterator
from datetime import date

from banditroute.cli.catalog_toml import model_tables
from banditroute.cli.starting.found import Found
from banditroute.cli.starting.plan import Plan
from banditroute.config.writing import toml_value

HEADING = "# Written by `banditroute init`"


def plan_toml(plan: Plan, today: date, prices_of: date) -> str:
    """The text; prices_of is the day of the list that the prices are from."""
    return "\n".join(_lines(plan, today, prices_of)) + "\n"


def _lines(plan: Plan, today: date, prices_of: date) -> Iterator[str]:
    yield f"{HEADING} on {today}; from now on it is yours to edit."
    yield "# `banditroute config check` says in words what it means, `banditroute doctor` whether all of it works."
    for provider in plan.providers:
        yield from _provider(provider)
    yield from _models(plan, prices_of)
    yield from _budgets(plan)
    yield from ("", "[store]", 'path = "banditroute.db"  # decisions, and what they taught')


def _provider(provider: Found) -> Iterator[str]:
    yield from ("", "[[providers]]", f"name = {toml_value(provider.name)}", f"kind = {toml_value(provider.kind)}")
    if provider.base_url is not None:
        yield f"base_url = {toml_value(provider.base_url)}"
    if provider.key_variable is not None:
        yield f"api_key_env = {toml_value(provider.key_variable)}  # the variable's NAME, never the key itself"


def _models(plan: Plan, prices_of: date) -> Iterator[str]:
    free = [model for model in plan.models if model.price.free]
    priced = [model for model in plan.models if not model.price.free]
    if priced:
        yield ""
        yield f"# Dollars per million tokens, those of known services from the built-in list of {prices_of}: compare"
        yield "# them with your provider's page, and later with `banditroute prices diff`. max_output_tokens is what a"
        yield "# call without a limit of its own may reserve of a cap: raise it for longer answers."
        yield model_tables(priced).strip("\n")
    if free:
        yield from (
            "",
            "# On machines of your own: declared free by its prices of 0. State what they cost you if you like.",
        )
        yield model_tables(free).strip("\n")


def _budgets(plan: Plan) -> Iterator[str]:
    if plan.day_usd is None:
        yield ""
        yield "# Everything is free, so nothing is capped. With a priced model, say what may be spent:"
        yield from ("# [[budgets]]", "# usd = 5.0", '# per = "day"')
        return
    ends = "cheapest" if plan.some_free else "reject"
    meaning = "then the cheapest model serves, which is free" if plan.some_free else "then requests are refused"
    yield from ("", "[[budgets]]", 'name = "day"', f"usd = {plan.day_usd}", 'per = "day"')
    yield f'on_exhausted = "{ends}"  # {meaning}'
    if plan.usd_per_request is not None:
        yield from (
            "",
            "[[budgets]]  # dollars per request on average: it steers, never refuses",
        )
        yield from ('name = "pace"', f"usd_per_request = {plan.usd_per_request!r}")
