"""A change of encoder: refused with a clear message, brought over from kept prompts, or begun anew beside it."""

import subprocess
import sys

import pytest

from banditroute.errors import ConfigError
from banditroute.prompts.shipped import shipped
from banditroute.routing.lessons import IN_FLIGHT

PROMPT = shipped().encoder.version
ASKED = ("What is the capital of France?", "Write a haiku about rain", "Solve x + 2 = 5")


def rebuild(lab, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from banditroute.cli import main; main()", "rebuild", *options]
    path = ["--config", str(lab.folder / "router.toml")]
    return subprocess.run([*command, *path], capture_output=True, text=True, timeout=60, check=False)


async def taught(lab, store, **routing) -> None:
    router = await lab.router({"small": await lab.server()}, store=store, routing=routing)
    for text in ASKED:
        answer = await router.chat(text)
        await router.feedback(answer.decision_id, quality=0.9)
    await router.aclose()


async def test_another_encoder_is_refused_and_says_what_to_do(lab):
    store = {"kind": "sqlite"}
    await taught(lab, store, encoder="none")
    with pytest.raises(ConfigError) as caught:
        await lab.router({"small": lab.servers[0]}, store=store, routing={"encoder": "prompt"})
    message = str(caught.value)
    assert "'none'" in message
    assert f"{PROMPT!r}" in message
    assert "rebuild --reencode" in message
    assert "\n" not in message


async def test_begun_anew_the_old_evidence_lies_beside_it(lab):
    store = {"kind": "sqlite"}
    await taught(lab, store, encoder="none")
    router = await lab.router(
        {"small": lab.servers[0]}, store=store, routing={"encoder": "prompt", "on_new_encoder": "restart"}
    )
    assert float(router.learner.decider.signals.evidence[0].n.sum()) == 0.0
    await router.feedback((await router.chat(ASKED[0])).decision_id, quality=1.0)
    versions = {edge.encoder_version for edge in (await router.learner.store.state()).evidence}
    assert versions - {IN_FLIGHT} == {"none", PROMPT}


async def test_kept_prompts_are_encoded_anew(lab):
    store = {"kind": "sqlite", "keep_prompts": True}
    await taught(lab, store, encoder="none")
    (lab.folder / "router.toml").write_text(
        (lab.folder / "router.toml").read_text().replace('encoder = "none"', 'encoder = "prompt"')
    )
    done = rebuild(lab, "--reencode")
    assert done.returncode == 0, done.stderr
    assert f"3 decisions were encoded anew with {PROMPT}" in done.stdout
    assert "agree" in rebuild(lab, "--check").stdout
    router = await lab.router({"small": lab.servers[0]}, store=store, routing={"encoder": "prompt"})
    assert float(router.learner.decider.signals.evidence[0].n.sum()) == 3.0
    features = [trail.decision.context.features async for trail in router.learner.store.trails()]
    assert [len(each) for each in features] == [router.learner.decider.beliefs.width] * 3


async def test_without_kept_prompts_there_is_nothing_to_encode(lab):
    store = {"kind": "sqlite"}
    await taught(lab, store, encoder="none")
    (lab.folder / "router.toml").write_text(
        (lab.folder / "router.toml").read_text().replace('encoder = "none"', 'encoder = "prompt"')
    )
    done = rebuild(lab, "--reencode")
    assert "3 decisions kept no prompt" in done.stdout
    assert rebuild(lab, "--reencode", "--check").returncode == 2


async def test_a_classified_request_keeps_what_it_was_taken_for(lab):
    router = await lab.router({"small": await lab.server()}, store={"kind": "sqlite"}, routing={"sure": 1.0})
    answer = await router.chat(ASKED[0])
    context = (await router.explain(answer.decision_id)).decision.context
    assert (answer.task, context.task, context.likeliest) == ("general", "general", "qa")
    assert 0.5 < context.probability < 1.0


async def test_rules_and_own_classes_name_the_task(lab):
    own = [
        {
            "name": "travel",
            "examples": ["book a flight", "hotel please", "a train to Rome", "cancel my trip", "rent a car"],
        }
    ]
    rules = [
        {"task": "structured", "response_format": "json_object"},
        {"task": "ide", "metadata": {"app": "ide"}},
        {"task": "trace", "regex": "(?i)traceback"},
    ]
    router = await lab.router({"small": await lab.server()}, tasks=own, rules=rules)
    assert (await router.chat("hi", response_format={"type": "json_object"})).task == "structured"
    assert (await router.chat("hi", metadata={"app": "ide"})).task == "ide"
    assert (await router.chat("Traceback (most recent call last)")).task == "trace"
    assert (await router.chat("I need a flight and a hotel in Rome")).task == "travel"
    assert (await router.chat("anything", task="named")).task == "named"
