import json
from pathlib import Path
from typing import Any

import pytest

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.estimating import ASSUMED_TOKENS, estimate_cost
from banditroute.benching.planning import BenchPlan, plan_bench
from banditroute.benching.prompts import read_prompts
from banditroute.config import load_config
from banditroute.errors import ConfigError, InputError

MODELS = """
[[providers]]
name = "host"
kind = "openai"
base_url = "http://127.0.0.1:9/v1"

[[providers]]
name = "elsewhere"
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
api_key_env = "NOT_SET"

[[models]]
name = "small"
provider = "host"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 10.0
max_output_tokens = 1000
context_window = 2000

[[models]]
name = "free"
provider = "elsewhere"
input_usd_per_mtok = 0.0
output_usd_per_mtok = 0.0

[[models]]
name = "referee"
provider = "host"
input_usd_per_mtok = 2.0
output_usd_per_mtok = 4.0
max_output_tokens = 50
routed = false
"""
GRADER = '[[graders]]\nname = "right"\nkind = "exact"\n'
JUDGE = '[[judges]]\nname = "judge"\nmodel = "referee"\ntasks = ["qa"]\n'


def plan(tmp_path: Path, rows: list[dict[str, Any]], grading: str = GRADER, **settings: Any) -> BenchPlan:
    config, prompts = tmp_path / "router.toml", tmp_path / "p.jsonl"
    config.write_text(MODELS + grading)
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return plan_bench(load_config(config), read_prompts(prompts), **settings)


QA = {"id": "a", "prompt": "x" * 384, "task": "qa"}  # 100 tokens by the library's count


def test_every_model_that_is_routed_to_is_asked_in_the_pools_order(tmp_path: Path) -> None:
    found = plan(tmp_path, [QA, QA | {"id": "b"}], repeats=3)
    assert (found.models, found.planned) == (("small", "free"), 12)
    assert sorted(found.turns()) == [(row, turn) for row in (0, 1) for turn in (1, 2, 3)]
    assert [provider.name for provider in found.router.providers] == ["host", "elsewhere"]


def test_the_order_of_models_is_drawn_for_each_prompt_and_turn_and_stays(tmp_path: Path) -> None:
    rows = [QA | {"id": f"p{n}"} for n in range(50)]
    found, again = plan(tmp_path, rows, repeats=2), plan(tmp_path, rows[::-1], repeats=2)
    orders = {key: tuple(found.order(*key)) for key in found.turns()}
    assert all(sorted(order) == ["free", "small"] for order in orders.values())
    assert 30 <= sum(order[0] == "small" for order in orders.values()) <= 70
    assert any(orders[row, 1] != orders[row, 2] for row in range(50))
    assert all(tuple(again.order(49 - row, turn)) == order for (row, turn), order in orders.items())


def test_only_what_is_asked_needs_its_keys(tmp_path: Path) -> None:
    found = plan(tmp_path, [QA], models=["small"])
    assert found.router.catalog.names == ("small",)
    assert [provider.name for provider in found.router.providers] == ["host"]
    assert plan(tmp_path, [QA], grading=JUDGE, models=["small"]).router.catalog.names == ("small", "referee")


def test_prompts_without_a_task_are_classified(tmp_path: Path) -> None:
    found = plan(tmp_path, [{"prompt": "Write a Python function that reverses a linked list, with tests."}, QA])
    assert found.tasks[1] == "qa"
    assert "code" in found.tasks[0]


def test_a_limit_of_tokens_is_for_prompts_that_name_none(tmp_path: Path) -> None:
    rows = [QA, QA | {"id": "b", "max_tokens": 7}]
    found = plan(tmp_path, rows, max_tokens=20)
    assert [row.request.params["max_tokens"] for row in found.prompts.rows] == [20, 7]


def test_without_anybody_who_grades_there_is_nothing_to_find_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"router\.toml: nobody grades.*; add \[\[graders\]\] or \[\[judges\]\]"):
        plan(tmp_path, [QA], grading="")


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model is named 'smal'; did you mean 'small'\?"):
        plan(tmp_path, [QA], models=["smal"])


def test_a_repeat_may_not_take_anothers_id(tmp_path: Path) -> None:
    rows = [QA, QA | {"id": "a#2"}]
    assert plan(tmp_path, rows).repeats == 1
    with pytest.raises(InputError, match="'a#2' is what 'a' is called when it is asked again"):
        plan(tmp_path, rows, repeats=2)


def test_an_estimate_by_hand(tmp_path: Path) -> None:
    small, free = estimate_cost(plan(tmp_path, [QA])).models
    assert (small.calls, small.input_tokens, small.answer_tokens, small.seen) == (1, 100, ASSUMED_TOKENS, False)
    assert small.likely_usd == pytest.approx((100 * 1 + 500 * 10) / 1e6)
    assert small.low_usd == pytest.approx((100 * 1 + 125 * 10) / 1e6)
    assert small.most_usd == pytest.approx((125 * 1 + 1000 * 10) / 1e6)
    assert (free.likely_usd, free.most_usd) == (0.0, 0.0)


def test_an_estimate_learns_from_answers_and_leaves_out_what_is_done(tmp_path: Path) -> None:
    rows = [QA | {"id": f"p{n}"} for n in range(8)]
    keys = [CallKey(f"p{n}", "small") for n in range(6)]
    found = estimate_cost(plan(tmp_path, rows), {key: FinishedCall(key, output_tokens=40) for key in keys}, 0.5)
    small, free = found.models
    assert (small.calls, small.answer_tokens, small.seen) == (2, 40, True)
    assert (free.calls, free.seen) == (8, False)
    assert small.likely_usd == pytest.approx(2 * (100 * 1 + 40 * 10) / 1e6)
    assert (found.calls, found.spent_usd) == (10, 0.5)


def test_an_estimate_counts_judges_where_they_judge(tmp_path: Path) -> None:
    found = estimate_cost(plan(tmp_path, [QA, QA | {"id": "b", "task": "chat"}], grading=JUDGE, models=["small"]))
    alone = estimate_cost(plan(tmp_path, [QA, QA | {"id": "b", "task": "chat"}], models=["small"]))
    assert found.judging.likely_usd > 700 * 2.0 / 1e6  # the prompt, an answer of 500 tokens, and the judge's frame
    assert found.judging.most_usd > found.judging.likely_usd
    assert found.likely_usd == pytest.approx(alone.likely_usd + found.judging.likely_usd)
    assert alone.judging.likely_usd == 0.0


def test_prompts_that_a_model_may_not_serve_cost_nothing_and_are_counted(tmp_path: Path) -> None:
    small, free = estimate_cost(plan(tmp_path, [QA, {"id": "long", "prompt": "x" * 9_000, "task": "qa"}])).models
    assert (small.calls, small.unfit) == (1, 1)
    assert (free.calls, free.unfit) == (2, 0)


def test_an_estimate_without_bounds_has_no_upper_end(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    MORE = MODELS.replace("max_output_tokens = 1000\ncontext_window = 2000\n", "")
    config, prompts = tmp_path / "x" / "router.toml", tmp_path / "x" / "p.jsonl"
    config.write_text(MORE + GRADER)
    prompts.write_text(json.dumps(QA) + "\n")
    found = estimate_cost(plan_bench(load_config(config), read_prompts(prompts)))
    assert found.most_usd == float("inf")
