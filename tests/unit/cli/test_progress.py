import sys
from io import StringIO

import pytest

from banditroute.cli.progress import progress_bar


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_with_the_time_left_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar("simulating") as progress:
        assert progress is not None
        progress(1, 4)
        progress(3, 4)
    assert "simulating" in terminal.getvalue()
    assert "3/4" in terminal.getvalue()


def test_elsewhere_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("simulating") as progress:
        assert progress is None
    assert capsys.readouterr() == ("", "")
