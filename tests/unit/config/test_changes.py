"""What is different between two configurations, told key by key; and which of it takes a restart."""

from dataclasses import replace
from pathlib import Path

import pytest

from banditroute.changes import Changes, Edit, Renamed
from banditroute.config import ProviderConfig, RouterConfig, load_config
from banditroute.config.changes import called_alike, changes, check_changeable, check_whole
from banditroute.config.full import full_toml
from banditroute.errors import ConfigError
from banditroute.learning.policy import Exploration
from banditroute.routing.budgets import Cap, PacedBudget, Scope
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price, Tier

SMALL = Model("small", "here", "gpt-small", Price(1.0, 2.0))
LARGE = Model("large", "there", "gpt-large", Price(5.0, 9.0))
PROVIDERS = (ProviderConfig("here", "openai", "http://a/v1"), ProviderConfig("there", "openai", "http://b/v1"))
BASE = RouterConfig(Path("router.toml"), PROVIDERS, Catalog((SMALL, LARGE)), (PacedBudget("pace", 0.01),))


def with_models(*models: Model, **fields: object) -> RouterConfig:
    return replace(BASE, catalog=Catalog(models), **fields)


def test_a_file_read_twice_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "router.toml"
    path.write_text(full_toml())
    found = changes(load_config(path), load_config(path))
    assert found == Changes()
    assert str(found) == "nothing changed"


def test_models_come_go_and_are_renamed() -> None:
    new = replace(SMALL, name="tiny", formerly=("small",))
    found = changes(BASE, with_models(new, replace(LARGE, name="huge")))
    assert (found.added, found.removed, found.renamed) == (("huge",), ("large",), (Renamed("small", "tiny"),))
    assert found.settings == ()
    assert str(found) == "added huge; removed large; renamed small to tiny"
    again = with_models(new, LARGE)
    assert changes(again, with_models(replace(new, name="micro", formerly=("small", "tiny")), LARGE)).renamed == (
        Renamed("tiny", "micro"),
    )


def test_prices_are_told_key_by_key_with_what_they_were() -> None:
    tiers = (Tier(1000, Price(4.0, 8.0)),)
    dearer = replace(SMALL, price=Price(1.5, 2.0, 0.1, tiers=tiers))
    found = changes(BASE, with_models(dearer, LARGE))
    assert found == Changes(
        repriced=(
            Edit("small", "input_usd_per_mtok", 1.0, 1.5),
            Edit("small", "cached_input_usd_per_mtok", None, 0.1),
            Edit("small", "tiers", None, "above 1000: input_usd_per_mtok=4 output_usd_per_mtok=8"),
        )
    )
    assert str(found).startswith("small: input_usd_per_mtok 1 -> 1.5; small: cached_input_usd_per_mtok nothing -> 0.1")


def test_budgets_are_told_by_their_dollars_where_they_are_new_or_gone() -> None:
    cap = Cap("day", 3.0, "day", Scope("tenant", "a"))
    found = changes(BASE, replace(BASE, budgets=(cap,)))
    assert found.budgets == (Edit("pace", "usd_per_request", 0.01, None), Edit("day", "usd", None, 3.0))
    dearer = replace(BASE, budgets=(replace(cap, usd=4.0, scope=Scope()),))
    edits = changes(replace(BASE, budgets=(cap,)), dearer).budgets
    assert edits == (Edit("day", "usd", 3.0, 4.0), Edit("day", "scope", "tenant:a", "global"))


def test_all_else_is_named_as_the_file_spells_it() -> None:
    policy = replace(BASE.routing.policy, exploration=Exploration(sampled=0.5), drift=None, jumps=None)
    other = replace(
        with_models(replace(SMALL, capabilities=Capabilities(vision=True)), LARGE),
        providers=(PROVIDERS[0], replace(PROVIDERS[1], base_url="http://c/v1")),
        retrying=replace(BASE.retrying, rounds=5),
        routing=replace(BASE.routing, deadline_s=1.0, policy=policy),
        store=replace(BASE.store, retention_s=None),
    )
    assert set(changes(BASE, other).settings) == {
        "providers.there",
        "models.small.vision",
        "retry",
        "routing.deadline_s",
        "routing.explore",
        "routing.drift",
        "store.retention_days",
    }


def test_a_model_is_called_alike_while_its_provider_and_upstream_are_the_same() -> None:
    renamed = replace(SMALL, name="tiny", formerly=("small",))
    assert called_alike(BASE, with_models(renamed, LARGE)) == {"tiny": "small", "large": "large"}
    assert called_alike(BASE, with_models(replace(SMALL, upstream="other"), LARGE)) == {"large": "large"}
    moved = replace(BASE, providers=(PROVIDERS[0], replace(PROVIDERS[1], base_url="http://c/v1")))
    assert called_alike(BASE, moved) == {"small": "small"}


@pytest.mark.parametrize("key", ["path", "fsync", "keep_prompts"])
def test_what_takes_a_restart_is_named(key: str) -> None:
    store = replace(BASE.store, **{key: Path("other.db") if key == "path" else True})
    with pytest.raises(ConfigError, match=f"router.toml: store.{key}: cannot change while the router runs"):
        check_changeable(BASE, replace(BASE, store=store))
    check_changeable(BASE, replace(BASE, store=replace(BASE.store, retention_s=5.0)))


def test_a_configuration_made_in_code_has_to_hold_together() -> None:
    check_whole(BASE)
    with pytest.raises(ConfigError, match="no model is left"):
        check_whole(with_models())
    with pytest.raises(ConfigError, match="of provider 'ther', which is not there; did you mean 'there'"):
        check_whole(with_models(replace(LARGE, provider="ther")))
