"""Benchmarks on loopback: rate limits, kills, limits of dollars, judges; what is paid once is never paid again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from banditroute.benching.bench import bench, journal_of, preview
from banditroute.benching.planning import BenchPlan, plan_bench
from banditroute.benching.prompts import read_prompts
from banditroute.benching.results import BenchResult
from banditroute.benching.running import Progress
from banditroute.benching.settings import Patience, RunSettings
from banditroute.config import load_config
from banditroute.errors import ConfigError, InputError
from banditroute.simulation.loading import load_table
from banditroute.simulation.run import simulate
from banditroute.testing.faults import FAULTS
from banditroute.testing.faulty_exchange import Exchange, completion
from banditroute.testing.faulty_server import FaultyServer

HASTE = RunSettings(concurrency=4, patience=Patience(tries=2, longest_s=2.0, failures=50))
GRADER = '[[graders]]\nname = "right"\nkind = "exact"\n'
JUDGE = '[[judges]]\nname = "judge"\nmodel = "referee"\nshare = 0.05\n'

Trouble = Callable[[Exchange], Awaitable[bool]]
"""Answers a request in its own way, or says that it does not."""


class Pool:
    """A server of several models that counts what it has answered, and the files of one benchmark.

    Attributes:
        trouble: what comes before a good answer.
        answered: good answers by model and prompt.
        asked: requests by model.
        says: what each model answers to everything.
    """

    def __init__(self, folder: Path, server: FaultyServer) -> None:
        self.folder = folder
        self.server = server
        self.trouble: Trouble | None = None
        self.answered: Counter[tuple[str, str]] = Counter()
        self.asked: Counter[str] = Counter()
        self.says = {"good": "Paris", "poor": "Lyon", "referee": '{"score": 8}'}
        self.wait_s = 0.0
        self.out = folder / "out.jsonl"
        server.default = self._answer
        self.write()

    async def _answer(self, exchange: Exchange) -> None:
        model = exchange.body["model"]
        self.asked[model] += 1
        if self.trouble is not None and await self.trouble(exchange):
            return
        await asyncio.sleep(self.wait_s)
        self.answered[model, exchange.body["messages"][-1]["content"]] += 1
        message = {"role": "assistant", "content": self.says[model]}
        exchange.reply(200, completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}]))

    def write(self, *, prompts: int = 10, grading: str = GRADER, more: str = "", price: float = 1.0) -> None:
        """Writes the configuration and the prompts."""
        host = f'[[providers]]\nname = "host"\nkind = "openai"\nbase_url = "{self.server.base_url}"\n'
        rates = f"input_usd_per_mtok = {price}\noutput_usd_per_mtok = 2.0\nmax_output_tokens = 100\n"
        models = "".join(
            f'[[models]]\nname = "{name}"\nprovider = "host"\n{rates}routed = {str(name != "referee").lower()}\n'
            for name in self.says
        )
        quick = "[breaker]\nopen_s = 0.05\n[retry]\nbase_s = 0.01\ncap_s = 0.05\n"
        self.config.write_text(host + models + grading + quick + more)
        rows = [
            {"id": f"p{n}", "prompt": f"Capital, {n}?", "task": "qa" if n % 2 else "chat", "expected": "Paris"}
            for n in range(prompts)
        ]
        self.prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))

    @property
    def config(self) -> Path:
        return self.folder / "router.toml"

    @property
    def prompts(self) -> Path:
        return self.folder / "prompts.jsonl"

    def plan(self, **settings: Any) -> BenchPlan:
        return plan_bench(load_config(self.config), read_prompts(self.prompts), **settings)

    async def run(self, settings: RunSettings = HASTE, **planned: Any) -> BenchResult:
        return await bench(self.plan(**planned), self.out, settings, environ={})

    def command(self, *options: str) -> Sequence[str]:
        """The command line of the benchmark."""
        run = "import sys; from banditroute.cli import main; main()"
        paths = (str(self.prompts), "--config", str(self.config), "--out", str(self.out))
        return (sys.executable, "-c", run, "bench", *paths, *options)

    def journal(self, kind: str) -> list[Mapping[str, Any]]:
        """The journal's whole lines of a kind."""
        lines = journal_of(self.out).read_bytes().split(b"\n")[:-1]
        return [line for line in map(json.loads, lines) if line["kind"] == kind]


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Pool]:
    async with FaultyServer() as server:
        yield Pool(tmp_path, server)


def every(nth: int, fault: str, model: str | None = None) -> Trouble:
    """A fault for every nth request, or every nth of a model."""
    seen: Counter[str] = Counter()

    async def trouble(exchange: Exchange) -> bool:
        name = exchange.body["model"]
        seen[name] += 1
        if (model is not None and name != model) or seen[name] % nth:
            return False
        await FAULTS[fault](exchange)
        return True

    return trouble


async def output_of(command: Sequence[str]) -> tuple[int | None, str, str]:
    """A command's exit code, output and errors."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_rate_limits_are_waited_out_and_the_table_feeds_simulate(pool: Pool) -> None:
    pool.trouble = every(4, "429-ms")
    result = await pool.run()
    assert result.complete
    assert not result.failures
    assert set(pool.answered.values()) == {1}
    assert sum(pool.asked.values()) > 20  # some were told to come back
    assert [row.quality.value for row in result.rows_of() if row.quality] == [1.0, 0.0]
    table = load_table(pool.out)
    assert table.models == ("good", "poor")
    assert table.ids == tuple(f"p{n}" for n in range(10))
    assert table.tasks == ("chat", "qa")
    assert result.spent_usd == pytest.approx(float(table.cost_usd.sum()))
    simulated = simulate(table, policies=("thompson",), seeds=[0])
    assert simulated.fixed["good"].quality == 1.0
    assert simulated.requests == 10


async def test_after_kill_9_no_finished_call_is_made_again(pool: Pool) -> None:
    pool.write(prompts=30)
    pool.wait_s = 0.03
    process = await asyncio.create_subprocess_exec(*pool.command("--concurrency", "4"), stdout=asyncio.subprocess.PIPE)
    while sum(pool.answered.values()) < 20 and process.returncode is None:
        await asyncio.sleep(0.005)
    process.kill()
    await process.communicate()
    finished = {(call["model"], f"Capital, {call['id'][1:]}?") for call in pool.journal("call")}
    assert 10 <= len(finished) < 60
    pool.wait_s = 0.0
    result = await pool.run()
    assert result.complete
    assert all(pool.answered[call] == 1 for call in finished)
    assert len(pool.answered) == 60
    assert sum(pool.answered.values()) <= 60 + 4  # what was under way at the kill
    assert load_table(pool.out).requests == 30
    again = await pool.run()
    assert sum(pool.answered.values()) <= 60 + 4
    assert again.rows == result.rows


async def test_a_call_whose_line_was_cut_by_the_kill_is_made_again(pool: Pool) -> None:
    await pool.run()
    lines = journal_of(pool.out).read_bytes()
    journal_of(pool.out).write_bytes(lines[:-20])
    result = await pool.run()
    assert result.complete
    assert sum(pool.answered.values()) == 21
    assert any("cut off" in note for note in result.notes)  # its dollars may be gone, and are counted


async def test_cancelled_in_mid_run_it_goes_on_from_there(pool: Pool) -> None:
    pool.wait_s = 0.02
    running = asyncio.create_task(pool.run())
    while len(pool.answered) < 10:
        await asyncio.sleep(0.005)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    kept = len(pool.journal("call"))
    assert 4 <= kept < 20
    assert (await pool.run()).complete
    assert sum(pool.answered.values()) <= 24


async def test_interrupted_at_the_keyboard_it_says_how_to_go_on(pool: Pool) -> None:
    pool.write(prompts=40)
    pool.wait_s = 0.05
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*pool.command(), stdout=pipe, stderr=pipe)
    while len(pool.answered) < 20:
        await asyncio.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    assert err.decode() == f"interrupted; what is finished is kept in {journal_of(pool.out)}: run it again to go on\n"
    assert 0 < len(pool.journal("call")) < 80


async def test_the_limit_of_dollars_holds_in_the_worst_case(pool: Pool) -> None:
    limit_usd = 0.0005  # a call may cost $0.00021, and costs $0.00003
    result = await pool.run(replace(HASTE, most_usd=limit_usd))
    assert not result.complete
    assert 0 < result.spent_usd <= limit_usd
    assert any("limit of dollars" in note for note in result.notes)
    assert any("still to be made" in note for note in result.notes)
    before = dict(pool.answered)
    begun = max(call["most_usd"] for call in pool.journal("begun"))
    assert result.spent_usd + begun > limit_usd  # it stopped no sooner than it had to
    assert (await pool.run(replace(HASTE, most_usd=1.0))).complete
    assert all(pool.answered[call] == 1 for call in before)


async def test_a_limit_needs_answers_that_are_bounded(pool: Pool) -> None:
    pool.config.write_text(pool.config.read_text().replace("max_output_tokens = 100\n", ""))
    with pytest.raises(ConfigError, match="nothing bounds what an answer of good"):
        await pool.run(replace(HASTE, most_usd=1.0))
    assert not pool.asked
    assert not journal_of(pool.out).exists()  # nothing was begun that other settings would have to go with
    assert (await pool.run(replace(HASTE, most_usd=1.0), max_tokens=50)).complete


async def test_what_has_changed_is_named_and_refused(pool: Pool) -> None:
    await pool.run()
    pool.write(price=3.0)
    with pytest.raises(InputError, match=r"out\.jsonl\.calls: changed since it was begun: model good, model poor; "):
        await pool.run()
    pool.write(prompts=11)
    with pytest.raises(InputError, match="changed since it was begun: the prompts; "):
        await pool.run()
    pool.write(grading=GRADER + "options = { ignore_case = false }\n")
    with pytest.raises(InputError, match="changed since it was begun: graders or judges; "):
        preview(pool.plan(), pool.out)
    assert sum(pool.asked.values()) == 20


async def test_time_limits_and_budgets_may_change_and_models_may_join(pool: Pool) -> None:
    assert (await pool.run(models=["good"])).models == ("good",)
    pool.write(more="[timeouts]\nwhole_s = 9.0\n[[budgets]]\nusd_per_request = 0.1\n")
    assert (await pool.run()).models == ("good", "poor")
    assert set(pool.answered.values()) == {1}


async def test_a_call_that_fails_for_good_is_missing_and_counted(pool: Pool) -> None:
    pool.trouble = every(2, "400", "poor")
    result = await pool.run()
    assert result.row("poor").failures == {"RejectedError": 5}
    assert result.row("poor").quality is not None
    table = load_table(pool.out)
    assert table.observed.sum(axis=0).tolist() == [10, 5]
    await pool.run()
    assert pool.asked["poor"] == 10  # failed for good
    pool.trouble = None
    mended = await pool.run(replace(HASTE, retry_failed=True))
    assert not mended.failures
    assert pool.asked["poor"] == 15


async def test_a_call_is_tried_so_often_and_no_more(pool: Pool) -> None:
    pool.write(prompts=1)
    pool.trouble = every(1, "500", "poor")
    result = await pool.run(replace(HASTE, patience=Patience(tries=3, longest_s=10.0)))
    assert pool.asked["poor"] == 3
    assert result.row("poor").failures == {"ServerFailedError": 1}


async def test_a_model_in_trouble_is_waited_for_and_no_other_answers_in_its_place(pool: Pool) -> None:
    failures = 0

    async def outage(exchange: Exchange) -> bool:
        nonlocal failures
        if exchange.body["model"] != "poor" or failures >= 8:
            return False
        failures += 1
        await FAULTS["503"](exchange)
        return True

    pool.trouble = outage
    result = await pool.run()
    assert failures == 8  # which opens its circuit
    assert result.complete
    assert not result.failures
    assert sum(1 for model, _ in pool.answered if model == "poor") == 10


async def test_a_model_whose_key_is_refused_is_given_up_until_the_key_is_mended(pool: Pool) -> None:
    pool.trouble = every(1, "401", "poor")
    result = await pool.run()
    assert result.row("poor").calls == 0
    assert any(note.startswith("poor was given up: ") for note in result.notes)
    assert pool.asked["poor"] <= 4
    pool.trouble = None
    assert (await pool.run()).complete
    assert set(pool.answered.values()) == {1}


async def test_a_model_that_never_answers_is_given_up(pool: Pool) -> None:
    pool.trouble = every(1, "429-seconds", "poor")
    result = await pool.run(replace(HASTE, patience=Patience(longest_s=1.0)))
    assert result.row("good").calls == 10
    assert result.row("poor").calls == 0
    assert any("poor was given up" in note for note in result.notes)


async def test_judges_grade_every_answer_and_are_paid_apart(pool: Pool) -> None:
    pool.write(grading=JUDGE)
    estimate = preview(pool.plan())
    result = await pool.run()
    assert [row.quality.value for row in result.rows_of() if row.quality] == pytest.approx([0.8, 0.8])
    assert pool.asked["referee"] == 20  # of a share of 5%
    assert result.models == ("good", "poor")
    calls_usd = sum(row.total_usd for row in result.rows_of())
    assert result.judging_usd > 0
    assert result.spent_usd == pytest.approx(calls_usd + result.judging_usd)
    assert estimate.judging.likely_usd > 0
    assert result.spent_usd <= estimate.most_usd
    resumed = await pool.run()
    assert (resumed.spent_usd, resumed.judging_usd) == pytest.approx((result.spent_usd, result.judging_usd))


async def test_what_cannot_be_graded_has_no_quality(pool: Pool) -> None:
    pool.write(grading=JUDGE)
    pool.says["referee"] = "I would rather not say."
    result = await pool.run()
    assert [(row.answered, row.graded, row.quality) for row in result.rows_of()] == [(10, 0, None)] * 2
    assert result.row("good").ungraded == 10
    assert not pool.out.exists()
    assert any("no table" in note for note in result.notes)
    assert any("judge could not grade 20 answers" in note for note in result.notes)


async def test_a_judge_that_is_gone_ends_the_run_before_more_is_paid_for_nothing(pool: Pool) -> None:
    pool.write(grading=JUDGE, prompts=40)
    pool.trouble = every(1, "401", "referee")
    result = await pool.run()
    assert result.done < 20
    assert any(note.startswith("judge judge cannot go on, referee was given up: ") for note in result.notes)


async def test_store_and_caps_of_the_configuration_are_left_alone(pool: Pool) -> None:
    store = '[store]\nkind = "sqlite"\npath = "live.db"\n'
    pool.write(more='[[budgets]]\nusd = 0.00001\nper = "day"\non_exhausted = "reject"\n' + store)
    assert (await pool.run()).complete
    assert sorted(path.name for path in pool.folder.iterdir()) == [
        "out.jsonl",
        "out.jsonl.calls",
        "prompts.jsonl",
        "router.toml",
    ]


async def test_repeats_are_rows_of_their_own_and_one_prompt_in_the_statistics(pool: Pool) -> None:
    result = await pool.run(repeats=3)
    table = load_table(pool.out)
    assert table.ids[:3] == ("p0", "p0#2", "p0#3")
    assert table.requests == 30
    assert result.row("good").calls == 30
    assert [each.prompts for each in result.compared("quality")] == [10]


async def test_the_record_has_no_texts_unless_they_are_wanted(pool: Pool) -> None:
    await pool.run()
    kept = journal_of(pool.out).read_text() + pool.out.read_text()
    assert "Capital" not in kept
    assert "Lyon" not in kept
    pool.out = pool.folder / "texts.jsonl"
    await pool.run(replace(HASTE, keep_answers=True, keep_prompts=True))
    assert "Lyon" in journal_of(pool.out).read_text()
    assert load_table(pool.out).prompts[0] == "Capital, 0?"


async def test_a_slow_beginning_makes_no_difference_between_equal_models(pool: Pool) -> None:
    """Its first calls pay for opening connections: here 50 ms each, as many as may be under way at a time."""
    begun: list[str] = []

    async def slow_beginning(exchange: Exchange) -> bool:
        begun.append(exchange.body["model"])
        await asyncio.sleep(0.05 if len(begun) <= 8 else 0.0)
        return False

    pool.write(prompts=40)
    pool.trouble = slow_beginning
    result = await pool.run(replace(HASTE, concurrency=8))
    assert set(begun[:8]) == {"good", "poor"}
    (latency,) = result.compared("latency_s")
    assert not latency.shown, latency.verdict
    assert latency.mean.low < 0 < latency.mean.high


async def test_a_model_that_is_waited_for_keeps_no_other_waiting(pool: Pool) -> None:
    async def limited(exchange: Exchange) -> bool:
        if exchange.body["model"] != "poor":
            return False
        exchange.reply(429, {"error": {"message": "Rate limit reached."}}, {"retry-after": "30"})
        return True

    pool.trouble = limited
    running = asyncio.create_task(pool.run(replace(HASTE, concurrency=1, patience=Patience(longest_s=60.0))))
    async with asyncio.timeout(10.0):
        while sum(1 for model, _ in pool.answered if model == "good") < 9:  # the tenth is the one that waits
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    pool.trouble = None
    assert (await pool.run()).complete
    assert set(pool.answered.values()) == {1}


async def test_what_a_failed_attempt_may_have_cost_is_not_lost_while_its_call_waits(pool: Pool) -> None:
    pool.write(prompts=1, more="[timeouts]\nwhole_s = 0.1\n")
    slowly = pool.config.read_text().replace("base_s = 0.01\ncap_s = 0.05", "base_s = 60.0\ncap_s = 60.0")
    pool.config.write_text(slowly)
    pool.trouble = every(1, "hang-before-head")  # it may be billed all the same: nobody says
    running = asyncio.create_task(pool.run(models=["good"]))
    while not pool.asked:
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (begun,) = pool.journal("begun")
    assert preview(pool.plan(models=["good"]), pool.out).spent_usd == pytest.approx(begun["most_usd"])


async def test_a_full_disk_is_said_and_what_is_paid_stays_on_record(pool: Pool) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000)); "
    python, flag, run, *options = pool.command()
    code, _, err = await output_of((python, flag, limit + run, *options))
    assert code == 2
    assert err.startswith(f"{journal_of(pool.out)}: cannot be written: file too large; put that right, and run")
    assert err.count("\n") == 1
    kept = {(call["model"], f"Capital, {call['id'][1:]}?") for call in pool.journal("call")}
    assert kept
    assert (await pool.run()).complete
    assert all(pool.answered[call] == 1 for call in kept)


async def test_progress_counts_earlier_runs(pool: Pool) -> None:
    await pool.run(models=["good"])
    seen: list[Progress] = []
    await bench(pool.plan(), pool.out, HASTE, environ={}, progress=seen.append)
    assert (seen[0].done, seen[0].planned) == (10, 20)
    assert (seen[-1].done, len(seen)) == (20, 11)
    assert all(one.spent_usd <= two.spent_usd for one, two in pairwise(seen))


@pytest.mark.parametrize("ending", ["jsonl.gz", "csv"])
async def test_other_formats_are_written(pool: Pool, ending: str) -> None:
    pool.out = pool.folder / f"out.{ending}"
    await pool.run()
    assert load_table(pool.out).requests == 10


async def test_a_table_of_somebody_elses_is_not_written_over(pool: Pool) -> None:
    pool.out.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        await pool.run()
    assert pool.out.read_text() == "mine"


async def test_two_benchmarks_do_not_share_a_record(pool: Pool) -> None:
    pool.wait_s = 0.05
    first = asyncio.create_task(pool.run())
    while not pool.asked:
        await asyncio.sleep(0.005)
    with pytest.raises(InputError, match="another benchmark is writing it"):
        await pool.run()
    assert (await first).complete


async def test_the_command_prices_runs_and_tells(pool: Pool) -> None:
    code, out, _ = await output_of(pool.command("--dry-run", "--json"))
    assert code == 0
    estimate = json.loads(out)["estimate"]
    assert not pool.asked
    assert not journal_of(pool.out).exists()
    assert estimate["calls"] == 20
    assert 0 < estimate["low_usd"] < estimate["likely_usd"] <= estimate["most_usd"]
    code, out, err = await output_of(pool.command())
    assert (code, err) == (0, "")
    assert out.index("Will cost") < out.index("good is better than poor: by 1.000") < out.index("table: ")
    code, out, _ = await output_of(pool.command("--json", "--report", str(pool.folder / "page.html")))
    assert code == 0
    assert "<html" in (pool.folder / "page.html").read_text()
    found = json.loads(out)
    assert (found["complete"], found["estimate"]["calls"]) == (True, 0)
    assert [row["quality"]["value"] for row in found["rows"] if row["task"] is None] == [1.0, 0.0]
    assert found["differences"][0]["shown"]
    assert sum(pool.asked.values()) == 20


async def test_the_command_refuses_a_bad_line_in_one_line(pool: Pool) -> None:
    with pool.prompts.open("a") as file:
        file.write('{"id": "p3", "prompt": "Again?"}\n')
    code, out, err = await output_of(pool.command())
    assert (code, out) == (2, "")
    assert err == f"{pool.prompts}:11: id: 'p3' stands on line 4 already; give each prompt an id of its own\n"
