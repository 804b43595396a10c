from banditroute.alerting.outages import Outages
from banditroute.alerting.settings import AlertSettings
from banditroute.alerting.view import View

PROVIDERS = {"small": "one", "large": "one", "other": "two"}
SETTINGS = AlertSettings(down_s=30.0, over_s=60.0)


def about(outages: Outages, down: str, now: float, providers=PROVIDERS) -> list[str]:
    view = View(providers=providers, down={name: f"{name} fails" for name in down.split()})
    return sorted(each.about for each in outages.look(view, SETTINGS, now))


def test_one_model_is_told_as_a_model_and_all_as_their_provider() -> None:
    outages = Outages()
    told = [about(outages, "small", at) for at in (0.0, 29.0, 30.0)]
    assert told == [[], [], ["model small"]]
    both = [about(outages, "small large", at) for at in (31.0, 60.0, 61.0, 300.0)]
    assert both == [["model small"], ["model small"], ["model small", "one"], ["model small", "one"]]
    assert about(outages, "small", 301.0) == ["model small", "one"], "it has to answer for a while until it is back"
    assert about(outages, "small", 362.0) == ["model small"]
    assert [about(outages, "", at) for at in (363.0, 423.0)] == [["model small"], []]


def test_a_provider_whose_models_fail_together_is_one_cause() -> None:
    outages = Outages()
    assert about(outages, "small large", 0.0) == []
    assert [about(outages, "small large", at) for at in (30.0, 31.0)] == [["one"], ["one"]]
    assert about(outages, "small", 32.0) == ["one"]
    assert about(outages, "small", 92.0) == ["model small"], "which is still down, though its provider is not"
    told = [about(outages, "", at) for at in (93.0, 153.0)]
    assert told == [["model small"], []]


def test_what_flickers_is_told_once() -> None:
    outages, told = Outages(), set()
    for at in range(0, 600, 10):
        now = about(outages, "other" if at % 40 else "", float(at))
        told.add(tuple(now))
    assert told == {(), ("two",)} or told == {()}
    steady = [about(outages, "other", 1_000.0 + at) for at in range(0, 100, 10)]
    assert steady[-1] == ["two"]
    flickering = [about(outages, "" if at % 50 == 0 else "other", 1_100.0 + at) for at in range(0, 300, 10)]
    assert set(map(tuple, flickering)) == {("two",)}


def test_a_model_that_is_taken_out_is_nobodys_trouble() -> None:
    outages = Outages()
    about(outages, "other", 0.0)
    assert about(outages, "other", 30.0) == ["two"]
    assert about(outages, "", 31.0, {"small": "one"}) == []


def test_the_cause_is_what_the_circuit_says() -> None:
    outages = Outages()
    view = View(providers=PROVIDERS, down={"other": "its circuit is open: 5 failures"})
    list(outages.look(view, SETTINGS, 0.0))
    (found,) = outages.look(view, SETTINGS, 30.0)
    outages.circuit("other", "open", "5 failures")
    outages.circuit("other", "open", "a failed probe")
    (later,) = outages.look(view, SETTINGS, 31.0)
    assert later.cause == "5 failures"
    assert (found.cause, found.over) == ("its circuit is open: 5 failures", "provider two is back")
