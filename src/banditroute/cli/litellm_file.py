"""A LiteLLM proxy's config.yaml as deployments, with a note of everything that is not taken over."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from banditroute.cli.litellm_providers import COUNTERPARTS, Counterpart, split_model
from banditroute.cli.litellm_yaml import Yaml, listed, table, tables, text
from banditroute.config.delivery_tables import checked_url
from banditroute.errors import ConfigError

_REFERENCE = "os.environ/"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_KEY = frozenset({"", "none", "empty", "null"})
_CHAT_MODES = frozenset({"chat", "completion", "responses"})
_PRICES = (
    ("input_usd_per_mtok", "input_cost_per_token"),
    ("output_usd_per_mtok", "output_cost_per_token"),
    ("cached_input_usd_per_mtok", "cache_read_input_token_cost"),
    ("cache_write_usd_per_mtok", "cache_creation_input_token_cost"),
    ("reasoning_usd_per_mtok", "output_cost_per_reasoning_token"),
)
_UNDERSTOOD = frozenset({theirs for _, theirs in _PRICES}) | {
    "model",
    "custom_llm_provider",
    "api_base",
    "base_url",
    "api_key",
    "api_version",
    "litellm_credential_name",
    "max_tokens",
    "tags",
}


class LeftOutError(Exception):
    """A deployment that cannot be taken over; says why."""


class Site(NamedTuple):
    """Where a deployment is served: LiteLLM's provider and the base URL, None = the kind's own."""

    provider: str
    base_url: str | None


class Key(NamedTuple):
    """A key, without its secret.

    Attributes:
        variable: the environment variable that holds it, or should.
        secret: tells keys that stand in the file itself apart, by number; None = it stands in the variable.
    """

    variable: str
    secret: int | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of model_list.

    Attributes:
        name: its model_name.
        site: where it is served.
        upstream: the provider's name for it.
        key: the key that it is asked with; None = none is sent.
        facts: keys and values for its [[models]] table.
    """

    name: str
    site: Site
    upstream: str
    key: Key | None
    facts: Mapping[str, Any]


class LiteLlmFile(NamedTuple):
    """What a config.yaml has to give: deployments in its order, and what is left out, one note each."""

    deployments: tuple[Deployment, ...]
    budgets: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]


def read_deployments(data: Yaml, environ: Mapping[str, str]) -> LiteLlmFile:
    """What the content has to give; environ resolves addresses that stand in variables, never keys."""
    deployments: list[Deployment] = []
    notes: list[str] = []
    credentials = _credentials(data)
    secrets: dict[str, int] = {}
    for number, entry in enumerate(tables(data.get("model_list"))):
        name = str(entry.get("model_name") or f"entry {number + 1}")
        params = {**credentials.get(text(table(entry.get("litellm_params")), "litellm_credential_name"), {})}
        params.update(table(entry.get("litellm_params")))
        try:
            deployments.append(_deployment(name, params, table(entry.get("model_info")), environ, secrets))
        except LeftOutError as reason:
            notes.append(f"model {name!r} is left out: {reason}")
            continue
        ignored = sorted(str(key) for key in params.keys() - _UNDERSTOOD)
        if ignored:
            notes.append(f"model {name!r}: left out: {', '.join(ignored)}")
    budgets = tuple(_budgets(table(data.get("litellm_settings"))))
    return LiteLlmFile(tuple(deployments), budgets, (*notes, *_other_sections(data, taken_budget=bool(budgets))))


def _deployment(name: str, params: Yaml, info: Yaml, environ: Mapping[str, str], secrets: dict[str, int]) -> Deployment:
    mode = str(info.get("mode") or "chat")
    model = text(params, "model")
    if "*" in name or "*" in model:
        raise LeftOutError("a pattern; name each model that may be called")
    if mode not in _CHAT_MODES:
        raise LeftOutError(f"its mode is {mode}, and the router would choose it for chat")
    provider, upstream = split_model(model, text(params, "custom_llm_provider"))
    counterpart = COUNTERPARTS.get(provider)
    if not upstream or not provider:
        raise LeftOutError(f"its provider cannot be told from {model!r}")
    if counterpart is None:
        raise LeftOutError(f"provider {provider!r} has no counterpart here")
    base_url = _base_url(counterpart, text(params, "api_base") or text(params, "base_url"), environ)
    key = _key(counterpart, provider, params, secrets)
    return Deployment(name, Site(provider, base_url), upstream, key, _facts(params, info))


def _base_url(counterpart: Counterpart, api_base: str, environ: Mapping[str, str]) -> str | None:
    if api_base.startswith(_REFERENCE):
        variable = api_base.removeprefix(_REFERENCE)
        api_base = environ.get(variable, "")
        if not api_base:
            raise LeftOutError(f"its api_base stands in {variable}, which is not set here")
    if not api_base:
        if counterpart.needs_base:
            raise LeftOutError("it has no api_base")
        return counterpart.base_url
    try:
        return counterpart.root(checked_url(api_base, "https://host/path"))
    except ConfigError as error:
        raise LeftOutError(f"its api_base is {error.problem}") from None


def _key(counterpart: Counterpart, provider: str, params: Yaml, secrets: dict[str, int]) -> Key | None:
    """The key; secrets numbers those that stand in the file, so that no more than the number goes on."""
    key = params.get("api_key")
    if key is None:
        elsewhere = not counterpart.needs_base and (params.get("api_base") or params.get("base_url"))
        return Key(counterpart.key_env) if counterpart.key_env and not elsewhere else None  # no key to another's server
    variable = str(key).removeprefix(_REFERENCE)
    if str(key).startswith(_REFERENCE) and _VARIABLE.fullmatch(variable):
        return Key(variable)
    if str(key).lower() in _NO_KEY:
        return None
    wanted = counterpart.key_env or f"{re.sub('[^A-Za-z0-9]+', '_', provider).upper()}_API_KEY"
    return Key(wanted, secrets.setdefault(str(key), len(secrets)))


def _facts(params: Yaml, info: Yaml) -> dict[str, Any]:
    """Prices, limits, capabilities and tags; what the file does not state is not there."""
    both = {**info, **params}
    facts: dict[str, Any] = {key: _per_mtok(both.get(theirs)) for key, theirs in _PRICES}
    facts["context_window"] = _tokens(info.get("max_input_tokens"))
    facts["max_output_tokens"] = _tokens(info.get("max_output_tokens")) or _tokens(both.get("max_tokens"))
    for key, theirs in (("tools", "supports_function_calling"), ("vision", "supports_vision")):
        facts[key] = info[theirs] if isinstance(info.get(theirs), bool) else None
    facts["tags"] = [str(tag) for tag in listed(params.get("tags"))] or None
    return {key: value for key, value in _consistent(facts).items() if value is not None}


def _consistent(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with a window that the longest answer fits in: LiteLLM counts the prompt alone."""
    window, answer = facts["context_window"], facts["max_output_tokens"]
    return {**facts, "context_window": max(window, answer)} if window and answer else facts


def _per_mtok(usd_per_token: object) -> float | None:
    """Dollars per million tokens; YAML takes 3e-07 for a text."""
    try:
        usd = float(str(usd_per_token))
    except ValueError:
        return None
    return float(f"{usd * 1e6:.10g}") if 0 <= usd < 1 else None


def _tokens(count: object) -> int | None:
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None


def _budgets(settings: Yaml) -> Iterator[Mapping[str, Any]]:
    usd, per = settings.get("max_budget"), _PERIODS.get(str(settings.get("budget_duration")))
    if isinstance(usd, int | float) and usd > 0 and per is not None:
        yield {"usd": float(usd), "per": per, "scope": "global", "on_exhausted": "reject"}


_PERIODS = {"1d": "day", "24h": "day", "30d": "month", "1mo": "month"}


def _other_sections(data: Yaml, *, taken_budget: bool) -> Iterator[str]:
    """What stands outside model_list, by its key alone: values may be secrets."""
    taken = {"max_budget", "budget_duration"} if taken_budget else set[str]()
    for section, content in data.items():
        if section in ("model_list", "credential_list"):
            continue
        keys = [str(key) for key in table(content) if key not in taken]
        if keys or not isinstance(content, Mapping):
            yield f"{section} is left out" + (f": {', '.join(keys)}" if keys else "")


def _credentials(data: Yaml) -> dict[str, Yaml]:
    entries = tables(data.get("credential_list"))
    return {text(entry, "credential_name"): table(entry.get("credential_values")) for entry in entries}
