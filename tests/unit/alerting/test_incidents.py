import pytest

from banditroute import observe
from banditroute.alerting.incidents import of_alert, of_event, started
from banditroute.changes import Changes, Edit
from banditroute.records import Alert

NOW = 1_764_147_600.0


def noted(event: observe.Event) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.about, each.text, each.cause) for each in of_event(event, NOW, "a")]


WORDS = (
    (observe.BreakerChanged("a", "open", "5 failures"), "circuit", "a", "the circuit of a opened", "5 failures"),
    (observe.KeyChanged("p", "KEY", "refused"), "key", "p", "key KEY of p went out of use", "refused"),
    (observe.KeyChanged("p", "KEY", ""), "key", "p", "key KEY of p is in use again", ""),
    (observe.SwitchThrown("only", "a"), "switch", "a", "switch only was thrown: a", "an operator said so"),
    (observe.SwitchThrown("only", ""), "switch", "", "switch only was taken back", "an operator said so"),
    (observe.RolloutChanged("new", "open", "as good"), "newcomer", "new", "new is at the stage: open", "as good"),
    (observe.BestDoubted("qa", "a", "it fell"), "best", "qa", "a may not be the best of qa any more", "it fell"),
)


@pytest.mark.parametrize("words", WORDS)
def test_events_in_words(words) -> None:
    event, *expected = words
    assert noted(event) == [tuple(expected)]


@pytest.mark.parametrize(
    "event", [observe.BreakerChanged("small", "half_open", ""), observe.BudgetExhausted("day", "d", rejected=True)]
)
def test_everyday_events_are_none(event) -> None:
    assert noted(event) == []


def test_a_reload_says_what_changed_and_each_price_by_itself() -> None:
    changes = Changes(added=("new",), repriced=(Edit("small", "input_usd_per_mtok", 1.0, 2.0),))
    reloaded, price = noted(observe.Reloaded(changes))
    assert reloaded == ("reloaded", "", "another configuration is in force", f"{changes}")
    assert price[:3] == ("price", "small", "the price of small: input_usd_per_mtok 1 -> 2")


def test_whatever_it_says_is_one_line_that_any_store_keeps() -> None:
    (incident,) = of_event(observe.ReloadFailed("a\nb\x00\x1b[2Jc \ud800 " + "x" * 9_000), NOW, "a")
    assert incident.cause.startswith("a b [2Jc ? xxx")
    assert len(incident.cause) == 500
    assert incident.cause.isprintable()


def test_starts_and_alerts() -> None:
    assert started(NOW, "a", "1.0", "router.toml", abruptly=False).cause == ""
    assert "killed" in started(NOW, "a", "1.0", "router.toml", abruptly=True).cause
    alert = Alert("i", NOW, "budget", "day", "began", "half is spent", "so it is", NOW)
    assert of_alert(alert, "a", silenced=True).text == "budget, began: half is spent (silenced)"
    assert of_alert(alert, "a", silenced=False).text == "budget, began: half is spent"
