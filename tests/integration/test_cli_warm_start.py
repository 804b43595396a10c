"""`banditroute warm-start`: from a table or a log to a router whose first decision knows."""

import gzip
import json
from pathlib import Path

import pytest

from banditroute import open_router
from banditroute.cli.app import run as main
from banditroute.simulation.loading import load_table

DEMO = Path("src/banditroute/data/demo_warmup.jsonl.gz")


def _config(folder: Path, models: tuple[str, ...], extra: str = "") -> Path:
    tables = "".join(
        f'[[models]]\nname = "{name}"\nprovider = "local"\ninput_usd_per_mtok = {rate}\n'
        f"output_usd_per_mtok = {4 * rate}\nmax_output_tokens = 500\n"
        for name, rate in zip(models, (0.1, 1.0, 5.0, 10.0), strict=False)
    )
    path = folder / "router.toml"
    path.write_text(
        '[[providers]]\nname = "local"\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
        f'{tables}[[budgets]]\nusd_per_request = 0.001\n[store]\nkind = "memory"\n[routing]\nseed = 1\n{extra}'
    )
    return path


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    rows = []
    for i in range(120):
        outcomes = {
            "small": {"quality": float(i % 5 == 0), "cost_usd": 1e-5, "output_tokens": 80, "latency_s": 0.4},
            "large": {"quality": float(i % 10 != 0), "cost_usd": 1e-4, "output_tokens": 120, "latency_s": 1.5},
            "elsewhere": {"quality": 1.0, "cost_usd": 1e-4},
        }
        rows.append(json.dumps({"id": f"r{i}", "task": "qa", "input_tokens": 60, "outcomes": outcomes}))
    path = tmp_path / "outcomes.jsonl"
    path.write_text("\n".join(rows))
    return path


async def test_the_first_decision_of_a_warm_router_knows_what_was_measured(tmp_path, table_file, capsys):
    config = _config(tmp_path, ("small", "large"))
    assert main(["warm-start", str(table_file), "--config", str(config), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["config_line"] == 'warm_start = "outcomes.policy.json"'
    worth = {(edge["task"], edge["model"]): edge for edge in said["edges"]}
    assert set(worth) == {("qa", "small"), ("qa", "large")}
    assert worth["qa", "large"]["quality"] == pytest.approx(0.9, abs=0.05)
    assert worth["qa", "small"]["quality"] == pytest.approx(0.2, abs=0.05)
    assert worth["qa", "small"]["worth"] == 100

    config.write_text(config.read_text() + said["config_line"] + "\n")
    async with open_router(config) as router:
        decision = router.decide("Who wrote it?", task="qa")
    assert decision.forecasts["large"].quality == pytest.approx(0.9, abs=0.06)
    assert decision.forecasts["large"].latency_s == pytest.approx(1.5, rel=0.6)
    assert decision.propensities["large"] > 0.95
    assert next(iter(decision.shadow_prices.values())) == pytest.approx(next(iter(said["shadow_prices"].values())))


async def test_another_encoder_is_refused(tmp_path, table_file):
    config = _config(tmp_path, ("small", "large"))
    assert main(["warm-start", str(table_file), "--config", str(config)]) == 0
    other = _config(tmp_path, ("small", "large"), 'features = 3\nwarm_start = "outcomes.policy.json"\n')
    with pytest.raises(ValueError, match="their features do not mix"):
        open_router(other)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ess", "0"], "--ess"),
        (["--out", "no/such/folder/x.policy.json"], "cannot be written"),
    ],
)
def test_bad_input_is_one_line(tmp_path, table_file, capsys, arguments, words):
    config = _config(tmp_path, ("small", "large"))
    assert main(["warm-start", str(table_file), "--config", str(config), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_router_with_other_models_is_refused(tmp_path, table_file, capsys):
    config = _config(tmp_path, ("tiny", "huge"))
    assert main(["warm-start", str(table_file), "--config", str(config)]) == 2
    assert "no outcome in it is of one of the router's models: tiny, huge" in capsys.readouterr().err


def test_a_log_teaches_what_served(tmp_path, capsys):
    rows = [
        {
            "decision_id": f"d{i}",
            "task": "qa",
            "input_tokens": 50,
            "output_tokens": 40,
            "eligible": ["small", "large"],
            "chosen": "small",
            "served": "large" if i % 2 else "small",
            "propensity": 0.5,
            "quality": 0.9 if i % 2 else 0.3,
            "cost_usd": 1e-4,
            "latency_s": 1.0,
        }
        for i in range(80)
    ]
    log = tmp_path / "log.jsonl.gz"
    log.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    config = _config(tmp_path, ("small", "large"))
    assert main(["warm-start", str(log), "--config", str(config), "--json"]) == 0
    edges = {edge["model"]: edge for edge in json.loads(capsys.readouterr().out)["edges"]}
    assert edges["large"]["quality"] == pytest.approx(0.9, abs=0.05)
    assert edges["small"]["quality"] == pytest.approx(0.3, abs=0.05)


def test_the_simulator_starts_warm_too():
    from banditroute.simulation.run import simulate

    table = load_table("src/banditroute/data/demo_table.jsonl.gz").select(slice(0, 150))
    warm = load_table(DEMO)
    budget = float(table.cost_usd.mean()) / 3
    cold, started = (
        simulate(table, warm_start=start, budgets_usd=[budget], seeds=range(6)).results[0].quality.mean()
        for start in (None, warm)
    )
    assert started > cold
