from __future__ import annotations

import logging

import pytest

from banditroute.observe import Event, ReloadFailed, StoreFailed
from banditroute.telemetry import Observers

EVENT = StoreFailed("write", "the disk is full")


class Recorder:
    def __init__(self, heard: list[tuple[str, Event]], name: str) -> None:
        self.heard, self.name = heard, name

    def notify(self, event: Event) -> None:
        self.heard.append((self.name, event))


class Failing:
    def notify(self, event: Event) -> None:
        raise ValueError("no")


def test_everybody_is_told_in_order() -> None:
    heard: list[tuple[str, Event]] = []
    Observers(Recorder(heard, "first"), Recorder(heard, "second")).notify(EVENT)
    assert heard == [("first", EVENT), ("second", EVENT)]


def test_one_that_fails_keeps_nobody_from_hearing() -> None:
    heard: list[tuple[str, Event]] = []
    failed: list[tuple[object, Event, str]] = []
    failing = Failing()
    observers = Observers(
        failing, Recorder(heard, "second"), on_failure=lambda who, event, error: failed.append((who, event, str(error)))
    )
    observers.notify(EVENT)
    assert heard == [("second", EVENT)]
    assert failed == [(failing, EVENT, "no")]


def test_its_first_failure_is_logged_and_its_next_ones_are_not(caplog: pytest.LogCaptureFixture) -> None:
    observers = Observers(Failing(), Failing())
    with caplog.at_level(logging.ERROR, "banditroute.telemetry"):
        observers.notify(EVENT)
        observers.notify(ReloadFailed("no file"))
    assert [record.getMessage() for record in caplog.records] == [
        "Failing failed at StoreFailed; its next failures are not logged"
    ] * 2


def test_an_interrupt_is_no_failure() -> None:
    class Interrupted:
        def notify(self, event: Event) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Observers(Interrupted()).notify(EVENT)
