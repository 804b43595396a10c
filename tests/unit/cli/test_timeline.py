import pytest

from banditroute.cli.app import run
from banditroute.cli.telling import begin_of
from banditroute.errors import InputError
from banditroute.records import Alarm, Incident
from banditroute.reports.store.timeline import timeline
from banditroute.storage.memory import MemoryStore

NOW = 1_764_151_200.0  # 2025-11-26 10:00 UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24h", NOW - 86_400.0),
        ("90min", NOW - 5_400.0),
        ("1.5 d", NOW - 129_600.0),
        ("30s", NOW - 30.0),
        ("2025-11-26", NOW - 36_000.0),
        ("2025-11-26T10:00", NOW),
    ],
)
def test_how_far_back(text: str, expected: float) -> None:
    assert begin_of(text, NOW) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "yesterday", "24", "-3h", "h"])
def test_neither_a_stretch_nor_an_instant(text: str) -> None:
    with pytest.raises(InputError, match="neither a stretch of time nor an instant"):
        begin_of(text, NOW)


def test_no_store_yet_is_one_line(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["timeline"]) == 2
    assert capsys.readouterr().err.startswith("router.toml")


async def test_in_order_with_alarms_among_them_causes_before_alerts_and_each_once() -> None:
    store = MemoryStore()
    await store.open()
    for incident in (
        Incident(NOW, "alert", "", "reload, over: it was reloaded"),
        Incident(NOW, "reloaded", "", "another configuration is in force", "small dearer", "b"),
        Incident(NOW + 3.0, "reloaded", "", "another configuration is in force", "small dearer", "c"),
        Incident(NOW, "price", "small", "the price of small"),
        Incident(NOW + 90.0, "reloaded", "", "another configuration is in force", "small dearer", "c"),
        Incident(NOW - 5.0, "started", "", "it began"),
    ):
        await store.note(incident)
    await store.adjust([Alarm(NOW + 1.0, "small", "quality", "qa", 0.9, 0.5, 30, 0.9991)], {})
    moments = await timeline(store, NOW)
    assert [(each.kind, each.times) for each in moments] == [
        ("reloaded", 2),
        ("price", 1),
        ("alert", 1),
        ("changed", 1),
        ("reloaded", 1),
    ]
    assert moments[3].text == "small changed: quality in qa from .900 to .500"
    assert moments[3].cause == "30 observations say so, 99.910% sure"
    assert await timeline(store, NOW + 100.0) == ()
