"""Models as [[models]] tables of router.toml."""

import json
from collections.abc import Iterable, Iterator, Mapping

from banditroute.routing.catalog import Model, Price

HEADING = "# Written by `banditroute prices import`"

_PRICE_KEYS = (
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cached_input_usd_per_mtok",
    "cache_write_usd_per_mtok",
    "reasoning_usd_per_mtok",
)

Value = str | float | bool | list[dict[str, float]]


def catalog_toml(models: Iterable[Model], *, source: str) -> str:
    """A TOML text with one [[models]] table a model and, in comments, which providers it needs; source is the list."""
    tables = [model_table(model) for model in models]
    providers = sorted({str(table["provider"]) for table in tables})
    heading = (
        f"{HEADING} from {_comment(source)}; running it again replaces this file.\n"
        f"# router.toml has to declare these [[providers]]: {_comment(', '.join(providers))}.\n"
    )
    return heading + _tables(tables)


def model_tables(models: Iterable[Model]) -> str:
    """The same without a heading, an empty line before each table."""
    return _tables(map(model_table, models))


def model_table(model: Model) -> dict[str, Value]:
    """The keys and values of a model's table; what is not known is left out."""
    capabilities = model.capabilities
    table: dict[str, Value | None] = {
        "name": model.name,
        "provider": model.provider,
        "upstream": model.upstream,
        **_price_table(model.price),
        "context_window": capabilities.context_window,
        "max_output_tokens": capabilities.max_output_tokens,
        "tools": capabilities.tools,
        "vision": capabilities.vision,
        "json": capabilities.json,
        "streaming": capabilities.streaming,
        "routed": None if model.routed else False,
        "tiers": [
            {"above_input_tokens": tier.above_input_tokens, **_price_table(tier.price)} for tier in model.price.tiers
        ]
        or None,
    }
    return {key: value for key, value in table.items() if value is not None}


def _tables(tables: Iterable[Mapping[str, Value]]) -> str:
    return "".join(f"\n[[models]]\n{_lines(table)}" for table in tables)


def _price_table(price: Price) -> dict[str, float]:
    declared: dict[str, float | None] = {key: getattr(price, key) for key in _PRICE_KEYS}
    return {key: usd for key, usd in declared.items() if usd is not None}


def _lines(table: Mapping[str, Value]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Value) -> str:
    if isinstance(value, list):
        return "[\n" + "".join(f"  {{ {', '.join(_pairs(tier))} }},\n" for tier in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _string(value) if isinstance(value, str) else repr(value)


def _pairs(tier: Mapping[str, float]) -> Iterator[str]:
    return (f"{key} = {value!r}" for key, value in tier.items())


def _string(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL, which TOML wants escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Text that stays on the comment's line."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
