"""Writes the built-in price catalog: what well-known chat models cost and can do, numbers only. It takes seconds.

    python simulations/make_price_catalog.py --as-of 2026-11-26 [LIST.json]

LIST.json is litellm's price map; by default the one inside the installed litellm wheel (dependency group `dev`). A row
is taken where a known provider serves it itself, `banditroute prices import` would import it without a doubt, it is not
ended by its provider within a month, and it is for text. Values stand as the list has them; keys that routing has no
use for are left out. The same list gives the same bytes.
"""

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from banditroute.routing.catalog import Model
from banditroute.routing.pricelist import Listing, PriceImport, import_prices, parse_price_list
from banditroute.routing.pricelist.checks import Severity

TARGET = Path(__file__).resolve().parents[1] / "src" / "banditroute" / "data" / "prices.json"
SOURCE = "the price map of LiteLLM (BerriAI/litellm), MIT License"
NOTICE = timedelta(days=31)

FIRST: Mapping[str, tuple[str, ...]] = {
    "openai": ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol"),
    "anthropic": ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"),
    "gemini": ("gemini/gemini-3.5-flash-lite", "gemini/gemini-3.8-flash", "gemini/gemini-4-argon"),
    "mistral": ("mistral/mistral-small-2603", "mistral/mistral-large-4"),
    "deepseek": ("deepseek-v4-flash", "deepseek-v4-pro"),
    "xai": ("xai/grok-4.3", "xai/grok-4.7"),
    "groq": ("groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-120b"),
    "together_ai": ("together_ai/openai/gpt-oss-120b", "together_ai/moonshotai/Kimi-K3"),
    "cerebras": ("cerebras/gpt-oss-120b",),
    "moonshot": ("moonshot/kimi-k2.6", "moonshot/kimi-k3"),
    "sambanova": (),
}
"""What a new configuration begins with, from cheap to dear: up to three models a provider, checked to be there."""

OTHER_PURPOSES = re.compile(
    r"^ft:|audio|voxtral|tts|search|realtime|robotics|computer-use|deep-research|lyria|omni|cyber|rosalind|daybreak"
    r"|astra-law|mythos|mistral/(?:zai|glm|deepseek)|arize|-1(?:\.5)?[bB]-|exp(?:erimental)?\b|beta|guard|leanstral|vibe-cli|-gv2|fim|customtools|gemma-2|learnlm|up-to|^together-ai-"
)
KEPT = re.compile(
    r"litellm_provider|mode|max_(?:input|output)_tokens|supports_(?:function_calling|vision|response_schema"
    r"|native_streaming)|deprecation_date|tiered_pricing"
    r"|(?:(?:input|output)_cost_per_token|cache_(?:read|creation)_input_token_cost)(?:_above_\d+k_tokens)?"
    r"|output_cost_per_reasoning_token"
)


def main() -> None:
    """Reads the list, writes the catalog."""
    options = argparse.ArgumentParser(description="Writes the built-in price catalog.")
    options.add_argument("list", nargs="?", type=Path, default=None)
    options.add_argument("--as-of", type=date.fromisoformat, required=True, help="the day that the list is of")
    given = options.parse_args()
    path = given.list or litellm_list()
    text = path.read_text(encoding="utf-8")
    names = chosen(text, path.name, given.as_of)
    rows = orjson.loads(text)
    TARGET.write_bytes(document(given.as_of, {name: kept(rows[name]) for name in names}))


def litellm_list() -> Path:
    """Where the installed litellm keeps its list; the package is not imported, which takes seconds."""
    spec = find_spec("litellm")
    assert spec is not None, "install the dependency group `dev`, or name a list"
    assert spec.origin is not None
    return Path(spec.origin).with_name("model_prices_and_context_window_backup.json")


def chosen(text: str, name: str, as_of: date) -> list[str]:
    """The names of the rows to take, in the list's order."""
    ends = (as_of + NOTICE).isoformat()
    result = import_prices(tuple(parse_price_list(text, path=name)), selected=wanted, as_of=ends)
    names = [model.name for model in once(sound(result))]
    missing = {each for first in FIRST.values() for each in first} - set(names)
    assert not missing, f"not in the list, or doubtful: {sorted(missing)}"
    return names


def wanted(listing: Listing) -> bool:
    """Whether a row is of a known provider's own, and for text."""
    return listing.provider in FIRST and listing.mode == "chat" and not OTHER_PURPOSES.search(listing.model)


def sound(result: PriceImport) -> Iterator[Model]:
    """The models that nothing is doubtful about."""
    doubtful = {finding.model for finding in result.findings if finding.severity is Severity.doubtful}
    return (model for model in result.models if model.name not in doubtful)


def once(models: Iterable[Model]) -> Iterable[Model]:
    """Each model once that the list has with and without its provider's name before it."""
    by_place: dict[tuple[str, str], Model] = {}
    for model in models:
        by_place.setdefault((model.provider, model.upstream), model)
    return by_place.values()


def kept(row: Mapping[str, Any]) -> dict[str, Any]:
    """What routing has a use for."""
    return {key: value for key, value in row.items() if KEPT.fullmatch(key) and value not in (None, False, "chat")}


def document(as_of: date, rows: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The catalog, one model a line so that a newer one can be compared with it by eye."""
    lines = ",\n".join(f"  {orjson.dumps(name).decode()}: {orjson.dumps(row).decode()}" for name, row in rows.items())
    head = {"as_of": as_of.isoformat(), "source": SOURCE, "first": FIRST}
    fields = [f'"{key}": {orjson.dumps(value).decode()}' for key, value in head.items()]
    return ("{\n" + ",\n".join(fields) + ',\n"models": {\n' + lines + "\n}\n}\n").encode()


if __name__ == "__main__":
    main()
