"""A model that is added while the router runs: its trial, its roll-back, and what is told and shown of them."""

import asyncio
import json

from banditroute.cli.app import run
from banditroute.observe import RolloutChanged
from banditroute.routing.rollout import standings_of

ASKED = "What is the capital of France?"
QUALITY = {"small": 0.8, "fresh": 0.1}
ROLLOUT = {"deadline_s": 5.0, "seed": 7, "rollout": {"trial_share": 0.5}}


async def served(router, requests: int) -> list[str]:
    """Who served so many requests, each of them judged."""
    models = []
    for _ in range(requests):
        answer = await router.chat(ASKED, task="qa")
        await router.feedback(answer.decision_id, quality=QUALITY[answer.model])
        models.append(answer.model)
    return models


async def test_a_bad_newcomer_is_tried_told_of_and_dropped_and_stays_so_after_a_restart(lab, capsys, monkeypatch):
    server = await lab.server()
    both = {"small": server, "fresh": server}
    sections = {"routing": ROLLOUT, "store": {"kind": "sqlite"}}
    router = await lab.router({"small": server}, **sections)
    await served(router, 15)
    await router.reload(lab.write(both, **sections))
    models = await served(router, 60)
    assert 2 <= models.count("fresh") <= 20
    assert "fresh" not in models[-20:]
    told = lab.events.of(RolloutChanged)
    assert [(event.model, event.stage) for event in told] == [("fresh", "trial"), ("fresh", "rolled back")]
    (before,) = standings_of(router.learner.decider.steering)
    await router.aclose()

    again = await lab.router(both, **sections)
    (after,) = standings_of(again.learner.decider.steering)
    assert (after.stage, after.requests, after.judged) == (before.stage, before.requests, before.judged)
    assert "fresh" not in await served(again, 20)
    assert lab.events.of(RolloutChanged) == told, "nothing that was not told before"
    await again.aclose()

    inspect = ["inspect", "--config", str(lab.folder / "router.toml")]
    assert await asyncio.to_thread(run, [*inspect, "--json"]) == 0
    (newcomer,) = json.loads(capsys.readouterr().out)["newcomers"]
    assert (newcomer["model"], newcomer["stage"]) == ("fresh", "rolled back")
    assert newcomer["gain"] + newcomer["radius"] < -0.02
    monkeypatch.setenv("COLUMNS", "80")
    assert await asyncio.to_thread(run, inspect) == 0
    shown = capsys.readouterr().out
    assert "rolled back" in shown
    assert max(map(len, shown.splitlines())) <= 80
