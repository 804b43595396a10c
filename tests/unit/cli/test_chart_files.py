"""Where charts and tables may go, which is found out before the long work."""

from pathlib import Path

import pytest

from banditroute.cli import chart_files
from banditroute.errors import InputError, MissingExtraError
from banditroute.reports import Report, Section, Table, columns

TABLE = Table("models", "Models.", (columns.words("model", "Model", ("small",)),))
REPORT = Report("Bench", "", "", (Section("models", "Models", "", (TABLE,)),))


def test_a_folder_that_is_there_or_can_be_made_will_do(tmp_path: Path) -> None:
    chart_files.check_export(None)
    chart_files.check_export(tmp_path)
    chart_files.check_export(tmp_path / "deep" / "charts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", [(), ("charts",)])
def test_a_file_is_no_folder(tmp_path: Path, below: tuple[str, ...]) -> None:
    taken = tmp_path / "charts.zip"
    taken.touch()
    with pytest.raises(InputError, match=r"charts\.zip is a file"):
        chart_files.check_export(taken.joinpath(*below))


def test_what_draws_is_missed_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_files, "find_spec", lambda _name: None)
    chart_files.check_export(None)
    with pytest.raises(MissingExtraError, match="plots"):
        chart_files.check_export(tmp_path)


@pytest.mark.parametrize("quiet", [True, False])
def test_it_says_where_unless_asked_to_be_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    folder = tmp_path / "[red]charts"
    chart_files.write_export(REPORT, folder, quiet=quiet)
    assert (folder / "models.csv").read_text(encoding="utf-8") == "model\nsmall\n"
    assert capsys.readouterr().out == ("" if quiet else f"charts and tables: {folder}\n")
