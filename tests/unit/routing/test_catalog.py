"""Prices that add up, tiers that hold for the whole request, and a catalog whose arms stay put."""

import math
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.errors import ConfigError, PriceError
from banditroute.records import Usage
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price, Tier

SONNET = Price(3.0, 15.0, 0.3, 3.75, tiers=(Tier(200_000, Price(6.0, 22.5, 0.6, 7.5)),))

rates = st.floats(0, 1000, allow_subnormal=False)
maybe = st.none() | rates
flat_prices = st.builds(Price, rates, rates, maybe, maybe, maybe)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    base = draw(flat_prices)
    bounds = sorted(draw(st.sets(st.integers(1, 10_000), max_size=3)))
    tiers = tuple(Tier(bound, draw(flat_prices)) for bound in bounds)
    return Price(
        base.input_usd_per_mtok,
        base.output_usd_per_mtok,
        base.cached_input_usd_per_mtok,
        base.cache_write_usd_per_mtok,
        base.reasoning_usd_per_mtok,
        tiers,
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Parts that fit their wholes."""
    cached, write, plain = (draw(st.integers(0, 7_000)) for _ in range(3))
    reasoning, answer = (draw(st.integers(0, 7_000)) for _ in range(2))
    return Usage(cached + write + plain, reasoning + answer, cached, write, reasoning)


def exact_cost_usd(price: Price, usage: Usage) -> Fraction:
    """The bill in exact arithmetic, written out the long way."""
    in_force = price
    for tier in price.tiers:
        if usage.input_tokens > tier.above_input_tokens:
            in_force = tier.price

    def rate(usd: float | None, default: float) -> Fraction:
        return Fraction(default if usd is None else usd)

    into, out = in_force.input_usd_per_mtok, in_force.output_usd_per_mtok
    plain = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    bill = plain * Fraction(into)
    bill += usage.cached_input_tokens * rate(in_force.cached_input_usd_per_mtok, into)
    bill += usage.cache_write_tokens * rate(in_force.cache_write_usd_per_mtok, into)
    bill += (usage.output_tokens - usage.reasoning_tokens) * Fraction(out)
    bill += usage.reasoning_tokens * rate(in_force.reasoning_usd_per_mtok, out)
    return bill / 1_000_000


class TestPrice:
    def test_a_million_of_each_costs_the_two_prices(self) -> None:
        assert Price(0.15, 0.6).cost_usd(Usage(1_000_000, 1_000_000)) == 0.75

    def test_every_kind_of_token_has_its_own_price(self) -> None:
        usage = Usage(10_000, 2_000, cached_input_tokens=6_000, cache_write_tokens=1_000, reasoning_tokens=500)
        price = Price(3.0, 15.0, 0.3, 3.75, 20.0)
        expected = (3_000 * 3.0 + 6_000 * 0.3 + 1_000 * 3.75 + 1_500 * 15.0 + 500 * 20.0) / 1e6
        assert price.cost_usd(usage) == pytest.approx(expected, rel=1e-15)

    def test_parts_without_a_price_cost_what_their_whole_costs(self) -> None:
        usage = Usage(10_000, 2_000, cached_input_tokens=6_000, cache_write_tokens=1_000, reasoning_tokens=500)
        assert Price(3.0, 15.0).cost_usd(usage) == pytest.approx(0.06, rel=1e-15)

    def test_a_declared_zero_is_free_and_not_the_default(self) -> None:
        assert Price(3.0, 15.0, cached_input_usd_per_mtok=0.0).cost_usd(Usage(1_000, 0, 1_000)) == 0.0

    def test_a_long_prompt_moves_the_whole_request_to_its_tier(self) -> None:
        assert SONNET.cost_usd(Usage(200_000, 1_000)) == pytest.approx(0.6 + 0.015)
        assert SONNET.cost_usd(Usage(200_001, 1_000)) == pytest.approx(200_001 * 6e-6 + 0.0225)

    def test_cached_tokens_count_towards_the_tier(self) -> None:
        assert SONNET.cost_usd(Usage(300_000, 0, cached_input_tokens=290_000)) == pytest.approx(0.06 + 0.174)

    def test_parts_larger_than_their_whole_are_billed_as_they_stand(self) -> None:
        usage = Usage(100, 10, cached_input_tokens=400, reasoning_tokens=50)
        assert Price(1.0, 2.0, 0.5).cost_usd(usage) == pytest.approx((400 * 0.5 + 50 * 2.0) / 1e6)

    @given(prices(), usages())
    def test_cost_is_exact_to_the_last_digits(self, price: Price, usage: Usage) -> None:
        assert price.cost_usd(usage) == pytest.approx(float(exact_cost_usd(price, usage)), rel=1e-14, abs=1e-300)

    @given(prices(), usages())
    def test_the_bound_holds_whatever_is_cached_or_reasoned(self, price: Price, usage: Usage) -> None:
        bound = price.bound_usd(usage.input_tokens, usage.output_tokens)
        assert price.cost_usd(usage) <= bound * (1 + 1e-14)

    @given(prices(), usages())
    def test_the_estimate_is_the_cost_of_a_plain_call(self, price: Price, usage: Usage) -> None:
        plain = Usage(usage.input_tokens, usage.output_tokens)
        estimate = price.estimate_usd(plain.input_tokens, plain.output_tokens)
        assert estimate == pytest.approx(price.cost_usd(plain), rel=1e-14, abs=1e-300)

    @given(prices(), st.lists(st.integers(0, 20_000), min_size=1, max_size=8))
    def test_arrays_estimate_like_one_by_one(self, price: Price, lengths: list[int]) -> None:
        tokens = np.array(lengths, dtype=np.float64)
        one_by_one = [price.estimate_usd(length, 100) for length in lengths]
        np.testing.assert_array_equal(price.estimate_usd(tokens, 100), one_by_one)

    def test_arrays_of_answers_broadcast(self) -> None:
        answers = np.array([0.0, 1e6])
        np.testing.assert_allclose(SONNET.estimate_usd(300_000, answers), [1.8, 24.3])
        assert SONNET.estimate_usd(np.ones((3, 1)), answers).shape == (3, 2)

    def test_free_means_every_token_at_every_length(self) -> None:
        assert Price(0, 0).free
        assert not Price(0, 0, reasoning_usd_per_mtok=1.0).free
        assert not Price(0, 0, tiers=(Tier(1_000, Price(1, 0)),)).free

    @pytest.mark.parametrize("usd", [math.nan, math.inf, -math.inf, -0.01])
    @pytest.mark.parametrize("position", range(5))
    def test_a_price_that_cannot_be_is_refused(self, usd: float, position: int) -> None:
        given_rates = [1.0] * 5
        given_rates[position] = usd
        with pytest.raises(PriceError, match=r"usd_per_mtok: .* is not a price"):
            Price(*given_rates)

    @pytest.mark.parametrize("bounds", [(2, 1), (5, 5), (1, 3, 2)])
    def test_tiers_ascend(self, bounds: tuple[int, ...]) -> None:
        with pytest.raises(PriceError, match="do not ascend"):
            Price(1, 2, tiers=tuple(Tier(bound, Price(2, 4)) for bound in bounds))

    def test_a_tier_has_a_bound_and_no_tiers(self) -> None:
        with pytest.raises(PriceError, match="0 is not a number of tokens"):
            Tier(0, Price(1, 2))
        with pytest.raises(PriceError, match="tiers"):
            Tier(1_000, SONNET)


class TestDeclaredPrice:
    @pytest.mark.parametrize("missing", ["input_usd_per_mtok", "output_usd_per_mtok"])
    def test_an_unknown_price_names_the_model_the_key_and_the_way_out(self, missing: str) -> None:
        declared: dict[str, float | None] = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0, missing: None}
        with pytest.raises(PriceError) as caught:
            Price.declared("gpt-x", **declared)
        assert str(caught.value) == f"gpt-x: {missing}: price unknown; state it, 0 declares the model free"

    def test_zero_declares_a_model_free(self) -> None:
        assert Price.declared("local", input_usd_per_mtok=0, output_usd_per_mtok=0).free

    def test_an_impossible_price_names_the_model_too(self) -> None:
        with pytest.raises(PriceError, match=r"^gpt-x: cache_write_usd_per_mtok: -1.0 is not a price"):
            Price.declared("gpt-x", input_usd_per_mtok=1, output_usd_per_mtok=2, cache_write_usd_per_mtok=-1.0)


class TestCapabilities:
    def test_what_is_left_out_is_what_a_chat_model_can_do(self) -> None:
        default = Capabilities()
        assert default.tools
        assert default.json
        assert default.streaming
        assert not default.vision  # text servers drop images without a word
        assert default.context_window is None

    @pytest.mark.parametrize("limits", [{"context_window": 0}, {"max_output_tokens": -1}])
    def test_limits_are_positive(self, limits: dict[str, int]) -> None:
        with pytest.raises(ConfigError, match="is not a number of tokens"):
            Capabilities(**limits)

    def test_an_answer_fits_into_the_context_window(self) -> None:
        Capabilities(context_window=8192, max_output_tokens=8192)
        with pytest.raises(ConfigError, match="max_output_tokens: 8193 is more than the context window of 8192"):
            Capabilities(context_window=8192, max_output_tokens=8193)


def model(name: str, usd: float = 1.0) -> Model:
    return Model(name, "local", name, Price(usd, usd))


class TestModel:
    @pytest.mark.parametrize("name", ["auto", "auto:code"])
    def test_the_names_that_let_the_router_choose_are_taken(self, name: str) -> None:
        with pytest.raises(ConfigError, match="let the router choose"):
            model(name)

    @pytest.mark.parametrize("name", ["", "  "])
    def test_a_model_has_a_name(self, name: str) -> None:
        with pytest.raises(ConfigError, match="without a name"):
            model(name)

    def test_names_that_only_begin_alike_are_free(self) -> None:
        assert model("automatic").name == "automatic"


class TestCatalog:
    catalog = Catalog((model("small"), model("medium"), model("large")))

    def test_keeps_the_order_it_was_given(self) -> None:
        assert self.catalog.names == ("small", "medium", "large")
        assert [each.name for each in self.catalog] == ["small", "medium", "large"]
        assert [self.catalog.arm(name) for name in self.catalog.names] == [0, 1, 2]
        assert len(self.catalog) == 3

    def test_finds_models_by_name(self) -> None:
        assert self.catalog["medium"] is self.catalog.models[1]
        assert "medium" in self.catalog
        assert "huge" not in self.catalog

    def test_two_models_of_one_name_are_refused(self) -> None:
        with pytest.raises(ConfigError, match="name: two models are named 'small'; rename one"):
            Catalog((model("small"), model("large"), model("small", 2.0)))

    def test_an_unknown_name_gets_a_suggestion(self) -> None:
        with pytest.raises(ConfigError, match="no model is named 'smal'; did you mean 'small'"):
            self.catalog.arm("smal")
        with pytest.raises(ConfigError, match="choose from: small, medium, large"):
            self.catalog["gpt-4o"]
        with pytest.raises(ConfigError, match="the catalog is empty"):
            Catalog().arm("small")

    def test_a_price_change_leaves_every_arm_and_the_old_catalog_alone(self) -> None:
        changed = self.catalog.with_price("medium", Price(7, 8))
        assert changed["medium"].price == Price(7, 8)
        assert changed.names == self.catalog.names
        assert self.catalog["medium"].price == Price(1, 1)

    def test_a_model_is_added_as_the_last_arm(self) -> None:
        added = self.catalog.added(model("huge"))
        assert added.names == ("small", "medium", "large", "huge")
        with pytest.raises(ConfigError, match="two models"):
            added.added(model("huge"))

    def test_the_models_behind_a_removed_one_move_up(self) -> None:
        assert self.catalog.removed("small").arm("large") == 1
        with pytest.raises(ConfigError, match="no model"):
            self.catalog.removed("huge")

    def test_equal_models_make_equal_catalogs(self) -> None:
        assert self.catalog.added(model("huge")).removed("huge") == self.catalog

    def test_is_frozen(self) -> None:
        with pytest.raises(FrozenInstanceError):
            self.catalog.models = ()  # type: ignore[misc]


class TestNames:
    OLD = Model("old", "p", "old", Price(1.0, 1.0))
    OTHER = Model("other", "p", "other", Price(1.0, 1.0), like="old")

    def test_a_former_name_is_understood(self) -> None:
        catalog = Catalog((self.OLD, self.OTHER)).renamed("old", "new").renamed("new", "newest")
        assert [catalog.current(name) for name in ("old", "new", "newest", "other", "none")] == [
            "newest",
            "newest",
            "newest",
            "other",
            None,
        ]
        assert ("old" in catalog, catalog.names) == (False, ("newest", "other"))
        assert catalog["other"].like == "newest"

    def test_back_to_a_former_name(self) -> None:
        catalog = Catalog((self.OLD,)).renamed("old", "new").renamed("new", "old")
        assert catalog["old"].formerly == ("new",)

    @pytest.mark.parametrize("formerly", [("other",), ("a",), ("x", "a")])
    def test_a_name_is_of_one_model(self, formerly: tuple[str, ...]) -> None:
        other = Model("other", "p", "other", Price(1.0, 1.0), formerly=("a",))
        with pytest.raises(ConfigError, match="cannot be a former name of 'new'"):
            Catalog((other, Model("new", "p", "new", Price(1.0, 1.0), formerly=formerly)))

    @pytest.mark.parametrize("like", ["other", "nobody"])
    def test_nothing_is_like_itself_or_nobody(self, like: str) -> None:
        with pytest.raises(ConfigError, match="which is no other model"):
            Catalog((Model("other", "p", "other", Price(1.0, 1.0), like=like),))

    def test_without_the_other_it_is_like_nobody(self) -> None:
        assert Catalog((self.OLD, self.OTHER)).removed("old")["other"].like == ""
