"""Two configurations of one router beside each other: what is different, what stays, and what may not change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from banditroute.changes import Changes, Edit, Renamed, Said
from banditroute.config.shadowing import unfit
from banditroute.config.values import RouterConfig, StoreConfig
from banditroute.errors import ConfigError, meant
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Model, Price

_FIXED = (
    ("store", "kind"),
    ("store", "fsync"),
    ("store", "keep_prompts"),
    ("store", "url"),
    ("store", "url_env"),
    ("store", "namespace"),
    ("store", "log"),
    ("store", "log_url"),
    ("store", "log_url_env"),
    ("routing", "encoder"),
    ("routing", "features"),
    ("routing", "seed"),
)
_TOLD_APART = frozenset({"path", "providers", "catalog", "budgets", "from_environment"})
_SPELT = MappingProxyType(
    {
        "retrying": "retry",
        "breaking": "breaker",
        "hedging": "hedge",
        "retention_s": "retention_days",
        "prompts_s": "keep_prompts_days",
    }
)
_POLICY = MappingProxyType({"exploration": "explore", "rollout": "rollout"})  # tables of [routing]; the rest is drift's
_TABLES = frozenset({"store", "routing"})  # whose keys are told one by one
_NONE: Mapping[str, Any] = MappingProxyType({})


def changes(before: RouterConfig, after: RouterConfig) -> Changes:
    """What is different after."""
    was = _former_names(before, after)
    return Changes(
        added=tuple(name for name, old in was.items() if old is None),
        removed=tuple(name for name in before.catalog.names if name not in was.values()),
        renamed=tuple(Renamed(old, name) for name, old in was.items() if old not in (None, name)),
        repriced=tuple(_repriced(before, after, was)),
        budgets=tuple(_budgets(before.budgets, after.budgets)),
        settings=tuple(_settings(before, after, was)),
    )


def called_alike(before: RouterConfig, after: RouterConfig) -> dict[str, str]:
    """Models that are called at the same place under the same upstream name, each with the name that it had before."""
    same: dict[str, str] = {}
    providers = {provider.name: provider for provider in before.providers}
    alike = {provider.name for provider in after.providers if providers.get(provider.name) == provider}
    for name, old in _former_names(before, after).items():
        model = after.catalog[name]
        if old is not None and model.provider in alike:
            was = before.catalog[old]
            if (was.provider, was.upstream) == (model.provider, model.upstream):
                same[name] = old
    return same


def check_changeable(before: RouterConfig, after: RouterConfig) -> None:
    """Returns if a running router can go from one to the other.

    Raises:
        ConfigError: something is different that cannot change while it runs; names the key.
    """
    for table, key in _FIXED:
        old, new = getattr(getattr(before, table), key), getattr(getattr(after, table), key)
        if old != new:
            raise _fixed(after, f"{table}.{key}", f"it is {old!r}, the new one is {new!r}")
    if after.store.shared and not before.store.shared:  # the other way round it goes on being shared: that does no harm
        raise _fixed(after, "store.shared", "other processes have not been told")
    place = before.store.path.resolve()
    if after.store.kind == "sqlite" and after.store.path.resolve() != place:
        raise _fixed(after, "store.path", f"the store in use is {place}")


def shared_like(before: StoreConfig, after: StoreConfig) -> StoreConfig:
    """A store's settings with those of another that only a start can change, and that it does no harm to keep."""
    return replace(after, shared=before.shared, tick_s=before.tick_s)


def _fixed(config: RouterConfig, field: str, why: str) -> ConfigError:
    problem, remedy = f"cannot change while the router runs ({why})", "restart to change it, or put it back"
    return ConfigError(problem, remedy=remedy, path=str(config.path), field=field)


def check_whole(config: RouterConfig) -> None:
    """Returns if a configuration that was put together in code holds together, as one that was read from a file does.

    Raises:
        ConfigError: it has no models, or refers to what it does not have.
    """
    where, catalog = str(config.path), config.catalog
    if not len(catalog):
        raise ConfigError("no model is left", remedy="keep one", path=where, field="models")
    known = [provider.name for provider in config.providers]
    for model in catalog:
        if model.provider not in known:
            problem = f"model {model.name!r} is of provider {model.provider!r}, which is not there"
            remedy = f"{meant(model.provider, known)}choose from: {', '.join(known)}"
            raise ConfigError(problem, remedy=remedy, path=where, field="models.provider")
    for judge in config.judges:
        for name in (judge.bench.model, judge.bench.baseline):
            if name is not None and catalog.current(name) is None:
                problem = f"judge {judge.name!r} needs a model {name!r}"
                raise ConfigError(problem, remedy="keep it, or take out the judge", path=where, field="judges")
    _check_guard(config, where)
    if config.shadow is not None and config.shadow.rival is not None:
        for problem in unfit(config, config.shadow.rival):
            raise ConfigError(problem.problem, remedy=problem.remedy, path=where, field="shadow.policy")


def _check_guard(config: RouterConfig, where: str) -> None:
    for key in ("only", "baseline"):
        name = getattr(config.guard, key)
        if name is not None and config.catalog.current(name) is None:
            problem, remedy = f"guard.{key} needs a model {name!r}", f"keep it, or change guard.{key}"
            raise ConfigError(problem, remedy=remedy, path=where, field=f"guard.{key}")


def _former_names(before: RouterConfig, after: RouterConfig) -> dict[str, str | None]:
    """The models after by their names, each with the name that it had before; None where it was not there."""
    return {model.name: _name_before(model, before) for model in after.catalog}


def _name_before(model: Model, before: RouterConfig) -> str | None:
    return next((name for name in (model.name, *reversed(model.formerly)) if name in before.catalog), None)


def _repriced(before: RouterConfig, after: RouterConfig, was: Mapping[str, str | None]) -> Iterator[Edit]:
    for name, old in was.items():
        if old is not None:
            yield from _edits(name, _said(before.catalog[old].price), _said(after.catalog[name].price))


def _budgets(before: Sequence[PacedBudget | Cap], after: Sequence[PacedBudget | Cap]) -> Iterator[Edit]:
    old, new = ({budget.name: budget for budget in budgets} for budgets in (before, after))
    for name in dict.fromkeys((*old, *new)):
        was, now = old.get(name), new.get(name)
        if was is not None and now is not None:
            yield from _edits(name, _said(was), _said(now))
        else:
            yield from _edits(name, _dollars(was), _dollars(now))


def _settings(before: RouterConfig, after: RouterConfig, was: Mapping[str, str | None]) -> Iterator[str]:
    old, new = ({provider.name: provider for provider in config.providers} for config in (before, after))
    yield from (f"providers.{name}" for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name))
    for name, former in was.items():
        if former is not None:
            model, known = after.catalog[name], before.catalog[former]
            told = {"name", "price", "protocol"} if name == former else {"name", "price", "protocol", "formerly"}
            yield from (f"models.{name}.{key}" for key in _keys(known, model) if key not in told)
    for key in _differing(before, after):
        if key in _TABLES:
            yield from (f"{key}.{each}" for each in _keys(getattr(before, key), getattr(after, key)))
        elif key not in _TOLD_APART:
            yield _SPELT.get(key, key)


def _keys(old: Any, new: Any) -> Iterator[str]:
    """The keys of a table that say something else, as the file spells them."""
    for key in _differing(old, new):
        if key == "policy":
            yield from dict.fromkeys(_POLICY.get(each, "drift") for each in _differing(old.policy, new.policy))
        elif key == "capabilities":
            yield from _differing(old.capabilities, new.capabilities)
        else:
            yield _SPELT.get(key, key)


def _differing(old: Any, new: Any) -> list[str]:
    """The fields of two dataclasses that differ."""
    return [each.name for each in fields(old) if getattr(old, each.name) != getattr(new, each.name)]


def _edits(name: str, old: Mapping[str, Said], new: Mapping[str, Said]) -> Iterator[Edit]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield Edit(name, key, old.get(key), new.get(key))


def _said(of: Price | PacedBudget | Cap) -> dict[str, Said]:
    """The keys of a price or a budget, with what they say."""
    return {each.name: _plain(getattr(of, each.name)) for each in fields(of) if each.name != "name"}


def _dollars(of: PacedBudget | Cap | None) -> Mapping[str, Said]:
    if of is None:
        return _NONE
    return {"usd": of.usd} if isinstance(of, Cap) else {"usd_per_request": of.usd_per_request}


def _plain(value: Any) -> Said:
    if isinstance(value, tuple):  # of tiers
        return ", ".join(f"above {tier.above_input_tokens}: {_plain(tier.price)}" for tier in value) or None
    if isinstance(value, Price):
        return " ".join(f"{key}={said:g}" for key, said in _said(value).items() if isinstance(said, float))
    if isinstance(value, bool):
        return str(value).lower()
    return float(value) if isinstance(value, int) else value if isinstance(value, float | None) else str(value)
