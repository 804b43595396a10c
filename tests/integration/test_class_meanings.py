"""A change of what names a task class is told, once, where something was learned of the class; or refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from banditroute.errors import ConfigError
from banditroute.observe import ClassesChanged
from banditroute.prompts import weights

STORE = {"kind": "sqlite"}
TRAVEL = ["book a flight", "hotel please", "a train to Rome", "cancel my trip", "rent a car"]
OWN = [{"name": "travel", "examples": TRAVEL}]
RULES = [{"task": "ide", "metadata": {"app": "ide"}}]
CLASSES: dict[str, Any] = {"tasks": OWN, "rules": RULES}


async def taught(lab, **sections: Any) -> None:
    """Something is learned of a shipped class, one of the file's own, one of a rule, and one that a caller names."""
    router = await lab.router({"small": await lab.server()}, store=STORE, **sections)
    for said, more in (
        ("What is the capital of France?", {}),
        ("I need a flight and a hotel in Rome", {}),
        ("hi", {"metadata": {"app": "ide"}}),
        ("hi", {"task": "named"}),
    ):
        await router.feedback((await router.chat(said, **more)).decision_id, quality=0.9)
    await router.aclose()


async def told(lab, **sections: Any) -> list[tuple[str, ...]]:
    """What a start with this configuration tells."""
    before = len(lab.events.of(ClassesChanged))
    router = await lab.router({"small": lab.servers[0]}, store=STORE, **sections)
    await router.aclose()
    return [event.tasks for event in lab.events.of(ClassesChanged)[before:]]


async def test_the_same_configuration_tells_nothing(lab) -> None:
    await taught(lab, **CLASSES)
    assert await told(lab, **CLASSES) == []
    assert await told(lab, **CLASSES, budgets=[{"usd": 5.0, "per": "day"}]) == []


@pytest.mark.parametrize(
    ("changed", "classes"),
    [
        ({"tasks": [{"name": "travel", "examples": [*TRAVEL, "ferry times"]}], "rules": RULES}, ("travel",)),
        ({"tasks": OWN, "rules": [{"task": "ide", "metadata": {"app": "ide"}, "tools": True}]}, ("ide",)),
        ({"tasks": OWN, "rules": [*RULES, {"task": "qa", "contains": ["capital"]}]}, ("qa",)),
        ({"tasks": OWN, "rules": [*RULES, {"task": "new", "contains": ["capital"]}]}, ()),
        ({"tasks": OWN, "rules": [*RULES, {"task": "named", "contains": ["x"]}]}, ("named",)),
        ({**CLASSES, "routing": {"sure": 0.9}}, ("qa", "travel")),
    ],
)
async def test_what_names_a_class_otherwise_is_told_once(lab, changed: Any, classes: tuple[str, ...]) -> None:
    await taught(lab, **CLASSES)
    assert await told(lab, **changed) == ([classes] if classes else [])
    assert await told(lab, **changed) == []


async def test_another_training_of_the_classifier_is_told(lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await taught(lab)
    newer = weights.shipped_weights()._replace(version="prompt-another")
    monkeypatch.setattr("banditroute.prompting.shipped_weights", lambda: newer)
    ((first, *_),) = await told(lab)
    assert first in newer.classes
    assert "may mean something else" in lab.events.of(ClassesChanged)[-1].problem


async def test_it_may_be_refused_and_nothing_is_forgotten_of_it(lab) -> None:
    await taught(lab, **CLASSES)
    changed = {"tasks": [{"name": "travel", "examples": [*TRAVEL, "ferry times"]}], "rules": RULES}
    for _ in range(2):
        with pytest.raises(ConfigError, match="travel: what names this task class has changed") as caught:
            await told(lab, **changed, routing={"on_new_classes": "refuse"})
        assert caught.value.field == "routing.on_new_classes"
    assert await told(lab, **CLASSES, routing={"on_new_classes": "refuse"}) == []
    assert await told(lab, **changed, routing={"on_new_classes": "warn"}) == [("travel",)]


async def test_a_reload_tells_it_too(lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("banditroute.learner._TICK_S", 0.02)
    await taught(lab, **CLASSES)
    router = await lab.router({"small": lab.servers[0]}, store=STORE, **CLASSES)
    lab.write({"small": lab.servers[0]}, store=STORE, tasks=OWN, rules=[{"task": "ide", "tools": True}])
    await router.reload()
    for _ in range(200):
        if lab.events.of(ClassesChanged):
            break
        await asyncio.sleep(0.01)
    assert [event.tasks for event in lab.events.of(ClassesChanged)] == [("ide",)]
