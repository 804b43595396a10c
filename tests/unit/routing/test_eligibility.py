"""Who may serve: capabilities, lengths, permissions and money, each exclusion with its sentence."""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.records import Demand, Only
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price, Tier
from banditroute.routing.eligibility import Screen, eligible, reservation_usd, worst_case_usd


def model(name: str = "m", price: Price | None = None, **capabilities: int | bool | None) -> Model:
    return Model(name, "provider", name, price or Price(1.0, 2.0), Capabilities(**capabilities))  # type: ignore[arg-type]


def reason(one: Model, demand: Demand, level_usd: float | None = None) -> str | None:
    return eligible(demand, Catalog((one,)), level_usd=level_usd).reasons.get(one.name)


@pytest.mark.parametrize(
    ("need", "said"),
    [("tools", "take tools"), ("vision", "take images"), ("json", "write JSON"), ("streaming", "stream")],
)
def test_a_need_excludes_who_cannot(need: str, said: str) -> None:
    able, unable = model("able", **{need: True}), model("unable", **{need: False})
    found = eligible(Demand(10, **{need: True}), Catalog((able, unable)))
    assert found.mask.tolist() == [True, False]
    assert list(found.reasons) == ["unable"]
    assert said in found.reasons["unable"]
    assert eligible(Demand(10), Catalog((able, unable))).mask.all()


def test_what_one_protocol_alone_can_say_excludes_who_speaks_another() -> None:
    speaking = Catalog((model("mine"), model("yours"))).speaking({"provider": "gemini"})
    catalog = Catalog((replace(speaking["mine"], protocol="anthropic"), speaking["yours"]))
    demand = Demand(10, only=Only("anthropic", "tools[0] (web_search)"))
    found = Screen(catalog).check(demand)
    assert found.mask.tolist() == [True, False]
    assert found.reasons == {
        "yours": "its provider does not speak anthropic, as this takes: tools[0] (web_search)",
    }
    assert Screen(catalog).check(Demand(10)).mask.all()


def test_prompt_and_answer_share_the_context_window() -> None:
    short = model(context_window=100)
    assert reason(short, Demand(99)) is None
    assert "a prompt of 100 tokens leaves no room in its context window of 100" in str(reason(short, Demand(100)))
    assert reason(short, Demand(60, max_output_tokens=40)) is None
    assert "60 tokens and an answer of up to 41 exceed" in str(reason(short, Demand(60, max_output_tokens=41)))


def test_an_answer_is_asked_for_no_longer_than_the_model_writes() -> None:
    assert reason(model(context_window=100, max_output_tokens=20), Demand(80, max_output_tokens=4096)) is None
    assert reason(model(context_window=100, max_output_tokens=20), Demand(81, max_output_tokens=4096)) is not None


def test_an_unknown_window_excludes_nothing() -> None:
    assert reason(model(), Demand(10**9, max_output_tokens=10**6)) is None


def test_callers_may_allow_deny_and_the_router_may_close_models() -> None:
    catalog = Catalog((model("a"), model("b"), model("c")))
    allowed = eligible(Demand(10, allowed=frozenset("ab"), denied=frozenset("b")), catalog)
    assert allowed.mask.tolist() == [True, False, False]
    assert "denies" in allowed.reasons["b"]
    assert "allows" in allowed.reasons["c"]
    closed = eligible(Demand(10), catalog, unavailable={"a": "cooling down for 30 s"})
    assert closed.mask.tolist() == [False, True, True]
    assert closed.reasons == {"a": "cooling down for 30 s"}


def test_the_worst_case_may_cost_the_limit_and_no_more() -> None:
    one = model(price=Price(1.0, 2.0, reasoning_usd_per_mtok=4.0))
    demand = Demand(1_000, max_output_tokens=500)
    worst = (1_000 * 1.0 + 500 * 4.0) / 1e6  # the answer may be all reasoning
    assert worst_case_usd(one, demand) == pytest.approx(worst)
    assert reason(one, Demand(1_000, 500, max_cost_usd=worst * 1.0001)) is None
    assert "may cost $0.003, the caller allows $0.0029" in str(reason(one, Demand(1_000, 500, max_cost_usd=0.0029)))
    assert reason(one, demand, level_usd=worst * 1.0001) is None
    assert "may cost $0.003, the budget has $0.001 left" in str(reason(one, demand, level_usd=0.001))


def test_a_long_prompt_is_bounded_at_its_tier() -> None:
    tiered = model(price=Price(1.0, 1.0, tiers=(Tier(1_000, Price(10.0, 10.0)),)))
    assert reason(tiered, Demand(1_000, 0, max_cost_usd=0.002)) is None
    assert reason(tiered, Demand(1_001, 0, max_cost_usd=0.002)) is not None


def test_a_priced_answer_that_nothing_bounds_fits_no_limit() -> None:
    assert "nothing bounds its answer" in str(reason(model(), Demand(10, max_cost_usd=1e9)))
    assert "nothing bounds its answer" in str(reason(model(), Demand(10), level_usd=1e9))
    assert reason(model(price=Price(1.0, 0.0)), Demand(10, max_cost_usd=1.0)) is None
    assert reason(model(context_window=1_000), Demand(10, max_cost_usd=1.0)) is None
    assert reason(model(max_output_tokens=1_000), Demand(10, max_cost_usd=1.0)) is None
    assert reason(model(price=Price(0.0, 0.0)), Demand(10, max_cost_usd=0.0)) is None


def test_an_exhausted_budget_leaves_the_free() -> None:
    catalog = Catalog((model("free", Price(0.0, 0.0)), model("paid")))
    assert eligible(Demand(10, 10), catalog, level_usd=0.0).mask.tolist() == [True, False]


def test_an_empty_catalog_has_nobody() -> None:
    found = eligible(Demand(10, max_cost_usd=1.0), Catalog())
    assert found.mask.size == 0
    assert not found.reasons


def test_a_mask_cannot_be_spoilt_for_the_next_request() -> None:
    screen = Screen(Catalog((model(),)))
    with pytest.raises(ValueError, match="read-only"):
        screen.check(Demand(10)).mask[0] = False


maybe_tokens = st.none() | st.integers(1, 5_000)
rates = st.sampled_from([0.0, 0.5, 2.0, 100.0])
dollars = st.none() | st.sampled_from([0.0, 1e-4, 1e-2, 1.0])
names = st.frozensets(st.sampled_from("abcd"), max_size=2)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    models: list[Model] = []
    for name in "abcd"[: draw(st.integers(0, 4))]:
        window = draw(maybe_tokens)
        most = draw(st.none() | st.integers(1, window or 5_000))
        price = Price(draw(rates), draw(rates), tiers=draw(st.sampled_from([(), (Tier(500, Price(9.0, 200.0)),)])))
        can = draw(st.tuples(*[st.booleans()] * 4))
        models.append(Model(name, "p", name, price, Capabilities(window, most, *can)))
    return Catalog(tuple(models))


demands = st.builds(
    Demand,
    input_tokens=st.integers(0, 5_000),
    max_output_tokens=maybe_tokens,
    tools=st.booleans(),
    vision=st.booleans(),
    json=st.booleans(),
    streaming=st.booleans(),
    allowed=names,
    denied=names,
    max_cost_usd=dollars,
)


def may_serve(one: Model, demand: Demand, level_usd: float | None, unavailable: Mapping[str, str]) -> bool:
    """The rules, written out the long way."""
    can = one.capabilities
    window = math.inf if can.context_window is None else can.context_window
    limits = [limit for limit in (demand.max_output_tokens, can.max_output_tokens) if limit is not None]
    longest = min([*limits, max(window - demand.input_tokens, 0)])
    asked = 1 if demand.max_output_tokens is None else max(min(limits), 1)
    priced = one.price.bound_usd(demand.input_tokens, 1) > one.price.bound_usd(demand.input_tokens, 0)
    worst = math.inf if priced and longest == math.inf else one.price.bound_usd(demand.input_tokens, min(longest, 1e9))
    return all(
        (
            not demand.allowed or one.name in demand.allowed,
            one.name not in demand.denied and one.name not in unavailable,
            can.tools or not demand.tools,
            can.vision or not demand.vision,
            can.json or not demand.json,
            can.streaming or not demand.streaming,
            demand.input_tokens + asked <= window,
            demand.max_cost_usd is None or worst <= demand.max_cost_usd,
            level_usd is None or worst <= level_usd,
        )
    )


@given(catalogs(), demands, dollars, st.sampled_from([{}, {"a": "closed"}]))
def test_short_cuts_change_no_answer(
    catalog: Catalog, demand: Demand, level_usd: float | None, unavailable: Mapping[str, str]
) -> None:
    found = Screen(catalog).check(demand, level_usd=level_usd, unavailable=unavailable)
    assert found.mask.tolist() == [may_serve(one, demand, level_usd, unavailable) for one in catalog]
    excluded = [name for name, mask in zip(catalog.names, found.mask, strict=True) if not mask]
    assert list(found.reasons) == excluded
    assert all(found.reasons.values())


@pytest.mark.parametrize("limit", [None, 50, 5000])
def test_several_answers_at_once_cost_as_much_as_one_after_another(limit: int | None) -> None:
    model = Model("m", "p", "m", Price(1.0, 2.0), Capabilities(10_000, 100))
    one, ten = (Demand(0, max_output_tokens=limit, answers=answers) for answers in (1, 10))
    assert worst_case_usd(model, ten) == pytest.approx(10 * worst_case_usd(model, one))
    assert reservation_usd(model, ten, 20.0) == pytest.approx(10 * reservation_usd(model, one, 20.0))
    catalog = Catalog((model,))
    assert not eligible(
        Demand(0, max_output_tokens=limit, answers=10, max_cost_usd=worst_case_usd(model, one)), catalog
    ).mask[0]
