"""`banditroute evaluate` as a user runs it: what it says of a sound log, and of all that may be wrong with one."""

from __future__ import annotations

import gzip
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.cli.app import run

MAIN = [sys.executable, "-W", "error", "-c", "from banditroute.cli import main; main()"]
MODELS = ("large", "mid", "small")
QUALITY = {"large": 0.9, "mid": 0.8, "small": 0.6}
USD = {"large": 0.01, "mid": 0.001, "small": 0.0001}

Row = dict[str, Any]
Mend = Callable[[Row], None]


def rows(count: int, *, seed: int = 0, policy: str = "prod") -> list[Row]:
    """Decisions drawn by chances that change from row to row."""
    rng, made = random.Random(seed), []
    for i in range(count):
        parts = [rng.uniform(0.1, 1.0) for _ in MODELS]
        chances = {model: part / sum(parts) for model, part in zip(MODELS, parts, strict=True)}
        [chosen] = rng.choices(MODELS, list(chances.values()))
        made.append(
            {
                "decision_id": f"{policy}-{i}",
                "at": 1.7e9 + i,
                "task": ("qa", "code")[i % 2],
                "input_tokens": rng.randint(10, 900),
                "output_tokens": rng.randint(5, 500),
                "eligible": list(MODELS),
                "chosen": chosen,
                "served": chosen,
                "propensity": chances[chosen],
                "propensities": chances,
                "quality": float(rng.random() < QUALITY[chosen]),
                "cost_usd": USD[chosen] * rng.uniform(0.5, 1.5),
                "latency_s": rng.uniform(0.2, 3.0),
                "policy": policy,
            }
        )
    return made


def write(folder: Path, made: Iterable[Row], name: str = "log.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in made))
    return path


def evaluated(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> dict[str, Any]:
    code = run(["evaluate", str(path), "--json", *arguments])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return orjson.loads(out)


def refused(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> str:
    """The one line that is said, without the path that it starts with."""
    code = run(["evaluate", str(path), "--json", *arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    return err.rstrip("\n").removeprefix(str(path)).removeprefix(":")


def numbers(found: object) -> Iterable[float]:
    if isinstance(found, dict):
        for each in found.values():
            yield from numbers(each)
    elif isinstance(found, list):
        for each in found:
            yield from numbers(each)
    elif isinstance(found, int | float):
        yield found


def test_a_sound_log_is_evaluated_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, rows(1500))
    command = [*MAIN, "evaluate", str(path), "--json", "--policy", "fixed:large", "--policy", "uniform"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = orjson.loads(done.stdout)
    assert (found["rows"], found["used"], found["set_aside"]) == (1500, 1500, [])
    assert [each["policy"] for each in found["policies"]] == ["fixed:large", "uniform"]
    assert found["ess"] == found["policies"][0]["ess"] > 100
    assert found["policies"][0]["carries"] is True
    assert {each["estimator"] for each in found["estimates"]} == {"ips", "snips", "dm", "dr", "switch-dr"}
    [dr] = [each for each in found["estimates"] if (each["policy"], each["estimator"]) == ("fixed:large", "dr")]
    assert dr["quality"]["ci95"][0] < 0.9 < dr["quality"]["ci95"][1]
    assert dr["cost_usd"]["ci95"][0] < 0.01 < dr["cost_usd"]["ci95"][1]
    assert dr["quality"]["anytime95"][0] < dr["quality"]["ci95"][0], "what holds always is wider"
    assert all(math.isfinite(value) for value in numbers(found))


def change(**values: object) -> Mend:
    return lambda row: row.update(values)


def among(**values: object) -> Mend:
    return lambda row: row["propensities"].update(values)


LEAVE_OUT = "mend them, or go on without them by --leave-out"
FLAWS: dict[str, tuple[Mend, str]] = {
    "propensity of 0": (
        change(propensity=0.0),
        "propensity is 0 or below: what was chosen could not have been",
    ),
    "negative propensity": (
        change(propensity=-0.5),
        "propensity is 0 or below: what was chosen could not have been",
    ),
    "propensity above 1": (change(propensity=1.5), "propensity is above 1"),
    "propensity next to nothing": (
        change(propensity=1e-300, propensities=None),
        "propensity is below 1e-09: what was chosen could hardly have been",
    ),
    "propensity of another": (change(propensity=0.987654), "propensity is not that of chosen in propensities"),
    "propensity left out": (change(propensity=None), "propensities are given, and propensity is not"),
    "propensities above 1 in all": (among(small=0.99, mid=0.99), "propensities do not sum to 1"),
    "negative among propensities": (among(small=-0.1), "propensities has a negative one"),
    "propensity of no eligible model": (among(huge=0.1), "propensities has a model that is not among eligible"),
    "chosen outside eligible": (change(eligible=["huge"]), "chosen is not among eligible"),
    "duplicated id": (change(decision_id="prod-1"), "decision_id stands in the log already"),
}


@pytest.mark.parametrize("name", FLAWS)
def test_rows_that_cannot_be_evidence_are_refused_with_their_number_and_their_reason(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mend, reason = FLAWS[name]
    made = rows(60)
    for at in (20, 30):
        mend(made[at])
    path = write(tmp_path, made)
    said = f" 2 of 60 rows cannot be evidence: 2 x {reason} (first on line 21); {LEAVE_OUT}"
    assert refused(capsys, path) == said


@pytest.mark.parametrize("name", FLAWS)
def test_or_they_are_left_out_and_counted(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mend, reason = FLAWS[name]
    made = rows(60)
    sound = [row for at, row in enumerate(rows(60)) if at not in (20, 30)]
    for at in (20, 30):
        mend(made[at])
    asked = ("--policy", "uniform", "--estimator", "ips")
    found = evaluated(capsys, write(tmp_path, made), "--leave-out", *asked)
    assert (found["rows"], found["used"]) == (60, 58)
    assert found["set_aside"] == [{"reason": reason, "rows": 2, "first_line": 21}]
    assert found["estimates"] == evaluated(capsys, write(tmp_path, sound), *asked)["estimates"]


def test_every_reason_is_counted_for_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = rows(40)
    made[3]["propensity"] = 0.0
    made[5]["propensity"] = 2.0
    made[9]["propensity"] = 0.0
    said = refused(capsys, write(tmp_path, made))
    assert "3 of 40 rows" in said
    assert "2 x propensity is 0 or below: what was chosen could not have been (first on line 4); 1 x" in said
    assert "1 x propensity is above 1 (first on line 6)" in said


WRONG: dict[str, tuple[Mend, str]] = {
    "quality above 1": (change(quality=1.2), "quality: is 1.2, above 1"),
    "quality below 0": (change(quality=-0.1), "quality: is -0.1, below 0"),
    "quality as text": (change(quality="0.5"), 'quality: is "0.5", not a number'),
    "quality as a truth": (change(quality=True), "quality: is true, not a number"),
    "negative dollars": (change(cost_usd=-1), "cost_usd: is -1, below 0"),
    "dollars beyond sense": (change(cost_usd=1e300), "cost_usd: is 1e+300, above 1e+09"),
    "no dollars": (lambda row: row.pop("cost_usd"), "cost_usd: is missing"),
    "no latency": (change(latency_s=None), "latency_s: is missing"),
    "id as a number": (change(decision_id=5), "decision_id: is 5, not text"),
    "eligible as text": (change(eligible="small"), 'eligible: is "small", not a list;'),
    "nothing eligible": (change(eligible=[]), "eligible: is empty"),
    "propensities as a list": (change(propensities=[0.5, 0.5]), "propensities: is [0.5, 0.5], not an object"),
    "propensity as text": (change(propensity="0.5"), 'propensity: is "0.5", not a number'),
    "features on one row alone": (change(features=[1.0]), "features: 1 features where other rows have 0"),
    "half a token": (change(input_tokens=1.5), "input_tokens: is 1.5, not a whole number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_values_of_the_wrong_kind_are_refused_with_their_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mend, problem = WRONG[name]
    made = rows(20)
    mend(made[10])
    path = write(tmp_path, made)
    for arguments in ((), ("--leave-out",)):
        said = refused(capsys, path, *arguments)
        assert said.startswith(f"11: {problem}"), said
        assert "; " in said, "it says what to do"


@pytest.mark.parametrize("field", ["quality", "propensity", "cost_usd", "latency_s"])
@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_is_refused(
    field: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rows(5)
    made[2][field] = "HERE"
    path = write(tmp_path, made)
    path.write_text(path.read_text().replace('"HERE"', word))
    assert refused(capsys, path).startswith(f"3: {field}: is NaN or infinite")


FILES: dict[str, tuple[str, bytes, str]] = {
    "empty": ("log.jsonl", b"", " has no rows"),
    "blank": ("log.jsonl", b"\n \n", " has no rows"),
    "not JSON": ("log.jsonl", b'{"decision_id":\n', "1: is not JSON"),
    "a list a line": ("log.jsonl", b"[1, 2]\n", "1: is [1, 2], not an object"),
    "not UTF-8": ("log.jsonl", b'\n{"decision_id": "\xff"}\n', "2: byte 0xff is not UTF-8"),
    "gzip cut off": ("log.jsonl.gz", gzip.compress(b"{}\n" * 999)[:-12], " is cut off"),
    "not gzip": ("log.jsonl.gz", b"{}\n", " is not sound gzip"),
    "another ending": ("log.csv", b"decision_id\n", " is not named like a decision log; end its name in .jsonl"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_logs_are_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data, problem = FILES[name]
    path = tmp_path / file
    path.write_bytes(data)
    assert refused(capsys, path).startswith(problem)


def test_a_file_that_is_not_there_or_a_directory_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, tmp_path / "none.jsonl").startswith(" there is no such file")
    assert refused(capsys, tmp_path).startswith(" is a directory")


def test_a_log_without_propensities_says_nothing_of_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = rows(30)
    for row in made:
        row.update(propensity=None, propensities=None)
    said = refused(capsys, write(tmp_path, made))
    assert "propensity: none of the 30 decisions has a propensity" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policy", "fixed:lrge"), "--policy: the log has no model 'lrge'; did you mean 'large'? choose from:"),
        (("--policy", "unifrm"), "--policy: no policy is called 'unifrm'; did you mean 'uniform'?"),
        (("--policy", "shadow"), "--policy: no policy decided beside the one that logged"),
        (("--policy", "none.toml"), "none.toml: cannot be read: no such file"),
        (("--log-policy", "prd"), "--log-policy: no row was logged by 'prd'; did you mean 'prod'? choose from: prod"),
        (("--estimator", "magic"), "Invalid value for '--estimator'"),
        (("--seed", "-1"), "Invalid value for '--seed'"),
    ],
)
def test_choices_that_the_log_does_not_offer_are_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, write(tmp_path, rows(10)), *arguments).startswith(said)


def test_policies_that_logged_together_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By chance and pinned, of one name and of another: every row is counted somewhere."""
    one, other, pinned = (rows(n, seed=n, policy=name) for n, name in ((120, "one"), (60, "other"), (40, "pinned")))
    for row in pinned:
        row.update(propensity=None, propensities=None)
    path = write(tmp_path, [*pinned, *one, *other])
    found = evaluated(capsys, path, "--policy", "uniform")
    assert (found["rows"], found["used"]) == (220, 180)
    counts = {each["policy"]: (each["rows"], each["drawn"], each["judged"]) for each in found["logged"]}
    assert counts == {"one": (120, 120, 120), "other": (60, 60, 60), "pinned": (40, 0, 40)}
    assert [(each["rows"], each["reason"][:23]) for each in found["set_aside"]] == [(40, "decided without chance:")]
    assert any("Several policies logged" in note for note in found["notes"])
    alone = evaluated(capsys, path, "--policy", "uniform", "--log-policy", "one")
    assert (alone["rows"], alone["used"]) == (120, 120)
    assert [each["policy"] for each in alone["logged"]] == ["one"]


def test_a_model_that_the_log_could_not_draw_gets_no_number_and_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rows(150)
    for row in made:
        row["eligible"].append("new")
        row["propensities"]["new"] = 0.0
    found = evaluated(capsys, write(tmp_path, made), "--policy", "fixed:new")
    assert (found["ess"], found["policies"][0]["carries"]) == (0, False)
    assert found["verdict"].startswith("No verdict: 100% of what fixed:new would choose")
    for each in found["estimates"]:
        assert each["quality"]["ci95"] == [None, None]
        assert each["cost_usd"]["ci95"] == [None, None]


def test_answers_that_nobody_judged_are_not_taken_for_bad_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rows(900)
    for row in made:
        if row["chosen"] == "large":
            del row["quality"]
    path = write(tmp_path, made)
    found = evaluated(capsys, path, "--policy", "fixed:large", "--policy", "uniform", "--policy", "fixed:small")
    by_name = {each["policy"]: each for each in found["policies"]}
    assert by_name["fixed:large"]["ess_judged"] == 0
    assert by_name["fixed:large"]["verdict"] == ("No verdict: no decision that fixed:large could have made was judged.")
    assert not by_name["uniform"]["carries"]
    assert "33% of what uniform would choose are models of which nobody judged" in by_name["uniform"]["verdict"]
    assert by_name["fixed:small"]["carries"]
    for row in made:
        row.pop("quality", None)
    unjudged = evaluated(capsys, write(tmp_path, made), "--policy", "uniform")
    assert [each["quality"] for each in unjudged["estimates"]] == [None] * 5
    assert "nobody judged an answer" in unjudged["verdict"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_decisions_is_no_reason_to_fail(
    count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(capsys, write(tmp_path, rows(count)))
    assert not any(each["carries"] for each in found["policies"])
    assert all(each["verdict"].startswith("No verdict") for each in found["policies"])


def test_rows_may_stand_in_any_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that say when are put in the order of time, which is what every-look intervals rest on."""
    made, shuffled = rows(200), rows(200)
    random.Random(1).shuffle(shuffled)
    asked = ("--policy", "uniform")
    first, second = (evaluated(capsys, write(tmp_path, each), *asked) for each in (made, shuffled))
    assert first == second


def test_names_that_would_play_with_a_terminal_are_shown_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = orjson.dumps(rows(30)).replace(b'"small"', b'"\\u001b[31msmall\\n"')
    path = write(tmp_path, orjson.loads(made))
    assert run(["evaluate", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out
    assert "[31msmall" in out
    assert err == ""
    said = refused(capsys, path, "--policy", "fixed:smal")
    assert said.startswith("--policy: the log has no model 'smal'")
    assert "\\x1b[31msmall\\n" in said


def test_a_hundred_thousand_decisions_take_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bound is generous: it takes under 9 s on one core of two that are busy."""
    few = rows(2000)
    path = tmp_path / "log.jsonl"
    with path.open("wb") as file:
        for copy in range(50):
            for row in few:
                file.write(orjson.dumps({**row, "decision_id": f"{copy}-{row['decision_id']}"}) + b"\n")
    start = time.monotonic()
    found = evaluated(capsys, path, "--policy", "fixed:large", "--estimator", "dr")
    assert time.monotonic() - start < 60
    assert (found["rows"], found["used"]) == (100_000, 100_000)
