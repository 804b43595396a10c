"""A price list is read with suspicion: every row becomes a model, or a finding says why not."""

import gzip
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from banditroute.cli.catalog_toml import catalog_toml
from banditroute.cli.prices import app
from banditroute.errors import InputError, PriceError
from banditroute.records import Usage
from banditroute.routing.catalog import Capabilities, Model, Price, Tier
from banditroute.routing.pricelist import Finding, Listing, PriceImport, Severity, import_prices, parse_price_list
from banditroute.routing.pricelist.checks import Evidence, credible, examine
from banditroute.routing.pricelist.peers import Witnesses, family
from banditroute.routing.pricelist.rows import WHOLE_KEYS, Rates

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared" / "data" / "prices"
SHIPPED = SHARED / "chat_2026-11.jsonl.gz"
HISTORY = SHARED / "history.jsonl.gz"

needs_shared = pytest.mark.skipif(
    not SHIPPED.exists(), reason="the price list of 2026-11 is not beside the repository (../shared/data/prices)"
)

Row = dict[str, object]


def row(**changes: object) -> Row:
    """A row with nothing wrong, at $1 and $4 per million tokens."""
    return {
        "litellm_provider": "acme",
        "mode": "chat",
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 4e-06,
        **changes,
    }


def read(rows: dict[str, Row]) -> list[Listing]:
    return list(parse_price_list(json.dumps(rows), path="list.json"))


def imported(free: Callable[[str], bool] = lambda _: False, as_of: str | None = None, **rows: Row) -> PriceImport:
    return import_prices(read(rows), free=free, as_of=as_of)


def only_finding(result: PriceImport) -> Finding:
    assert len(result.findings) == 1, result.findings
    return result.findings[0]


def verdict(**changes: object) -> tuple[Severity, str, str]:
    """Severity, check and key of the one finding about a row that is sound but for the changes."""
    finding = only_finding(imported(m=row(**changes)))
    return finding.severity, finding.check, finding.key


class TestReading:
    def test_a_mapping_and_json_lines_say_the_same(self) -> None:
        rows = {"acme/a": row(), "acme/b": row(max_input_tokens=8192)}
        lines = "\n".join(json.dumps({"model": name, **values}) for name, values in rows.items())
        assert read(rows) == list(parse_price_list(lines, path="list.jsonl"))

    def test_a_list_of_one_line_is_still_json_lines(self) -> None:
        (listing,) = parse_price_list(json.dumps({"model": "a", **row()}) + "\n", path="list.jsonl")
        assert listing.model == "a"

    def test_dollars_per_token_become_round_dollars_per_million(self) -> None:
        (listing,) = read({"m": row(input_cost_per_token=1e-07, output_cost_per_token=1.0000000000000002e-06)})
        assert (listing.base.input_usd_per_mtok, listing.base.output_usd_per_mtok) == (0.1, 1.0)

    @pytest.mark.parametrize(
        ("name", "provider", "upstream"),
        [
            ("gpt-4o", "openai", "gpt-4o"),
            ("groq/openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b"),
            ("vertex_ai/meta/llama3", "vertex_ai-llama_models", "meta/llama3"),
            ("bedrock/us-east-1/claude", "bedrock_converse", "us-east-1/claude"),
            ("meta-llama/Llama-3", "together_ai", "meta-llama/Llama-3"),
        ],
    )
    def test_upstream_is_the_name_without_its_provider(self, name: str, provider: str, upstream: str) -> None:
        (listing,) = read({name: row(litellm_provider=provider)})
        assert listing.upstream == upstream

    def test_only_what_is_stated_is_a_capability(self) -> None:
        stated = row(supports_vision=True, supports_function_calling=False, supports_native_streaming=False)
        (model,) = imported(m=stated).models
        assert model.capabilities == Capabilities(tools=False, vision=True, json=False, streaming=False)

    def test_token_limits_written_with_a_point_are_whole(self) -> None:
        (model,) = imported(m=row(max_input_tokens=8192.0, max_output_tokens=4096.0)).models
        assert model.capabilities.context_window == 8192
        assert type(model.capabilities.max_output_tokens) is int

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "list:1: not JSON"),
            ("{", "list:1: not JSON"),
            ('{"model": "a"}\n{"model": ', "list:2: not JSON"),
            ('{"model": "a"}\n{"provider": "b"}', "list:2: model: a row without a name; name the model"),
            ('{"model": "a"}\n[1]', "list:2: not an object"),
            ('{"model": "a"}\n{"model": "b"} {}', "list:2: more than one object in a line"),
            ('{"a": ' + "9" * 5000 + "}", "list: not a price list"),
            ('{"a": ' + "[" * 100_000, "list: not a price list"),
            ("[1, 2]", "list:1: not an object; give"),
            ('{"a": 1}', "list: a: not an object"),
            ('{"model": "a", "mode": "chat", "mode": "chat"}', "list:1: mode: the key stands twice"),
        ],
    )
    def test_what_is_no_price_list_says_where(self, text: str, complaint: str) -> None:
        with pytest.raises(PriceError, match=complaint):
            list(parse_price_list(text, path="list"))

    def test_other_line_ends_within_a_string_end_no_row(self) -> None:
        lines = "\n".join(json.dumps({"model": name, **row()}, ensure_ascii=False) for name in ("a\u2028b", "c"))
        assert [listing.model for listing in parse_price_list(lines, path="list")] == ["a\u2028b", "c"]

    def test_half_a_surrogate_pair_does_not_break_what_is_written(self) -> None:
        (model,) = import_prices(parse_price_list('{"a\\ud800": ' + json.dumps(row()) + "}", path="list")).models
        assert model.name == "a?"

    def test_a_price_of_hundreds_of_digits_is_no_price(self) -> None:
        assert verdict(input_cost_per_token=10**400) == ("refused", "not-a-price", "input_usd_per_mtok")


class TestTiers:
    def test_one_key_a_bound(self) -> None:
        tiered = row(
            cache_read_input_token_cost=1e-07,
            input_cost_per_token_above_200k_tokens=2e-06,
            output_cost_per_token_above_200k_tokens=6e-06,
            cache_read_input_token_cost_above_200k_tokens=2e-07,
            input_cost_per_token_above_200k_tokens_batches=9e-06,  # another service, not another tier
        )
        (model,) = imported(m=tiered).models
        assert model.price == Price(1.0, 4.0, 0.1, tiers=(Tier(200_000, Price(2.0, 6.0, 0.2)),))

    def test_a_tier_that_changes_one_side_keeps_the_other(self) -> None:
        (model,) = imported(m=row(input_cost_per_token_above_128k_tokens=2e-06)).models
        assert model.price.tiers == (Tier(128_000, Price(2.0, 4.0)),)

    def test_one_object_a_range(self) -> None:
        ranges = [
            {"range": [0, 32000.0], "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06},
            {"range": [32000.0, 128000.0], "input_cost_per_token": 2e-06, "output_cost_per_token": 9e-06},
            {"range": [128000.0, 1e6], "input_cost_per_token": 6e-06, "output_cost_per_token": 6e-05},
        ]
        (model,) = imported(m={"litellm_provider": "acme", "mode": "chat", "tiered_pricing": ranges}).models
        assert model.price == Price(1.0, 5.0, tiers=(Tier(32_000, Price(2.0, 9.0)), Tier(128_000, Price(6.0, 60.0))))

    @pytest.mark.parametrize("bad", [None, [], ["0", 5], [7, 9]])
    def test_a_range_that_cannot_be_read_refuses_the_row(self, bad: object) -> None:
        ranges = [{"range": bad, "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06}]
        assert verdict(tiered_pricing=ranges) == ("refused", "not-a-price", "above_input_tokens")

    def test_ranges_out_of_order_refuse_the_row(self) -> None:
        ranges = [
            {"range": [bound, None], "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06}
            for bound in (0, 9_000, 8_000)
        ]
        result = imported(m=row(tiered_pricing=ranges))
        assert not result.models
        assert only_finding(result).check == "unusable"

    def test_a_cheaper_tier_is_doubtful(self) -> None:
        cheaper = {"input_cost_per_token_above_128k_tokens": 5e-07}
        assert verdict(**cheaper) == ("doubtful", "tier", "tiers[0].input_usd_per_mtok")

    def test_a_tier_is_mended_by_itself(self) -> None:
        tier = {
            "cache_creation_input_token_cost": 1.25e-06,
            "input_cost_per_token_above_200k_tokens": 2e-06,
            "cache_creation_input_token_cost_above_200k_tokens": 2e-07,
        }
        result = imported(m=row(**tier))
        assert only_finding(result).key == "tiers[0].cache_write_usd_per_mtok"
        assert result.models[0].price.cache_write_usd_per_mtok == 1.25
        assert result.models[0].price.tiers[0].price.cache_write_usd_per_mtok is None


class TestOneRow:
    def test_a_sound_row_is_imported_without_a_word(self) -> None:
        result = imported(**{"acme/m": row(max_input_tokens=8192, supports_function_calling=True)})
        assert result.findings == ()
        expected = Capabilities(context_window=8192, tools=True, json=False)
        assert result.models == (Model("acme/m", "acme", "m", Price(1.0, 4.0), expected),)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"output_cost_per_token": None}, ("refused", "unknown", "output_usd_per_mtok")),
            ({"input_cost_per_token": "1e-06"}, ("refused", "not-a-price", "input_usd_per_mtok")),
            ({"input_cost_per_token": True}, ("refused", "not-a-price", "input_usd_per_mtok")),
            ({"input_cost_per_token": -1e-06}, ("refused", "not-a-price", "input_usd_per_mtok")),
            ({"output_cost_per_token": float("nan")}, ("refused", "not-a-price", "output_usd_per_mtok")),
            ({"output_cost_per_token": float("inf")}, ("refused", "not-a-price", "output_usd_per_mtok")),
            ({"cache_read_input_token_cost": -1e-07}, ("refused", "not-a-price", "cached_input_usd_per_mtok")),
            ({"output_cost_per_token": 0}, ("refused", "zero", "output_usd_per_mtok")),
            ({"input_cost_per_token": 0, "output_cost_per_token": 0.0}, ("refused", "zero", "input_usd_per_mtok")),
            ({"input_cost_per_token": 5e-08}, ("refused", "lopsided", "output_usd_per_mtok")),
            ({"output_cost_per_token": 1e-04}, ("refused", "lopsided", "output_usd_per_mtok")),
            ({"litellm_provider": None}, ("refused", "no-provider", "provider")),
            ({"mode": "embedding"}, ("skipped", "not-chat", "mode")),
            ({"cache_read_input_token_cost": 0}, ("mended", "zero-part", "cached_input_usd_per_mtok")),
            ({"cache_read_input_token_cost": 2e-06}, ("mended", "cached-above-input", "cached_input_usd_per_mtok")),
            ({"cache_creation_input_token_cost": 5e-07}, ("mended", "write-below-input", "cache_write_usd_per_mtok")),
            ({"max_input_tokens": 0.0}, ("mended", "limit", "context_window")),
            ({"max_output_tokens": 99.5}, ("mended", "limit", "max_output_tokens")),
            ({"max_output_tokens": "4k"}, ("mended", "limit", "max_output_tokens")),
            ({"output_cost_per_token": 3e-05}, ("doubtful", "lopsided", "output_usd_per_mtok")),
            ({"output_cost_per_token": 5e-07}, ("doubtful", "output-below-input", "output_usd_per_mtok")),
            ({"cache_creation_input_token_cost": 5e-06}, ("doubtful", "write-far-above-input", "cache_write_usd_per_mtok")),  # noqa: E501
            ({"output_cost_per_reasoning_token": 1e-04}, ("doubtful", "reasoning", "reasoning_usd_per_mtok")),
            ({"input_cost_per_request": 0.005}, ("doubtful", "fee", "input_cost_per_request")),
        ],
    )  # fmt: skip
    def test_each_defect_has_its_finding(self, changes: Row, expected: tuple[str, str, str]) -> None:
        result = imported(m=row(**changes))
        finding = only_finding(result)
        assert (finding.severity, finding.check, finding.key) == expected
        assert len(result.models) == (finding.severity in {"mended", "doubtful"})

    def test_a_price_per_thousand_tokens_is_told_what_it_would_be(self) -> None:
        result = imported(m=row(input_cost_per_token=0.0032, output_cost_per_token=0.00971))
        assert not result.models
        assert [finding.value for finding in result.findings] == [3200.0, 9710.0]
        assert "that would be 3.2" in result.findings[0].problem

    def test_a_price_a_thousand_times_too_small_is_refused(self) -> None:
        result = imported(m=row(input_cost_per_token=1e-09, output_cost_per_token=4e-09))
        assert {finding.check for finding in result.findings} == {"too-cheap"}

    @pytest.mark.parametrize(
        ("usd_in", "usd_out"),
        [(150, 600), (75, 150), (60, 120), (0.01, 0.03), (0.16, 2.87), (0.04, 0.04)],
        ids=["o1-pro", "gpt-4.5", "gpt-4-32k", "qwen-coder-3b", "qwen-vl-thinking", "ministral"],
    )
    def test_the_dearest_and_cheapest_real_prices_pass(self, usd_in: float, usd_out: float) -> None:
        real = row(input_cost_per_token=usd_in / 1e6, output_cost_per_token=usd_out / 1e6)
        assert imported(m=real).findings == ()

    def test_what_is_mended_is_billed_as_the_tokens_it_is_part_of(self) -> None:
        (model,) = imported(m=row(cache_read_input_token_cost=0, cache_creation_input_token_cost=1e-07)).models
        assert model.price == Price(1.0, 4.0)

    def test_an_answer_longer_than_the_context_is_cut_to_it(self) -> None:
        (model,) = imported(m=row(max_input_tokens=8000, max_output_tokens=8192)).models
        assert model.capabilities.max_output_tokens == 8000

    def test_a_name_that_callers_use_otherwise_is_refused(self) -> None:
        assert only_finding(imported(auto=row())).problem.endswith("let the router choose")

    @pytest.mark.parametrize(("as_of", "found"), [("2026-11-24", 0), ("2026-11-25", 1), (None, 0)])
    def test_a_retired_model_is_doubtful_from_its_day_on(self, as_of: str | None, found: int) -> None:
        result = imported(as_of=as_of, m=row(deprecation_date="2026-11-25"))
        assert Counter(finding.check for finding in result.findings)["retired"] == found
        assert len(result.models) == 1


class TestFree:
    free = row(input_cost_per_token=0, output_cost_per_token=0)

    def test_zero_is_free_only_where_the_caller_says_so(self) -> None:
        result = imported(free=lambda name: fnmatchcase(name, "home/*"), **{"home/a": self.free, "b": self.free})
        assert [model.name for model in result.models] == ["home/a"]
        assert result.models[0].price.cost_usd(Usage(1_000, 1_000)) == 0
        assert only_finding(result).model == "b"

    def test_declaring_a_priced_model_free_changes_nothing(self) -> None:
        (model,) = imported(free=lambda _: True, m=row()).models
        assert model.price == Price(1.0, 4.0)

    def test_free_parts_stay_free(self) -> None:
        (model,) = imported(free=lambda _: True, m=row(cache_read_input_token_cost=0)).models
        assert model.price.cached_input_usd_per_mtok == 0

    def test_an_unknown_price_is_not_free_whatever_is_declared(self) -> None:
        result = imported(free=lambda _: True, m=row(input_cost_per_token=None))
        assert only_finding(result).check == "unknown"


class TestRowsTogether:
    @staticmethod
    def offered(*usd: float) -> dict[str, Row]:
        """One model at many providers, each at its own dollars per million tokens, input and output alike."""
        return {
            f"p{k}/qwen3-8b": row(
                litellm_provider=f"p{k}", input_cost_per_token=each / 1e6, output_cost_per_token=each / 1e6
            )
            for k, each in enumerate(usd)
        }

    def test_a_thousandfold_outlier_is_refused_and_its_peers_are_not(self) -> None:
        result = imported(**self.offered(0.05, 0.04, 0.06, 50.0))
        assert [model.provider for model in result.models] == ["p0", "p1", "p2"]
        assert {(finding.model, finding.check) for finding in result.findings} == {("p3/qwen3-8b", "peers")}
        assert result.findings[0].problem == "1,000 times the 0.05 asked elsewhere (3 listed)"

    def test_one_witness_raises_doubt_about_both(self) -> None:
        result = imported(**self.offered(0.05, 50.0))
        assert len(result.models) == 2
        assert {finding.severity for finding in result.findings} == {Severity.doubtful}

    def test_twentyfold_is_a_real_spread_and_thirtyfold_is_doubtful(self) -> None:
        assert imported(**self.offered(0.05, 0.05, 1.0)).findings == ()
        result = imported(**self.offered(0.05, 0.05, 1.5))
        assert {(finding.model, finding.severity) for finding in result.findings} == {("p2/qwen3-8b", "doubtful")}

    def test_an_impossible_row_bears_no_witness(self) -> None:
        rows = self.offered(0.05, 0.05) | {
            "p8/qwen3-8b": row(litellm_provider="p8", input_cost_per_token=5e-04, output_cost_per_token=5e-04),
            "p9/qwen3-8b": row(litellm_provider="p9", input_cost_per_token=5e-04, output_cost_per_token=5e-04),
        }
        assert {finding.model for finding in imported(**rows).findings} == {"p8/qwen3-8b", "p9/qwen3-8b"}

    def test_rows_of_one_provider_are_one_witness(self) -> None:
        rows = self.offered(50.0) | {f"p1/v{k}/qwen3-8b": row(litellm_provider="p1") for k in range(3)}
        result = imported(**rows)
        assert {finding.severity for finding in result.findings} == {Severity.doubtful}

    def test_rows_not_selected_bear_witness(self) -> None:
        listings = read(self.offered(0.05, 0.04, 0.06, 50.0))
        result = import_prices(listings, selected=lambda listing: listing.provider == "p3")
        assert (result.rows, result.models) == (1, ())

    def test_an_earlier_list_bears_witness(self) -> None:
        now, earlier = read(self.offered(50.0)), read(self.offered(0.05, 0.05))
        assert import_prices(now).findings == ()
        assert {each.severity for each in import_prices(now, earlier=earlier).findings} == {Severity.refused}

    def test_a_repeated_row_is_imported_once(self) -> None:
        line = json.dumps({"model": "m", **row()})
        result = import_prices(parse_price_list(f"{line}\n{line}\n", path="list"))
        assert len(result.models) == 1
        assert only_finding(result).severity == "skipped"

    def test_rows_of_one_name_that_disagree_are_all_refused(self) -> None:
        lines = (json.dumps({"model": "m", **row(output_cost_per_token=usd)}) for usd in (4e-06, 5e-06))
        result = import_prices(parse_price_list("\n".join(lines), path="list"))
        assert not result.models
        assert [finding.check for finding in result.findings] == ["repeated", "repeated"]

    def test_a_model_that_stands_twice_in_a_mapping_is_not_dropped(self) -> None:
        text = f'{{"m": {json.dumps(row())}, "m": {json.dumps(row(output_cost_per_token=5e-06))}}}'
        assert import_prices(parse_price_list(text, path="list")).rows == 2

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("us.anthropic.claude-3-5-haiku-20241022-v1:0", "vercel_ai_gateway/anthropic/claude-3.5-haiku-20241022"),
            ("fireworks_ai/accounts/fireworks/models/glm-4p6", "zai/glm-4.6"),
            ("deepinfra/Qwen/Qwen3-32B", "groq/qwen/qwen3-32b"),
            ("vertex_ai/meta/llama-3.1-8b-instruct-maas", "novita/meta-llama/llama-3.1-8b-instruct"),
            ("databricks/databricks-claude-sonnet-4", "claude-sonnet-4"),
        ],
    )
    def test_one_model_has_one_family_name(self, one: str, other: str) -> None:
        assert family(one) == family(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("gpt-4o", "gpt-4o-mini"),
            ("gpt-4-0613", "gpt-4-0314"),
            ("llama-3.1-8b", "llama-3.1-70b"),
            ("ft:gpt-4o", "ft:gpt-4o-mini"),
        ],
    )
    def test_different_models_keep_apart(self, one: str, other: str) -> None:
        assert family(one) != family(other)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.fixed_dictionaries(
            {},
            optional={
                key: st.none() | st.booleans() | st.text(max_size=3) | st.integers() | st.floats() | st.lists(st.none())
                for key in (
                    "litellm_provider",
                    "mode",
                    "input_cost_per_token",
                    "output_cost_per_token",
                    "cache_read_input_token_cost",
                    "input_cost_per_token_above_128k_tokens",
                    "tiered_pricing",
                    "max_input_tokens",
                    "max_output_tokens",
                    "deprecation_date",
                )
            },
        ),
        max_size=4,
    )
)
def test_whatever_a_list_holds_no_row_is_lost(rows: dict[str, Row]) -> None:
    listings = read(
        {f"m{name}": {"litellm_provider": "acme", "mode": "chat", **values} for name, values in rows.items()}
    )
    result = import_prices(listings, as_of="2026-11-25")
    told = {finding.model for finding in result.findings if finding.severity in {"refused", "skipped"}}
    assert {model.name for model in result.models}.isdisjoint(told)
    assert {model.name for model in result.models} | told == {listing.model for listing in listings}


class TestCatalogToml:
    def test_every_key_comes_back_from_toml(self) -> None:
        price = Price(
            3.0, 15.0, 0.3, 3.75, 20.0, tiers=(Tier(200_000, Price(6.0, 22.5, 0.6)), Tier(500_000, Price(9, 30)))
        )
        model = Model("m", "acme", "m-1", price, Capabilities(1_000_000, 64_000, tools=True, vision=True, json=False))
        (table,) = tomllib.loads(catalog_toml([model], source="list.json"))["models"]
        assert table == {
            "name": "m",
            "provider": "acme",
            "upstream": "m-1",
            "input_usd_per_mtok": 3.0,
            "output_usd_per_mtok": 15.0,
            "cached_input_usd_per_mtok": 0.3,
            "cache_write_usd_per_mtok": 3.75,
            "reasoning_usd_per_mtok": 20.0,
            "context_window": 1_000_000,
            "max_output_tokens": 64_000,
            "tools": True,
            "vision": True,
            "json": False,
            "streaming": True,
            "tiers": [
                {
                    "above_input_tokens": 200_000,
                    "input_usd_per_mtok": 6.0,
                    "output_usd_per_mtok": 22.5,
                    "cached_input_usd_per_mtok": 0.6,
                },
                {"above_input_tokens": 500_000, "input_usd_per_mtok": 9, "output_usd_per_mtok": 30},
            ],
        }

    # TOML, like UTF-8, has no lone surrogates.
    @given(st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip), st.floats(0, 1e4))
    def test_names_and_prices_survive_whatever_they_are(self, name: str, usd: float) -> None:
        text = catalog_toml([Model(f"m{name}", name, name, Price(usd, usd))], source=name)
        (table,) = tomllib.loads(text)["models"]
        assert (table["name"], table["provider"], table["upstream"]) == (f"m{name}", name, name)
        assert table["input_usd_per_mtok"] == usd


class TestCommand:
    rows = {  # noqa: RUF012
        "acme/a": row(max_input_tokens=8192, supports_function_calling=True),
        "acme/local": row(input_cost_per_token=0, output_cost_per_token=0),
        "other/b": row(litellm_provider="other", input_cost_per_token=0.001, output_cost_per_token=0.004),
    }

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "list.json"
        path.write_text(json.dumps(self.rows))
        return path

    @staticmethod
    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, ["import", *map(str, arguments)])

    def test_says_what_it_found_and_how_many_it_imported(self, file: Path) -> None:
        result = self.run(file)
        assert result.exit_code == 0
        assert "refused: too-dear, 2" in result.stdout
        assert "1 of 3 rows became models" in result.stdout

    def test_json_stands_alone_on_standard_output(self, file: Path, tmp_path: Path) -> None:
        result = self.run(file, "--json", "--out", tmp_path / "out.toml", "--free", "*/local")
        document = json.loads(result.stdout)
        assert (document["rows"], document["imported"]) == (3, 2)
        assert document["counts"] == [{"severity": "refused", "check": "too-dear", "findings": 2}]
        assert document["findings"][0]["value"] == 1000.0
        assert document["models"] == tomllib.loads((tmp_path / "out.toml").read_text())["models"]

    def test_writes_the_models_that_were_asked_for(self, file: Path, tmp_path: Path) -> None:
        out = tmp_path / "catalog.toml"
        result = self.run(file, "--provider", "acme", "--model", "*/a", "--out", out)
        assert "1 of 1 rows became models, written to" in result.stdout
        (table,) = tomllib.loads(out.read_text())["models"]
        assert (table["name"], table["upstream"], table["tools"]) == ("acme/a", "a", True)

    def test_reads_gzip(self, tmp_path: Path) -> None:
        packed = tmp_path / "list.jsonl.gz"
        packed.write_bytes(gzip.compress(json.dumps({"model": "acme/a", **row()}).encode()))
        assert "1 of 1 rows" in self.run(packed).stdout

    def test_reads_a_file_with_a_byte_order_mark(self, file: Path) -> None:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
        assert "1 of 3 rows" in self.run(file).stdout

    def test_an_earlier_list_is_held_against_this_one(self, file: Path, tmp_path: Path) -> None:
        earlier = tmp_path / "earlier.json"
        earlier.write_text(json.dumps({"acme/a": row(input_cost_per_token=5e-05, output_cost_per_token=2e-04)}))
        assert "doubtful: peers, 2" in self.run(file, "--earlier", earlier).stdout

    def test_replaces_its_own_file_and_no_other(self, file: Path, tmp_path: Path) -> None:
        out = tmp_path / "router.toml"
        assert self.run(file, "--out", out).exit_code == 0
        assert self.run(file, "--out", out).exit_code == 0
        out.write_text("[[providers]]\n")
        self.refused("was not written by this command; name another file", file, "--out", out)
        assert out.read_text() == "[[providers]]\n"

    def refused(self, complaint: str, *arguments: object) -> None:
        result = self.run(*arguments)
        assert isinstance(result.exception, InputError)  # which the command line ends with 2 and this one line
        assert re.search(complaint, str(result.exception))
        assert "\n" not in str(result.exception)

    def test_bad_input_is_one_line_and_nothing_is_written(self, file: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.toml"
        broken, packed, binary = tmp_path / "broken.json", tmp_path / "broken.gz", tmp_path / "binary"
        broken.write_text('{"a": {}')
        packed.write_bytes(gzip.compress(b'{"a": {}}' * 99)[:-12])
        binary.write_bytes(b"\xff\xfe")
        self.refused("broken.json:1: not JSON", broken, "--out", out)
        self.refused("broken.gz: broken gzip", packed, "--out", out)
        self.refused("binary: not UTF-8", binary, "--out", out)
        self.refused("nowhere: cannot be read: no such file", tmp_path / "nowhere", "--out", out)
        self.refused("list.json: --provider: 'acmee' matches no row", file, "--provider", "acmee", "--out", out)
        self.refused(r"--model: 'z\*' matches no row", file, "--model", "z*", "--out", out)
        self.refused(r"--free: 'z\*' matches no row", file, "--free", "z*", "--out", out)
        self.refused("--as-of: 'soon' is not a date; write YYYY-MM-DD", file, "--as-of", "soon", "--out", out)
        assert not out.exists()

    def test_no_model_at_all_is_bad_input_with_the_reason_shown(self, file: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.toml"
        self.refused("no row became a model", file, "--provider", "other", "--out", out)
        assert not out.exists()
        assert "too-dear" in self.run(file, "--provider", "other", "--out", out).stdout


@cache
def shipped() -> tuple[Listing, ...]:
    return tuple(parse_price_list(gzip.decompress(SHIPPED.read_bytes()).decode(), path=SHIPPED.name))


@cache
def shipped_import() -> PriceImport:
    return import_prices(shipped(), as_of="2026-11-25")


def shares_caught(factor: float, *keys: str) -> list[float]:
    """Percent refused, doubtful and missed when one sound row at a time has the prices of those keys so many times."""
    troubled = {each.model for each in import_prices(shipped()).findings if each.severity in {"refused", "doubtful"}}
    witnesses = Witnesses.of(filter(credible, shipped()))
    verdicts = Counter[str]()
    sound = [listing for listing in shipped() if listing.model not in troubled]
    for listing in sound:
        planted = mistaken(listing, factor, keys)
        evidence = Evidence(witnesses, {planted.model: (planted,)}, free=lambda _: False, as_of=None)
        severities = {finding.severity for finding in examine(planted, evidence)}
        verdicts["refused" if "refused" in severities else "doubtful" if "doubtful" in severities else "missed"] += 1
    return [round(100 * verdicts[verdict] / len(sound), 1) for verdict in ("refused", "doubtful", "missed")]


def mistaken(listing: Listing, factor: float, keys: Iterable[str]) -> Listing:
    """The row with those prices so many times, and without the prices of parts, which would give the mistake away."""
    prices = {key: (listing.base[key] or 0.0) * (factor if key in keys else 1.0) for key in WHOLE_KEYS}
    return replace(listing, rates=(Rates(0, **prices), *listing.rates[1:]))


@needs_shared
class TestShippedList:
    def test_every_row_is_a_model_or_has_a_finding(self) -> None:
        result = shipped_import()
        lost = {finding.model for finding in result.findings if finding.severity in {"refused", "skipped"}}
        assert result.rows == 3125
        assert len(result.models) + len(lost) == result.rows

    def test_finds_what_the_documentation_says(self) -> None:
        """The table in docs/prices.md, row by row."""
        page = (ROOT / "docs" / "prices.md").read_text()
        stated = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| .* \| (\d+) \|$", page, re.MULTILINE)
        found = {(check, str(severity)): count for (severity, check), count in shipped_import().counts().items()}
        assert {(check, severity): int(count) for check, severity, count in stated if int(count)} == found

    def test_the_prices_per_thousand_tokens_are_refused(self) -> None:
        names = {model.name for model in shipped_import().models}
        assert names.isdisjoint({"azure_ai/jais-30b-chat", "watsonx/core42/jais-13b-chat"})

    def test_dear_and_cheap_models_that_are_real_come_through_clean(self) -> None:
        clean = {model.name for model in shipped_import().models} - {
            each.model for each in import_prices(shipped()).findings
        }
        assert clean >= {
            "azure/gpt-4.5-preview",
            "azure/gpt-4-32k",
            "aihubmix/gpt-5.5-pro",
            "nscale/Qwen/Qwen2.5-Coder-3B-Instruct",
            "dashscope/qwen3-vl-32b-thinking",
        }

    def test_doubts_about_prices_are_few(self) -> None:
        """Each was looked at by hand; see docs/prices.md. More means that a bound no longer fits the world."""
        doubted = {each.model for each in import_prices(shipped()).findings if each.severity is Severity.doubtful}
        assert len(doubted) <= 12

    @pytest.mark.parametrize(
        ("mistake", "factor"),
        [
            ("both 1,000 times too high", 1_000.0),
            ("both 1/1,000", 0.001),
            ("both 100 times too high", 100.0),
            ("both 1/100", 0.01),
        ],
    )
    def test_planted_units_are_caught_as_often_as_the_documentation_says(self, mistake: str, factor: float) -> None:
        page = (ROOT / "docs" / "prices.md").read_text()
        (stated,) = re.findall(rf"^\| {mistake} \| ([\d.]+)% \| ([\d.]+)% \| ([\d.]+)% \|$", page, re.MULTILINE)
        assert shares_caught(factor, *WHOLE_KEYS) == [float(share) for share in stated]

    @pytest.mark.parametrize("key", WHOLE_KEYS)
    @pytest.mark.parametrize("factor", [1_000.0, 0.001])
    def test_a_planted_unit_on_one_side_is_never_missed(self, factor: float, key: str) -> None:
        refused, _, missed = shares_caught(factor, key)
        assert refused >= 99.9
        assert missed == 0

    @pytest.mark.skipif(not HISTORY.exists(), reason="the history is not beside the repository (../shared/data/prices)")
    def test_the_mistakes_of_an_older_list_that_were_mended_since_are_caught(self) -> None:
        """A price per thousand tokens, and output prices a hundred times too small."""
        rows = gzip.decompress(HISTORY.read_bytes()).decode().splitlines()
        text = "\n".join(line for line in rows if '"2025-09"' in line)
        result = import_prices(parse_price_list(text, path=HISTORY.name))
        refused = {(each.model, each.check) for each in result.findings if each.severity is Severity.refused}
        assert refused >= {
            ("watsonx/ibm/granite-3-8b-instruct", "too-dear"),
            ("oci/xai.grok-3", "peers"),
            ("oci/xai.grok-4", "peers"),
        }
