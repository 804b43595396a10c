"""Paced caps of a live router: they steer before they bind, what they know survives a restart, inspect shows it."""

import asyncio
import json
import time

from banditroute.cli.app import run

PROMPT = "What is the capital of France, and since when has it been the capital of it?"
SQLITE = {"kind": "sqlite", "path": "live.db"}
CAP = {"name": "day", "usd": 0.01, "per": "day"}


async def a_catalog(lab):
    """A dear model whose answers are liked a little more than those of a cheap one."""
    server = await lab.server()
    return {"dear": lab.served(server, input_usd_per_mtok=20.0, output_usd_per_mtok=40.0), "cheap": server}


async def ask(router, requests):
    answers = []
    for _ in range(requests):
        answer = await router.chat(PROMPT, max_tokens=6)
        await router.feedback(answer.decision_id, quality=0.9 if answer.model == "dear" else 0.85)
        answers.append(answer)
    return answers


async def test_a_paced_cap_has_a_price_and_spares_the_dear_model(lab):
    """Sixty requests in a moment, as if a day of them were to come: a cent is to last."""
    router = await lab.router(await a_catalog(lab), budgets=[CAP])
    answers = await ask(router, 60)
    assert answers[0].decision.shadow_prices["day"] > 0
    assert sum(answer.model == "dear" for answer in answers[20:]) < 8
    (account,) = router.learner.ledger.accounts(time.time())
    assert account.left_usd > 0.005


async def test_one_that_is_not_paced_prices_nothing_and_lets_money_flow(lab):
    router = await lab.router(await a_catalog(lab), budgets=[{**CAP, "paced": False}])
    answers = await ask(router, 60)
    assert "day" not in answers[-1].decision.shadow_prices
    assert sum(answer.model == "dear" for answer in answers) > 8


async def test_what_it_knows_survives_a_restart_and_is_inspected(lab, capsys):
    models, budgets = await a_catalog(lab), [CAP, {**CAP, "name": "acme", "scope": "tenant:acme"}]
    router = await lab.router(models, budgets=budgets, store=SQLITE)
    await ask(router, 40)
    before = {record.budget: record for record in router.learner.decider.paces}
    await router.aclose()
    capsys.readouterr()
    command = ["inspect", "--config", str(lab.folder / "router.toml"), "--json"]
    assert await asyncio.to_thread(run, command) == 0  # it has an event loop of its own
    caps = {cap["budget"]: cap for cap in json.loads(capsys.readouterr().out)["caps"]}
    outlook = caps["day"]["outlook"]
    assert outlook["requests"] == 40
    assert outlook["requests_to_come"] > 1
    assert caps["day"]["spent_usd"] <= outlook["spent_at_end_usd"] <= caps["day"]["usd"]
    assert caps["acme"]["outlook"] is None
    assert await asyncio.to_thread(run, command[:-1]) == 0
    shown = capsys.readouterr().out
    assert "Paced caps, to the end of their windows" in shown
    assert "spent by then" in shown
    again = await lab.router(models, budgets=budgets, store=SQLITE)
    after = {record.budget: record for record in again.learner.decider.paces}
    assert after["day"] == before["day"]
    assert "day" in (await ask(again, 1))[0].decision.shadow_prices
